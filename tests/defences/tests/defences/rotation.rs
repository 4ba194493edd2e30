//! Secrets while they rotate and while they are away: execution environments read them at different times.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use defences::{Place, Session, owner, session};
use devstack::engines::recorder::Fault;
use serde_json::{Value, json};
use shared::rng::SystemRng;
use shared::secrets::generate;
use shared::tokens::key_set::KeySet;
use time::Duration;

/// A `signing` secret of its own.
fn signing() -> Value {
    serde_json::from_str(&generate::signing(&SystemRng).unwrap()).unwrap()
}

/// The secret after its refresh key was rotated.
fn rotated(secret: &Value) -> Value {
    let mut after = secret.clone();
    let refresh = &secret["refresh"];
    after["refresh"] =
        json!({"key": refresh["next"], "previous": refresh["key"], "next": "another".repeat(8)});
    after
}

/// From the next reading on, this is what Secrets Manager has.
fn holds(place: &Place, secret: &Value) {
    let text = secret.to_string();
    place.devstack.requests.inject_elsewhere(move |request| {
        let asked = request.body["SecretId"].as_str().is_some_and(|id| id.contains("signing"));
        asked.then(|| Fault::Answer(200, json!({"Name": "signing", "SecretString": text})))
    });
    place.devstack.clock.advance(Duration::minutes(5));
}

async fn publish(place: &Place, secrets: &[&Value]) {
    let keys =
        secrets.iter().flat_map(|secret| generate::public_keys(&secret.to_string()).unwrap()).collect();
    let set = KeySet { issuer: "https://issuer.example".to_owned(), keys };
    place.app().store.put_key_set(&set, &devstack::event(&place.app(), "")).await.unwrap();
    place.devstack.clock.advance(Duration::minutes(1));
}

async fn refresh(place: &Place, from: &Session) -> (u16, Value) {
    place.post("refresh", json!({"refresh_token": from.refresh_token})).await
}

#[tokio::test]
async fn a_refresh_token_goes_between_environments_on_both_sides_of_a_rotation() {
    let place = Place::new().await;
    let before = signing();
    let after = rotated(&before);
    publish(&place, &[&before]).await;
    holds(&place, &before);
    let mut tokens = place.login(owner()).await;
    // One that has seen the rotation, one that has not, and so on.
    for secret in [&after, &before, &after, &after] {
        holds(&place, secret);
        let (status, body) = refresh(&place, &tokens).await;
        assert_eq!(status, 200, "{body}");
        tokens = session(&body);
    }
}

#[tokio::test]
async fn a_withdrawn_signing_key_signs_nothing_and_its_successor_is_found_at_once() {
    let place = Place::new().await;
    let (dead, next) = (signing(), signing());
    let next = json!({"signing": next["signing"], "refresh": dead["refresh"]});
    publish(&place, &[&dead]).await;
    holds(&place, &dead);
    let tokens = place.login(owner()).await;
    publish(&place, &[&next]).await;
    let (status, body) = refresh(&place, &tokens).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(place.items("SESSION#", "").await[0]["generation"], 0);
    // The kept secret is a minute old, far from being read again by itself.
    holds(&place, &next);
    place.devstack.clock.advance(Duration::minutes(-4));
    let (status, body) = refresh(&place, &tokens).await;
    assert_eq!(status, 200, "{body}");
    assert!(place.principal(&session(&body)).await.user_id.as_str().starts_with("usr_"));
}

#[tokio::test]
async fn a_secret_that_is_away_is_asked_for_every_half_minute_and_missed_after_an_hour() {
    let place = Place::new().await;
    let mut tokens = place.login(owner()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    place.devstack.requests.inject_elsewhere(move |request| {
        (request.operation == "GetSecretValue").then(|| {
            count.fetch_add(1, Ordering::SeqCst);
            Fault::Answer(400, json!({"__type": "ResourceNotFoundException", "message": "injected"}))
        })
    });
    for (seconds, readings) in [(299, 0), (1, 1), (29, 1), (1, 2), (10, 2)] {
        place.devstack.clock.advance(Duration::seconds(seconds));
        let (status, body) = refresh(&place, &tokens).await;
        assert_eq!(status, 200, "{body}");
        tokens = session(&body);
        assert_eq!(asked.load(Ordering::SeqCst), readings, "after {seconds} s more");
    }
    place.devstack.clock.advance(Duration::hours(1));
    assert_eq!(refresh(&place, &tokens).await.0, 503);
    place.devstack.requests.heal();
    assert_eq!(refresh(&place, &tokens).await.0, 200);
}

#[tokio::test]
async fn a_mail_is_sent_once_even_when_its_answer_is_lost() {
    let place = Place::new().await;
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    place.devstack.requests.inject_elsewhere(move |request| {
        (request.operation == "SendEmail").then(|| {
            count.fetch_add(1, Ordering::SeqCst);
            Fault::AnswerLost
        })
    });
    let body = json!({"email": owner().email, "password": devstack::seed::PASSWORD});
    assert_eq!(place.post("login", body).await.0, 503);
    assert_eq!(sent.load(Ordering::SeqCst), 1);
}
