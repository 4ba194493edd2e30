//! On the edge and one beyond it.

use devstack::seed::{ACORN, PASSWORD};
use serde_json::json;
use time::Duration;

use crate::harness::{Cases, Refusal, Request, Stack, encode};
use crate::routes;

const KEYS: &str = "/api/v1/auth/api-keys";

/// With a key that is active, what is right with a creation's form is refused for that reason, and changes nothing.
async fn with_active_key(stack: &Stack) -> String {
    let owner = stack.log_in(ACORN.owner).await;
    stack.make_key(&owner, &json!({"key_name": "Till 1"})).await;
    owner.access
}

fn exists() -> Refusal {
    Refusal::new(409, "active_key_exists")
}

#[tokio::test]
async fn a_name_has_1_to_255_characters_however_many_bytes_they_take() {
    let stack = Stack::start().await;
    let access = with_active_key(&stack).await;
    let mut cases = Cases::of(&stack);
    for letter in ["a", "é", "中", "🚀"] {
        for (length, refusal) in [
            (0, Refusal::invalid(&["key_name"])),
            (1, exists()),
            (255, exists()),
            (256, Refusal::invalid(&["key_name"])),
        ] {
            let body = json!({"key_name": letter.repeat(length)});
            cases
                .refused(
                    format!("{length} × {letter}"),
                    Request::post(KEYS).bearer(&access).json(&body),
                    &refusal,
                )
                .await;
        }
    }
    // A letter and 255 accents on it: one to the eye, 256 to us.
    let accents = json!({"key_name": format!("e{}", "\u{301}".repeat(255))});
    let request = Request::post(KEYS).bearer(&access).json(&accents);
    cases.refused("256 of which one is seen", request, &Refusal::invalid(&["key_name"])).await;
    for length in [1, 255, 256] {
        let body = json!({"key_name": "k", "idempotency_key": "🔑".repeat(length)});
        let refusal = if length > 255 { Refusal::invalid(&["idempotency_key"]) } else { exists() };
        let request = Request::post(KEYS).bearer(&access).json(&body);
        cases.refused(format!("idempotency_key of {length}"), request, &refusal).await;
    }
    cases.finish();
}

#[tokio::test]
async fn what_is_on_the_edge_is_made_and_shown_as_it_was_sent() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let names =
        ["🚀".repeat(255), "<script>alert(1)</script>".to_owned(), "=HYPERLINK(\"http://x\")".to_owned()];
    let more = ["e\u{301} is not \u{e9}", "'; DROP TABLE keys; --", "{{7*7}} ${x}"].map(str::to_owned);
    for name in names.into_iter().chain(more) {
        let body = json!({"key_name": name, "expires_in_days": 3650});
        let answer = cases.accepted(&name, Request::post(KEYS).bearer(&owner.access).json(&body), 201).await;
        let same = answer.data()["key_name"] == name;
        cases.judge(&name, if same { Ok(()) } else { Err(answer.body.clone()) });
        stack.revoke(&owner, answer.data()["api_key_id"].as_str().unwrap()).await;
        stack.pass(Duration::minutes(1));
    }
    cases.finish();
}

#[tokio::test]
async fn a_name_holds_no_control_character() {
    let stack = Stack::start().await;
    let access = with_active_key(&stack).await;
    let mut cases = Cases::of(&stack);
    for name in [
        "a\u{0}b",
        "\u{0}",
        "a\nb",
        "a\r\nX-Org: b",
        "a\tb",
        "\u{1b}[31mred",
        "a\u{7f}",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{202e}b",
        "\u{2066}a",
    ] {
        let request = Request::post(KEYS).bearer(&access).json(&json!({"key_name": name}));
        cases.refused(format!("{name:?}"), request, &Refusal::invalid(&["key_name"])).await;
    }
    cases.finish();
}

#[tokio::test]
async fn days_are_a_whole_number_from_1_to_3650() {
    let stack = Stack::start().await;
    let access = with_active_key(&stack).await;
    let mut cases = Cases::of(&stack);
    let days = |text: &str| {
        Request::post(KEYS)
            .bearer(&access)
            .said_json(format!(r#"{{"key_name":"k","expires_in_days":{text}}}"#))
    };
    for good in ["1", "2", "3650"] {
        cases.refused(good, days(good), &exists()).await;
    }
    let wrong = [
        "0",
        "-1",
        "-0",
        "3651",
        "1.0",
        "1.5",
        "3650.0",
        "1e2",
        "1E0",
        "0.9999999999999999999",
        "\"3\"",
        "\"\"",
        "true",
        "[1]",
        "{}",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e300",
        "4294967297",
        "365000000000",
    ];
    for text in wrong {
        cases.refused(text, days(text), &Refusal::invalid(&["expires_in_days"])).await;
    }
    for text in ["0x10", "007", "+1", ".5", "1.", "1e", "NaN", "Infinity", "-", "1_000", "1e400", "１"] {
        cases.refused(text, days(text), &Refusal::no_json()).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_code_has_4_to_32_characters() {
    let stack = Stack::start().await;
    let (challenge, _) = stack.challenge(ACORN.viewer).await;
    let mut cases = Cases::of(&stack);
    let wrong = Refusal::new(401, "invalid_code").counting_a_guess();
    for letter in ["a", "é"] {
        for (length, refusal) in [
            (0, Refusal::invalid(&["code"])),
            (3, Refusal::invalid(&["code"])),
            (4, wrong.clone()),
            (32, wrong.clone()),
            (33, Refusal::invalid(&["code"])),
        ] {
            let body = json!({"challenge_id": challenge, "code": letter.repeat(length)});
            let request = Request::post("/api/v1/auth/login/2fa/verify").json(&body);
            cases.refused(format!("{length} × {letter}"), request, &refusal).await;
        }
    }
    let tries = stack.snapshot().await.items("CHALLENGE#")[0]["attempts"].clone();
    assert_eq!(tries, 4, "what has the form of a code is a guess, and nothing else is");
    cases.finish();
}

#[tokio::test]
async fn a_password_has_1_to_256_characters_and_an_address_254_bytes() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let login = |email: &str, password: &str| {
        Request::post("/api/v1/auth/login").json(&json!({"email": email, "password": password}))
    };
    let wrong = Refusal::new(401, "invalid_credentials").counting_a_guess();
    for letter in ["p", "🔒"] {
        for (length, refusal) in [
            (0, Refusal::invalid(&["password"])),
            (1, wrong.clone()),
            (256, wrong.clone()),
            (257, Refusal::invalid(&["password"])),
        ] {
            let name = format!("{length} × {letter}");
            cases.refused(name, login(ACORN.viewer.email, &letter.repeat(length)), &refusal).await;
        }
    }
    for (length, refusal) in
        [(254, wrong), (255, Refusal::invalid(&["email"])), (4_000, Refusal::invalid(&["email"]))]
    {
        let email = format!("{}@x.example", "a".repeat(length - "@x.example".len()));
        cases.refused(format!("an address of {length}"), login(&email, PASSWORD), &refusal).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_page_has_1_to_100_keys_and_one_limit() {
    let stack = Stack::start().await;
    let access = with_active_key(&stack).await;
    let mut cases = Cases::of(&stack);
    let list = |query: &str| Request::get(&format!("{KEYS}?{query}")).bearer(&access);
    for good in
        ["", "limit=1", "limit=100", "limit=020", "limit=%31", "Limit=0", "limit%5B%5D=0", "limits=0", "&&"]
    {
        cases.accepted(good, list(good), 200).await;
    }
    let wrong = [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=",
        "limit",
        "limit=abc",
        "limit=+5",
        "limit=%2B5",
        "limit=5%20",
        "limit=1e1",
        "limit=1.0",
        "limit=0x10",
        "limit=99999999999999999999",
        "limit=%D9%A3",
        "limit=%00",
        "limit=1%00",
        "limit=null",
        "limit=1,2",
        "limit=1&limit=1",
        "limit=1&limit=2",
        "limit=5&cursor=&limit=5",
        "%6Cimit=0",
        "limit=%zz",
        "limit=%FF",
        "limit=1;2",
    ];
    for query in wrong {
        cases.refused(query, list(query), &Refusal::invalid(&["limit"])).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_cursor_is_one_of_ours_or_refused() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let key = stack.make_key(&owner, &json!({"key_name": "Till 1"})).await;
    let mut cases = Cases::of(&stack);
    let list = |cursor: &str| Request::get(&format!("{KEYS}?cursor={cursor}")).bearer(&owner.access);
    let good = encode(&key.id);
    cases.accepted("after the last", list(&good), 200).await;
    let forged = [
        ("nothing", String::new()),
        ("letters", "garbage".to_owned()),
        ("an id as it is", key.id.clone()),
        ("padding", format!("{good}=")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("longer", format!("{good}A")),
        ("small letters", encode(key.id.to_lowercase())),
        ("an organization", encode(ACORN.id)),
        ("another item", encode("ACTIVE_KEY")),
        ("an item of another kind", encode(format!("MEMBER#{}", ACORN.owner.user_id))),
        ("JSON", encode(json!({"pk": {"S": "ORG#x"}}).to_string())),
        ("no UTF-8", encode([0xff, 0xfe])),
        ("a NUL", encode(format!("{}\0", key.id))),
        ("very long", "A".repeat(6_000)),
        ("base64 of another alphabet", "%2B%2F%2B%2F".to_owned()),
        ("twice", format!("{good}&cursor={good}")),
    ];
    for (name, cursor) in forged {
        cases.refused(name, list(&cursor), &Refusal::invalid(&["cursor"])).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_body_has_16_kib() {
    const KIB_16: usize = 16 * 1024;
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        let good = route.good.to_string();
        let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
        let say = |what: &str| format!("{}: {what}", route.name);
        let send = |body: String| route.request.clone().said_json(body);
        for (name, length) in [("one byte too many", KIB_16 + 1), ("1 MB", 1 << 20)] {
            cases.refused(say(name), send(padded(length)), &Refusal::too_large()).await;
            cases
                .refused(say(&format!("{name} of no JSON")), send("x".repeat(length)), &Refusal::too_large())
                .await;
        }
        let long = json!({route.fields[0].name: "a".repeat(1 << 20)});
        cases.refused(say("1 MB in a field"), send(long.to_string()), &Refusal::too_large()).await;
        // The last of a route: some of the good bodies change something.
        cases.accepted(say("16 KiB exactly"), send(padded(KIB_16)), route.status).await;
    }
    cases.finish();
}

#[tokio::test]
async fn an_idempotency_key_has_16_to_255_visible_ascii_characters() {
    let stack = Stack::start().await;
    let session = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let refresh = || Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": session.refresh}));
    let wrong: [(&str, Vec<u8>); 10] = [
        ("15", vec![b'k'; 15]),
        ("256", vec![b'k'; 256]),
        ("empty", Vec::new()),
        ("a space in it", b"0123456789 abcdef".to_vec()),
        ("a tab in it", b"0123456789\tabcdef".to_vec()),
        ("not ASCII", "0123456789abcdéf".as_bytes().to_vec()),
        ("not UTF-8", b"0123456789abcdef\xff".to_vec()),
        ("two in one", b"0123456789abcdef, 0123456789abcdef".to_vec()),
        ("a NUL's look-alike", "0123456789abcdef\u{2400}".as_bytes().to_vec()),
        ("spaces only", vec![b' '; 20]),
    ];
    let refusal = Refusal::invalid(&["Idempotency-Key"]);
    for (name, value) in wrong {
        cases.refused(name, refresh().header("Idempotency-Key", value), &refusal).await;
    }
    // None of that has touched the session.
    let after = stack.refresh(&session).await;
    for length in [16, 255] {
        let again = Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": after.refresh}));
        // The second is a repeat of the first with another key: theft, as far as anybody can tell.
        let status = if length == 16 { 200 } else { 401 };
        cases
            .accepted(format!("{length}"), again.header("Idempotency-Key", vec![b'~'; length]), status)
            .await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_refresh_token_is_not_empty_and_not_endless() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let refresh = |token: &str| Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": token}));
    let unknown = Refusal::new(401, "invalid_refresh_token");
    cases.refused("empty", refresh(""), &Refusal::invalid(&["refresh_token"])).await;
    cases.refused("one character", refresh("r"), &unknown).await;
    cases.refused("512", refresh(&"r".repeat(512)), &unknown).await;
    cases.refused("5 000", refresh(&"r".repeat(5_000)), &Refusal::invalid(&["refresh_token"])).await;
    cases.finish();
}
