//! API keys that are almost one. No whole key stands here: they are made as they are needed.

use devstack::seed::{ACORN, BIRCH};
use serde_json::json;
use shared::api_keys::{Env, PlainKey};
use shared::rng::SystemRng;
use time::Duration;

use crate::harness::{Cases, Refusal, Request, Stack, gateways, with_checksum};

const ME: &str = "/api/v1/organizations/me";

fn swap_case(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect()
}

/// The key with one character replaced.
fn replaced(key: &str, at: usize, by: &str) -> String {
    format!("{}{by}{}", &key[..at], &key[at + 1..])
}

/// Another digit than the one that stands there.
fn other(key: &str, at: usize) -> &'static str {
    if &key[at..=at] == "7" { "8" } else { "7" }
}

/// Everything that looks like `key` and is none.
fn look_alikes(key: &str) -> Vec<(String, String)> {
    let body = &key[8..];
    // Where a zero stands; where there is none, any place shows the same of the others, but for one with the letter O.
    let zero = 8 + body.find('0').or_else(|| body.find(|c| c != 'O')).unwrap();
    let mut all: Vec<(String, String)> = (0..key.len())
        .map(|at| (format!("another character at {at}"), replaced(key, at, other(key, at))))
        .collect();
    let named = [
        ("nothing behind the prefix", "sk_test_".to_owned()),
        ("a part of the prefix", "sk_".to_owned()),
        ("one character short", key[..45].to_owned()),
        ("one character long", format!("{key}0")),
        ("twice", format!("{key}{key}")),
        ("another case", format!("{}{}", &key[..8], swap_case(body))),
        ("small letters", key.to_lowercase()),
        ("capitals", key.to_uppercase()),
        ("a prefix in capitals", format!("SK_TEST_{body}")),
        ("Sk_", format!("Sk_test_{body}")),
        ("the other environment's prefix", format!("sk_live_{body}")),
        ("an environment there is not", format!("sk_prod_{body}")),
        ("a public key's prefix", format!("pk_test_{body}")),
        ("a restricted key's prefix", format!("rk_test_{body}")),
        ("hyphens", format!("sk-test-{body}")),
        ("no prefix", body.to_owned()),
        ("a prefix twice", format!("sk_test_{key}")),
        ("a letter O for the zero", replaced(key, zero, "O")),
        ("a Cyrillic s", format!("\u{455}{}", &key[1..])),
        ("a Cyrillic k", format!("s\u{43a}{}", &key[2..])),
        ("a full-width s", format!("\u{ff53}{}", &key[1..])),
        ("a long s", format!("\u{17f}{}", &key[1..])),
        ("a Kelvin sign", format!("s\u{212a}{}", &key[2..])),
        ("a full-width low line", format!("sk\u{ff3f}{}", &key[3..])),
        ("a full-width zero", replaced(key, zero, "\u{ff10}")),
        ("an Arabic zero", replaced(key, zero, "\u{660}")),
        ("a mathematical zero", replaced(key, zero, "\u{1d7ce}")),
        ("a zero-width space", format!("{}\u{200b}{}", &key[..20], &key[20..])),
        ("a soft hyphen", format!("{}\u{ad}{}", &key[..20], &key[20..])),
        ("an accent behind", format!("{key}\u{301}")),
        ("a byte order mark", format!("\u{feff}{key}")),
        ("right to left", format!("\u{202e}{key}")),
        ("an underscore in it", replaced(key, 20, "_")),
        ("a hyphen in it", replaced(key, 20, "-")),
        ("a plus in it", replaced(key, 20, "+")),
        ("percent-encoded", key.replace('_', "%5F")),
        ("a query behind", format!("{key}?x")),
        ("a hash behind", format!("{key}#")),
        ("quotes", format!("\"{key}\"")),
        ("very long", format!("sk_test_{}", "A".repeat(20_000))),
    ];
    all.extend(named.into_iter().map(|(name, key)| (name.to_owned(), key)));
    assert!(all.iter().all(|(_, it)| it != key), "the key itself is no look-alike");
    all
}

/// One key in a hundred has no zero, and a letter O where another key has its zero replaced.
#[test]
fn no_key_looks_like_itself() {
    for _ in 0..2_000 {
        look_alikes(PlainKey::generate(Env::Test, &SystemRng).expose());
    }
}

/// A key that nobody was given, with a zero in it.
fn key_with_a_zero() -> PlainKey {
    let mut keys = std::iter::repeat_with(|| PlainKey::generate(Env::Test, &SystemRng));
    keys.find(|key| key.expose()[8..40].contains('0')).unwrap()
}

async fn working_key(stack: &Stack) -> String {
    let owner = stack.log_in(ACORN.owner).await;
    stack.make_key(&owner, &json!({"key_name": "k"})).await.key
}

#[tokio::test]
async fn what_looks_like_a_key_is_refused_without_a_look_into_the_table() {
    let stack = Stack::start().await;
    let key = working_key(&stack).await;
    let mut cases = Cases::of(&stack);
    stack.devstack.requests.take();
    for (name, forged) in look_alikes(&key).iter().chain(&look_alikes(key_with_a_zero().expose())) {
        cases.refused(name, Request::get(ME).bearer(forged), &Refusal::unauthorized()).await;
        cases.judge(name, gateways::refused_by_all(&stack.app(), &format!("Bearer {forged}")).await);
        let asked: Vec<_> = stack.devstack.requests.take().into_iter().map(|it| it.operation).collect();
        cases.judge(
            name,
            if asked.is_empty() { Ok(()) } else { Err(format!("the table was asked: {asked:?}")) },
        );
    }
    cases.accepted("the key itself", Request::get(ME).bearer(&key), 200).await;
    cases.finish();
}

#[tokio::test]
async fn a_well_formed_key_that_nobody_was_given_costs_one_read_and_is_refused() {
    let stack = Stack::start().await;
    let key = working_key(&stack).await;
    let mut cases = Cases::of(&stack);
    let unknown = [
        ("a test key", PlainKey::generate(Env::Test, &SystemRng).expose().to_owned()),
        ("a live key", PlainKey::generate(Env::Live, &SystemRng).expose().to_owned()),
        ("the other environment, with its checksum", with_checksum(&format!("sk_live_{}", &key[8..40]))),
        ("another character, with its checksum", with_checksum(&replaced(&key[..40], 20, other(&key, 20)))),
        ("another case, with its checksum", with_checksum(&format!("sk_test_{}", swap_case(&key[8..40])))),
        ("zeros, with their checksum", with_checksum(&format!("sk_test_{}", "0".repeat(32)))),
    ];
    assert_eq!(with_checksum(&key[..40]), key, "the checksum here is the one of real keys");
    stack.devstack.requests.take();
    for (name, forged) in unknown {
        assert!(PlainKey::parse(&forged).is_ok(), "{name}");
        cases.refused(name, Request::get(ME).bearer(&forged), &Refusal::unauthorized()).await;
        let asked = stack.devstack.requests.take();
        let once = matches!(asked.as_slice(), [one] if one.operation == "GetItem" && one.is_consistent());
        cases.judge(name, if once { Ok(()) } else { Err(format!("{asked:?}")) });
        cases.judge(name, gateways::refused_by_all(&stack.app(), &format!("Bearer {forged}")).await);
        stack.devstack.requests.take();
    }
    cases.finish();
}

#[tokio::test]
async fn a_key_that_is_over_is_nobodys() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let neighbour = stack.log_in(BIRCH.owner).await;
    let revoked = stack.make_key(&owner, &json!({"key_name": "k"})).await;
    stack.revoke(&owner, &revoked.id).await;
    let expiring = stack.make_key(&neighbour, &json!({"key_name": "k", "expires_in_days": 1})).await;
    let mut cases = Cases::of(&stack);
    let me = |key: &str| Request::get(ME).bearer(key);
    cases.refused("revoked", me(&revoked.key), &Refusal::unauthorized()).await;
    stack.pass(Duration::days(1) - Duration::seconds(1));
    cases.accepted("a second before its end", me(&expiring.key), 200).await;
    stack.pass(Duration::seconds(1));
    cases.refused("at its end", me(&expiring.key), &Refusal::unauthorized()).await;
    for key in [&revoked.key, &expiring.key] {
        cases.judge("asked directly", gateways::refused_by_all(&stack.app(), &format!("Bearer {key}")).await);
    }
    cases.finish();
}

#[tokio::test]
async fn a_key_does_not_do_what_takes_a_person() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let made = stack.make_key(&owner, &json!({"key_name": "k"})).await;
    let mut cases = Cases::of(&stack);
    let requests = [
        Request::post("/api/v1/auth/logout"),
        Request::post("/api/v1/auth/api-keys").json(&json!({"key_name": "another"})),
        Request::post("/api/v1/auth/api-keys").json(&json!({"key_name": 1})),
        Request::get("/api/v1/auth/api-keys"),
        Request::get("/api/v1/auth/api-keys?limit=0"),
        Request::delete(&format!("/api/v1/auth/api-keys/{}", made.id)),
        Request::put(&format!("/api/v1/organizations/{}/environment", ACORN.id))
            .json(&json!({"env": "test"})),
    ];
    for request in requests {
        let name = String::from_utf8_lossy(&request.bytes()).lines().next().unwrap().to_owned();
        cases.refused(name, request.bearer(&made.key), &Refusal::new(403, "session_required")).await;
    }
    let refresh = Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": made.key}));
    cases.refused("refresh with it", refresh, &Refusal::new(401, "invalid_refresh_token")).await;
    cases.finish();
}
