//! What each call costs the table. A number here that has to grow is a decision, not a detail.
//!
//! Each change has one item more than it is made of, its audit event (`docs/adr/0014-audit-trail.md`), and no call more: starting and
//! ending a session, making and revoking a key, a lockout. What changes nothing, and a refresh, have none.

use defences::{Place, Session, admin, owner};
use devstack::engines::recorder::Recorded;
use reqwest::Method;
use serde_json::{Value, json};
use shared::authz::AuthorizerError;
use time::Duration;

/// Reads, writes, and the items both name.
#[derive(Debug, PartialEq, Eq)]
pub struct Cost {
    reads: usize,
    writes: usize,
    items: usize,
}

/// The cost of what was sent since the last look; every read must be consistent, which the embedded engine would not miss.
pub fn cost(place: &Place) -> Cost {
    let requests: Vec<Recorded> = place.devstack.requests.take();
    for request in requests.iter().filter(|request| request.is_read()) {
        assert!(request.is_consistent(), "{} is not consistent: {}", request.operation, request.body);
    }
    let reads = requests.iter().filter(|request| request.is_read()).count();
    Cost { reads, writes: requests.len() - reads, items: requests.iter().map(Recorded::items).sum() }
}

/// The item that every change writes besides.
pub const EVENT: usize = 1;

pub const fn costs(reads: usize, writes: usize, items: usize) -> Cost {
    Cost { reads, writes, items }
}

fn token_event(credential: &str) -> Value {
    json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {credential}"),
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/organizations/me",
    })
}

async fn create_key(place: &Place, session: &Session) -> Value {
    let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&session.access_token);
    let (status, body) = place.send(request.json(&json!({"key_name": "k", "idempotency_key": "i"}))).await;
    assert_eq!(status, 201, "{body}");
    body["data"].clone()
}

#[tokio::test]
async fn a_login_costs_two_reads_and_two_writes_and_its_second_step_one_and_two() {
    let place = Place::new().await;
    // The first call of an environment also reads the key set; budgets are about the others.
    place.login(admin()).await;
    cost(&place);
    let (challenge_id, code) = place.challenge(owner()).await;
    assert_eq!(cost(&place), costs(2, 2, 2 + 2 + 2 + 1));
    let (status, _) =
        place.post("login/2fa/verify", json!({"challenge_id": challenge_id, "code": code})).await;
    assert_eq!((status, cost(&place)), (200, costs(1, 2, 1 + 2 + 9 + EVENT)));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_cost_the_same() {
    let place = Place::new().await;
    place.post("login", json!({"email": owner().email, "password": "not the password"})).await;
    let wrong = cost(&place);
    place.post("login", json!({"email": "nobody@nowhere.example", "password": "not the password"})).await;
    assert_eq!((&wrong, &cost(&place)), (&costs(1, 1, 2 + 2), &wrong));
}

#[tokio::test]
async fn the_guess_that_locks_costs_a_look_and_an_event_more_known_or_not() {
    let place = Place::new().await;
    let mut locking = Vec::new();
    for email in [owner().email, "nobody@nowhere.example"] {
        let guess = || place.post("login", json!({"email": email, "password": "not the password"}));
        for _ in 0..9 {
            assert_eq!(guess().await.0, 401);
        }
        cost(&place);
        assert_eq!(guess().await.0, 401);
        locking.push(cost(&place));
        assert_eq!(guess().await.0, 429);
        assert_eq!(cost(&place), costs(1, 1, 2 + 2), "whoever is locked out costs as before");
    }
    // The first write finds that this guess may be the last one; the second says that it is.
    assert_eq!(locking, [costs(1, 2, 2 + 2 + 2 + EVENT), costs(1, 2, 2 + 2 + 2 + EVENT)]);
}

#[tokio::test]
async fn a_refresh_costs_one_read_and_one_write_and_theft_one_write_more() {
    let place = Place::new().await;
    let first = place.login(owner()).await;
    cost(&place);
    let body = json!({"refresh_token": first.refresh_token});
    assert_eq!(place.post("refresh", body.clone()).await.0, 200);
    assert_eq!(cost(&place), costs(1, 1, 1 + 3));
    assert_eq!(place.post("refresh", body).await.0, 401);
    assert_eq!(cost(&place), costs(1, 1, 2 + EVENT));
    assert_eq!(place.post("refresh", json!({"refresh_token": "rt_made-up"})).await.0, 401);
    assert_eq!(cost(&place), costs(0, 0, 0), "a token that is not ours costs nothing");
}

/// The origin is looked at in the key set, which is known; the cookie is the body's token in another place.
#[tokio::test]
async fn the_dashboard_costs_what_any_client_costs() {
    let place = Place::new().await;
    place.login(admin()).await;
    let (challenge_id, code) = place.challenge(owner()).await;
    let at_home = |path: &str| {
        let request = place.request(Method::POST, &format!("/api/v1/auth/{path}"));
        request.header("x-syncgram-client", "dashboard").header("origin", &place.devstack.base_url)
    };
    let foreign = at_home("refresh").header("origin", "https://evil.example");
    cost(&place);
    assert_eq!(place.send(foreign).await.0, 403);
    assert_eq!(cost(&place), costs(0, 0, 0));

    let verify = at_home("login/2fa/verify").json(&json!({"challenge_id": challenge_id, "code": code}));
    let answer = verify.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    let access = body["data"]["access_token"].as_str().unwrap();
    assert_eq!(cost(&place), costs(1, 2, 1 + 2 + 9 + EVENT));
    assert_eq!(place.send(at_home("refresh").header("cookie", &cookie)).await.0, 200);
    assert_eq!(cost(&place), costs(1, 1, 1 + 3));
    assert_eq!(place.send(at_home("refresh").header("cookie", "__Host-syncgram_session=rt_x")).await.0, 401);
    assert_eq!(cost(&place), costs(0, 0, 0), "a token that is not ours costs nothing");
    assert_eq!(place.send(at_home("logout").bearer_auth(access)).await.0, 204);
    assert_eq!(cost(&place), costs(0, 1, 1 + EVENT));
}

#[tokio::test]
async fn making_and_revoking_a_key_cost_one_read_and_one_transaction_each() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    cost(&place);
    let key = create_key(&place, &session).await;
    assert_eq!(cost(&place), costs(1, 1, 3 + 8 + EVENT));
    let path = format!("/api/v1/auth/api-keys/{}", key["api_key_id"].as_str().unwrap());
    let revoke = || place.send(place.request(Method::DELETE, &path).bearer_auth(&session.access_token));
    assert_eq!(revoke().await.0, 200);
    assert_eq!(cost(&place), costs(1, 1, 5 + 7 + EVENT));
    assert_eq!(revoke().await.0, 200);
    assert_eq!(cost(&place), costs(1, 0, 5), "revoking again writes nothing");
}

#[tokio::test]
async fn an_authorizer_reads_once_for_a_key_and_never_for_a_token() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let key = create_key(&place, &session).await;
    let key = key["key"].as_str().unwrap();
    let app = place.app();
    cost(&place);

    assert!(authorizer::handle(&app, token_event(&session.access_token), "call").await.is_ok());
    assert_eq!(cost(&place), costs(0, 0, 0));
    assert!(authorizer::handle(&app, token_event(key), "call").await.is_ok());
    assert_eq!(cost(&place), costs(1, 0, 1));

    let mut typo = key.to_owned();
    typo.replace_range(20..21, if &key[20..21] == "a" { "b" } else { "a" });
    for malformed in [typo.as_str(), "sk_live_", "sk_test_short", "rt_nothing", "plain"] {
        let refused = authorizer::handle(&app, token_event(malformed), "call").await;
        assert!(matches!(refused, Err(AuthorizerError::Unauthorized)), "{malformed}");
    }
    assert_eq!(cost(&place), costs(0, 0, 0), "what is malformed costs nothing");
}

#[tokio::test]
async fn the_key_set_is_read_once_a_minute_whatever_tokens_ask_for() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let app = place.app();
    place.devstack.clock.advance(Duration::seconds(60));
    cost(&place);
    let (_, rest) = session.access_token.split_once('.').unwrap();
    for nth in 0..20 {
        use base64::Engine;
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("unknown-{nth}")}).to_string();
        let unknown = format!("{}.{rest}", base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(header));
        assert!(authorizer::handle(&app, token_event(&unknown), "call").await.is_err());
        assert!(authorizer::handle(&app, token_event(&session.access_token), "call").await.is_ok());
    }
    assert_eq!(cost(&place), costs(1, 0, 1));
}

#[tokio::test]
async fn looking_costs_what_is_shown_and_the_organization() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    cost(&place);
    let get = |path| place.send(place.request(Method::GET, path).bearer_auth(&session.access_token));
    assert_eq!(get("/api/v1/organizations/me").await.0, 200);
    assert_eq!(cost(&place), costs(1, 0, 1));
    assert_eq!(get("/api/v1/auth/api-keys").await.0, 200);
    assert_eq!(cost(&place), costs(2, 0, 2));
    let logout = place.request(Method::POST, "/api/v1/auth/logout").bearer_auth(&session.access_token);
    assert_eq!(place.send(logout).await.0, 204);
    assert_eq!(cost(&place), costs(0, 1, 1 + EVENT));
}
