//! The second step of a login: challenges that are none, and codes that are almost the one.

use devstack::seed::{ACORN, BIRCH};
use serde_json::{Value, json};
use shared::ids::ChallengeId;
use shared::rng::SystemRng;
use time::Duration;

use crate::harness::{Cases, Refusal, Request, Stack};

fn verify(challenge: &str, code: &str) -> Request {
    Request::post("/api/v1/auth/login/2fa/verify").json(&json!({"challenge_id": challenge, "code": code}))
}

fn resend(challenge: &str) -> Request {
    Request::post("/api/v1/auth/login/2fa/resend").json(&json!({"challenge_id": challenge}))
}

fn wrong() -> Refusal {
    Refusal::new(401, "invalid_code")
}

#[tokio::test]
async fn a_challenge_that_is_none_answers_as_a_wrong_code_does() {
    let stack = Stack::start().await;
    let (challenge, code) = stack.challenge(ACORN.viewer).await;
    let unknown = ChallengeId::new(stack.app().clock.as_ref(), &SystemRng).to_string();
    let challenges = [
        ("unknown", unknown.clone()),
        ("small letters", challenge.to_lowercase()),
        ("capitals", challenge.to_uppercase()),
        ("a space behind", format!("{challenge} ")),
        ("a space before", format!(" {challenge}")),
        ("a NUL behind", format!("{challenge}\0")),
        ("a line break behind", format!("{challenge}\n")),
        ("one character short", challenge[..challenge.len() - 1].to_owned()),
        ("one character long", format!("{challenge}0")),
        ("no prefix", challenge[3..].to_owned()),
        ("another prefix", challenge.replacen("ch_", "ses_", 1)),
        ("its item's key", format!("CHALLENGE#{challenge}")),
        ("a path", format!("../{challenge}")),
        ("a wildcard", "*".to_owned()),
        ("two of them", format!("{challenge},{unknown}")),
        ("a person", ACORN.viewer.user_id.to_owned()),
        ("an organization", ACORN.id.to_owned()),
        ("letters of the alphabet's other spelling", challenge.replacen('0', "O", 1)),
        ("a full-width prefix", challenge.replacen('c', "\u{ff43}", 1)),
        ("one letter", "x".to_owned()),
    ];
    let mut cases = Cases::of(&stack);
    for (name, id) in challenges {
        cases.refused(format!("verify: {name}"), verify(&id, &code), &wrong()).await;
        cases.refused(format!("resend: {name}"), resend(&id), &wrong()).await;
    }
    for (name, id) in [("5 000 characters", "c".repeat(5_000)), ("empty", String::new())] {
        cases
            .refused(format!("verify: {name}"), verify(&id, &code), &Refusal::invalid(&["challenge_id"]))
            .await;
        cases.refused(format!("resend: {name}"), resend(&id), &Refusal::invalid(&["challenge_id"])).await;
    }
    let missing = cases.refused("unknown", verify(&unknown, &code), &wrong()).await;
    let mistyped =
        cases.refused("a wrong code", verify(&challenge, "no-code"), &wrong().counting_a_guess()).await;
    assert_eq!(missing.indistinguishable(), mistyped.indistinguishable());
    cases.accepted("its own code", verify(&challenge, &code), 200).await;
    cases.finish();
}

/// Each of these is a guess: it is counted, and is wrong.
#[tokio::test]
async fn a_code_is_right_to_the_letter() {
    let stack = Stack::start().await;
    let shifted = |code: &str, zero: u32| -> String {
        code.chars().map(|digit| char::from_u32(zero + digit.to_digit(10).unwrap()).unwrap()).collect()
    };
    type Bend = Box<dyn Fn(&str) -> String>;
    let bends: Vec<(&str, Bend)> = vec![
        ("a space before", Box::new(|code| format!(" {code}"))),
        ("a space behind", Box::new(|code| format!("{code} "))),
        ("a space in it", Box::new(|code| format!("{} {}", &code[..3], &code[3..]))),
        ("a line break behind", Box::new(|code| format!("{code}\n"))),
        ("a NUL behind", Box::new(|code| format!("{code}\0"))),
        ("five digits", Box::new(|code| code[..5].to_owned())),
        ("seven digits", Box::new(|code| format!("{code}0"))),
        ("a zero before", Box::new(|code| format!("0{code}"))),
        ("a sign", Box::new(|code| format!("+{code}"))),
        ("a minus", Box::new(|code| format!("-{}", &code[..5]))),
        ("an exponent", Box::new(|code| format!("{code}e0"))),
        ("a fraction", Box::new(|code| format!("{code}.0"))),
        ("hexadecimal", Box::new(|code| format!("0x{:x}", code.parse::<u32>().unwrap() | 0x1000))),
        ("full-width digits", Box::new(move |code| shifted(code, 0xff10))),
        ("Arabic digits", Box::new(move |code| shifted(code, 0x0660))),
        ("mathematical digits", Box::new(move |code| shifted(code, 0x1d7ce))),
        ("a zero-width space", Box::new(|code| format!("{}\u{200b}{}", &code[..3], &code[3..]))),
        ("two codes", Box::new(|code| format!("000000 {code}"))),
        ("two with a comma", Box::new(|code| format!("000000,{code}"))),
        (
            "backwards",
            Box::new(|code| {
                if code.chars().rev().eq(code.chars()) {
                    "no-code".to_owned()
                } else {
                    code.chars().rev().collect()
                }
            }),
        ),
        ("a wildcard", Box::new(|_| "******".to_owned())),
        ("SQL", Box::new(|_| "' OR '1'='1".to_owned())),
        (
            "the usual one",
            Box::new(|code| if code == "000000" { "111111".to_owned() } else { "000000".to_owned() }),
        ),
    ];
    let mut cases = Cases::of(&stack);
    for (nth, (name, bend)) in bends.iter().enumerate() {
        // An address is shut after ten wrong codes, and a network after ten passwords: somebody else every four, an hour later.
        let person = ACORN.people()[nth / 4 % 3];
        stack.pass(Duration::hours(if nth % 4 == 0 { 1 } else { 0 }));
        cases.forget();
        let (challenge, code) = stack.challenge(person).await;
        cases.refused(*name, verify(&challenge, &bend(&code)), &wrong().counting_a_guess()).await;
        let tries = stack.snapshot().await;
        let counted = tries.items(&format!("CHALLENGE#{challenge}"))[0]["attempts"] == 1;
        cases.judge(name, if counted { Ok(()) } else { Err("it is not counted".to_owned()) });
        if nth % 4 == 3 {
            cases.accepted("and the right one", verify(&challenge, &code), 200).await;
        }
    }
    cases.finish();
}

#[tokio::test]
async fn a_code_is_for_its_challenge_once_and_for_ten_minutes() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let (first, first_code) = stack.challenge(ACORN.owner).await;
    let (second, second_code) = stack.challenge(ACORN.owner).await;
    let (theirs, _) = stack.challenge(BIRCH.owner).await;
    assert_ne!(first_code, second_code, "one run in a million");
    cases
        .refused("another challenge's code", verify(&first, &second_code), &wrong().counting_a_guess())
        .await;
    cases.refused("another's challenge", verify(&theirs, &first_code), &wrong().counting_a_guess()).await;
    let backup = json!({"challenge_id": first, "code": first_code, "code_type": "backup"});
    let backup = Request::post("/api/v1/auth/login/2fa/verify").json(&backup);
    cases.refused("as a backup code", backup, &wrong().counting_a_guess()).await;
    cases.accepted("its own", verify(&first, &first_code), 200).await;
    cases.refused("again", verify(&first, &first_code), &wrong()).await;
    cases.refused("a new code for what is used", resend(&first), &wrong()).await;

    cases.forget();
    stack.pass(Duration::minutes(10));
    cases.refused("ten minutes later, its item still there", verify(&second, &second_code), &wrong()).await;
    cases.refused("a new code for what is over", resend(&second), &wrong()).await;

    cases.forget();
    let (tried, code) = stack.challenge(ACORN.admin).await;
    for nth in 1..=5 {
        cases
            .refused(format!("wrong code {nth}"), verify(&tried, "no-code"), &wrong().counting_a_guess())
            .await;
    }
    cases.refused("the right code after five wrong ones", verify(&tried, &code), &wrong()).await;
    cases.refused("a new code after five wrong ones", resend(&tried), &wrong()).await;
    cases.finish();
}

/// Many guesses in one request are none.
#[tokio::test]
async fn a_list_of_codes_is_no_guess() {
    let stack = Stack::start().await;
    let (challenge, code) = stack.challenge(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let send = |code: Value| {
        Request::post("/api/v1/auth/login/2fa/verify").json(&json!({"challenge_id": challenge, "code": code}))
    };
    let number: i64 = code.parse().unwrap();
    for (name, value) in [
        ("a list", json!(["000000", code])),
        ("a list of one", json!([code])),
        ("an object", json!({"code": code})),
        ("a number", json!(number)),
        ("true", json!(true)),
    ] {
        cases.refused(name, send(value), &Refusal::invalid(&["code"])).await;
    }
    cases.accepted("the code", send(json!(code)), 200).await;
    cases.finish();
}

#[tokio::test]
async fn a_new_code_is_sent_once_a_minute_and_three_times() {
    let stack = Stack::start().await;
    let (challenge, first) = stack.challenge(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let too_often = Refusal::new(429, "rate_limited");
    cases.refused("at once", resend(&challenge), &too_often).await;
    for nth in 1..=3 {
        stack.pass(Duration::seconds(59));
        cases.refused(format!("{nth}: a second too soon"), resend(&challenge), &too_often).await;
        stack.pass(Duration::seconds(1));
        cases.accepted(format!("{nth}: after a minute"), resend(&challenge), 200).await;
    }
    stack.pass(Duration::minutes(2));
    cases.refused("a fourth time", resend(&challenge), &too_often).await;
    let latest = stack.devstack.mailbox.code(ACORN.owner.email).unwrap();
    if latest != first {
        cases.refused("the first code", verify(&challenge, &first), &wrong().counting_a_guess()).await;
    }
    cases.accepted("the latest code", verify(&challenge, &latest), 200).await;
    cases.finish();
}
