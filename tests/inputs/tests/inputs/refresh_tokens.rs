//! Refresh tokens that are almost one: none of them touches a session, least of all somebody else's.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use devstack::seed::{ACORN, BIRCH};
use serde_json::{Value, json};
use shared::api_keys::{Env, PlainKey};
use shared::ids::SessionId;
use shared::rng::SystemRng;
use shared::tokens::refresh_token::{RefreshToken, Salt};

use crate::harness::{Cases, Refusal, Request, Stack, encode};

fn refresh(token: &str) -> Request {
    Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": token}))
}

fn unknown() -> Refusal {
    Refusal::new(401, "invalid_refresh_token")
}

fn bytes(token: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix("rt_").unwrap()).unwrap()
}

fn token(bytes: &[u8]) -> String {
    format!("rt_{}", encode(bytes))
}

/// Session id, generation, salt, MAC: where each ends.
const PARTS: [usize; 4] = [16, 20, 52, 84];

#[tokio::test]
async fn a_token_we_never_made_touches_no_session() {
    let stack = Stack::start().await;
    let session = stack.log_in(ACORN.owner).await;
    let victim = stack.log_in(BIRCH.owner).await;
    let (own, theirs) = (bytes(&session.refresh), bytes(&victim.refresh));
    assert_eq!(own.len(), PARTS[3], "this test knows the form");
    let id = SessionId::new(stack.app().clock.as_ref(), &SystemRng);
    let text = &session.refresh;
    // What one's own token begins with, and what the other's ends with.
    let spliced = |at: usize| token(&[&own[..at], &theirs[at..]].concat());
    let swapped = |from: usize, to: usize| token(&[&own[..from], &theirs[from..to], &own[to..]].concat());
    let with_generation =
        |generation: u32| token(&[&own[..16], &generation.to_be_bytes(), &own[20..]].concat());
    let forged = [
        ("made up", "rt_made-up".to_owned()),
        ("random of the right length", token(&shared::rng::bytes::<84>(&SystemRng))),
        ("zeros", token(&[0; 84])),
        (
            "made with another key",
            RefreshToken::make(&[7; 48], &id, 0, &Salt::random(&SystemRng)).expose().to_owned(),
        ),
        ("made with no key", RefreshToken::make(&[], &id, 0, &Salt::random(&SystemRng)).expose().to_owned()),
        ("the prefix alone", "rt_".to_owned()),
        ("no prefix", text[3..].to_owned()),
        ("a prefix in capitals", text.replacen("rt_", "RT_", 1)),
        ("another prefix", text.replacen("rt_", "at_", 1)),
        ("a prefix twice", format!("rt_{text}")),
        ("a look-alike prefix", text.replacen('t', "\u{442}", 1)),
        ("one character short", text[..text.len() - 1].to_owned()),
        ("one character long", format!("{text}A")),
        ("padding", format!("{text}=")),
        ("a space before", format!(" {text}")),
        ("a space behind", format!("{text} ")),
        ("a line break behind", format!("{text}\n")),
        ("a NUL behind", format!("{text}\0")),
        ("a zero-width space", format!("{}\u{200b}{}", &text[..20], &text[20..])),
        ("another alphabet", text.replace('-', "+").replace('_', "/")),
        ("small letters", text.to_lowercase()),
        ("half of it", text[..text.len() / 2].to_owned()),
        ("two of them", format!("{text}{text}")),
        ("two with a comma", format!("{text},{}", victim.refresh)),
        ("a bearer", format!("Bearer {text}")),
        ("its session alone", token(&own[..16])),
        ("without its MAC", token(&own[..52])),
        ("the other's session, own rest", swapped(0, PARTS[0])),
        ("own session, the other's rest", spliced(PARTS[0])),
        ("the other's salt", swapped(PARTS[1], PARTS[2])),
        ("the other's MAC", spliced(PARTS[2])),
        ("the next generation", with_generation(1)),
        ("a late generation", with_generation(u32::MAX)),
        ("the access token", session.access.clone()),
        ("the access token with our prefix", format!("rt_{}", session.access)),
        ("a well-formed API key", PlainKey::generate(Env::Test, &SystemRng).expose().to_owned()),
        ("the session's id", Value::String(session_id(&own)).as_str().unwrap().to_owned()),
    ];
    let mut cases = Cases::of(&stack);
    for (name, token) in forged {
        stack.devstack.requests.take();
        let answer = cases.refused(name, refresh(&token), &unknown()).await;
        let repeats = token.len() > 12 && answer.body.contains(token.trim());
        cases.judge(name, if repeats { Err("the token is in the answer".to_owned()) } else { Ok(()) });
        let asked: Vec<_> = stack.devstack.requests.take().into_iter().map(|it| it.operation).collect();
        cases.judge(
            name,
            if asked.is_empty() { Ok(()) } else { Err(format!("the table was asked: {asked:?}")) },
        );
    }
    for bit in (0..own.len() * 8).step_by(5) {
        let mut flipped = own.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        cases.refused(format!("bit {bit} flipped"), refresh(&token(&flipped)), &unknown()).await;
    }
    cases.accepted("one's own", refresh(&session.refresh), 200).await;
    cases.accepted("the other's", refresh(&victim.refresh), 200).await;
    cases.finish();
}

fn session_id(token: &[u8]) -> String {
    token[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_refresh_token_opens_no_other_door() {
    let stack = Stack::start().await;
    let session = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let me = Request::get("/api/v1/organizations/me");
    cases.refused("as a bearer", me.clone().bearer(&session.refresh), &Refusal::unauthorized()).await;
    let event =
        crate::harness::gateways::refused_by_all(&stack.app(), &format!("Bearer {}", session.refresh)).await;
    cases.judge("as a bearer, asked directly", event);
    let verify = Request::post("/api/v1/auth/login/2fa/verify")
        .json(&json!({"challenge_id": "ch_1", "code": &session.refresh[..32]}));
    cases.refused("as a code", verify, &Refusal::new(401, "invalid_code")).await;
    for name in ["Cookie", "Authorization"] {
        let request = Request::post("/api/v1/auth/refresh")
            .json(&json!({}))
            .header(name, format!("refresh_token={}", session.refresh));
        cases.refused(format!("in {name}"), request, &Refusal::invalid(&["refresh_token"])).await;
    }
    let query =
        Request::post(&format!("/api/v1/auth/refresh?refresh_token={}", session.refresh)).json(&json!({}));
    cases.refused("in the query", query, &Refusal::invalid(&["refresh_token"])).await;
    let form = Request::post("/api/v1/auth/refresh")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("grant_type=refresh_token&refresh_token={}", session.refresh));
    cases.refused("in a form", form, &Refusal::not_said_json()).await;
    cases
        .refused("with GET", Request::get("/api/v1/auth/refresh"), &Refusal::method_not_allowed("POST"))
        .await;
    cases.accepted("where it belongs", refresh(&session.refresh), 200).await;
    cases.finish();
}

#[tokio::test]
async fn a_session_that_is_over_stays_over() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let left = stack.log_in(ACORN.owner).await;
    cases.accepted("log out", Request::post("/api/v1/auth/logout").bearer(&left.access), 204).await;
    cases.refused("after the logout", refresh(&left.refresh), &unknown()).await;
    let with_key = refresh(&left.refresh).header("Idempotency-Key", "0123456789abcdef");
    cases.refused("after the logout, with a key", with_key, &unknown()).await;

    let old = stack.log_in(ACORN.admin).await;
    cases.forget();
    stack.pass(time::Duration::days(30));
    cases.refused("30 days after the login, its item still there", refresh(&old.refresh), &unknown()).await;
    assert!(!stack.snapshot().await.items("SESSION#").is_empty());
    cases.finish();
}
