//! Remembered verifications: a token seen before costs no second signature check, and is refused exactly when a fresh check refuses it.

use std::sync::Arc;

use defences::{Place, owner};
use devstack::event;
use serde_json::{Value, json};
use shared::app::App;
use shared::authz::AuthorizerError;
use shared::key_sets::MAX_AGE_SECONDS;
use shared::tokens::access_token::{Authentic, Claims, LIFETIME_SECONDS, TokenError, verify};
use shared::tokens::key_set::{KeySet, Keyring};
use shared::tokens::remembered::{CAPACITY, Remembered};
use time::Duration;

async fn ask(app: &App, token: &str) -> Result<Value, AuthorizerError> {
    let event = json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {token}"),
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/organizations/me",
    });
    authorizer::handle(app, event, "call").await
}

async fn key_set(place: &Place) -> KeySet {
    place.devstack.app.store.key_set().await.unwrap().unwrap()
}

async fn publish(place: &Place, set: &KeySet) {
    let app = &place.devstack.app;
    app.store.put_key_set(set, &event(app, "")).await.unwrap();
}

/// Tokens of one session, signed as `verify` signs them: like the first one, but for their ids.
struct Tokens {
    place: Place,
    keyring: Keyring,
    claims: Claims,
    now: i64,
}

impl Tokens {
    async fn new() -> Self {
        let place = Place::new().await;
        let app = &place.devstack.app;
        let token = place.login(owner()).await.access_token;
        let keyring = Keyring::new(key_set(&place).await).unwrap();
        let now = app.clock.now_seconds();
        let claims = verify(&token, &keyring, &app.audience, now).unwrap();
        Self { keyring, claims, now, place }
    }

    async fn sign(&self, nth: usize) -> String {
        let claims = Claims { jti: format!("{}{nth}", self.claims.jti), ..self.claims.clone() };
        self.place.devstack.app.secrets.signing().await.unwrap().signer.sign(&claims).unwrap()
    }

    fn see(&self, memory: &Remembered, token: &str, after: i64) -> Result<Arc<Authentic>, TokenError> {
        memory.verify(token, &self.keyring, &self.claims.aud, self.now + after)
    }
}

#[tokio::test]
async fn a_token_seen_before_is_answered_from_memory_and_any_other_is_not() {
    let (tokens, memory) = (Tokens::new().await, Remembered::default());
    let (one, other) = (tokens.sign(1).await, tokens.sign(2).await);
    let first = tokens.see(&memory, &one, 0).unwrap();
    assert!(Arc::ptr_eq(&first, &tokens.see(&memory, &one, LIFETIME_SECONDS - 1).unwrap()));
    let second = tokens.see(&memory, &other, 0).unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert_eq!(
        (&first.claims.jti, &second.claims.jti),
        (&format!("{}1", tokens.claims.jti), &format!("{}2", tokens.claims.jti))
    );
}

#[tokio::test]
async fn what_changes_between_two_calls_is_looked_at_every_time() {
    let (tokens, memory) = (Tokens::new().await, Remembered::default());
    let token = tokens.sign(1).await;
    assert!(tokens.see(&memory, &token, 0).is_ok());
    assert_eq!(tokens.see(&memory, &token, LIFETIME_SECONDS).err(), Some(TokenError::Expired));
    // A clock that was set back: the token is from the future.
    assert_eq!(tokens.see(&memory, &token, -120).err(), Some(TokenError::ImplausibleTimes));
    let (keyring, aud) = (&tokens.keyring, tokens.claims.aud.as_str());
    assert_eq!(
        memory.verify(&token, keyring, "another-api", tokens.now).err(),
        Some(TokenError::WrongAudience)
    );
    let published = KeySet { issuer: keyring.issuer.clone(), keys: keyring.published.clone() };
    let moved = Keyring::new(KeySet { issuer: "https://elsewhere.example".to_owned(), ..published }).unwrap();
    assert_eq!(memory.verify(&token, &moved, aud, tokens.now).err(), Some(TokenError::WrongIssuer));
    // None of these refusals made it forget, or remember, anything else.
    assert!(tokens.see(&memory, &token, 0).is_ok());
}

#[tokio::test]
async fn a_refused_token_is_not_remembered() {
    let (tokens, memory) = (Tokens::new().await, Remembered::default());
    let token = tokens.sign(1).await;
    assert_eq!(tokens.see(&memory, &token, -120).err(), Some(TokenError::ImplausibleTimes));
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    for _ in 0..2 {
        assert_eq!(tokens.see(&memory, &forged, 0).err(), Some(TokenError::BadSignature));
    }
    assert!(tokens.see(&memory, &token, 0).is_ok());
    assert_eq!(tokens.see(&memory, &forged, 0).err(), Some(TokenError::BadSignature));
}

#[tokio::test]
async fn memory_is_bounded_and_what_expired_leaves_first() {
    let (tokens, memory) = (Tokens::new().await, Remembered::default());
    let first = tokens.sign(0).await;
    let seen = tokens.see(&memory, &first, 0).unwrap();
    for nth in 1..CAPACITY {
        tokens.see(&memory, &tokens.sign(nth).await, 0).unwrap();
    }
    assert!(
        Arc::ptr_eq(&seen, &tokens.see(&memory, &first, 0).unwrap()),
        "there is room for as many as it says"
    );
    tokens.see(&memory, &tokens.sign(CAPACITY).await, 0).unwrap();
    assert_eq!(Arc::strong_count(&seen), 1, "the oldest makes room for one more");

    let memory = Remembered::default();
    let seen = tokens.see(&memory, &first, 0).unwrap();
    let claims =
        Claims { iat: tokens.now + 60, exp: tokens.now + 60 + LIFETIME_SECONDS, ..tokens.claims.clone() };
    let later = tokens.place.devstack.app.secrets.signing().await.unwrap().signer.sign(&claims).unwrap();
    tokens.see(&memory, &later, LIFETIME_SECONDS).unwrap();
    assert_eq!(Arc::strong_count(&seen), 1, "an expired one leaves when the next one comes");
}

#[tokio::test]
async fn a_killed_key_is_refused_within_the_key_sets_age_whatever_was_seen_before() {
    let (place, stranger) = (Place::new().await, Place::new().await);
    let app = &place.devstack.app;
    let token = place.login(owner()).await.access_token;
    assert!(ask(app, &token).await.is_ok());
    let (published, other) = (key_set(&place).await, key_set(&stranger).await);
    assert_ne!(published.keys, other.keys);

    // The key is withdrawn.
    publish(&place, &KeySet { keys: other.keys.clone(), ..published.clone() }).await;
    place.devstack.clock.advance(Duration::seconds(MAX_AGE_SECONDS));
    assert!(matches!(ask(app, &token).await, Err(AuthorizerError::Unauthorized)));

    // It is published again: nothing forgot it for good.
    publish(&place, &published).await;
    place.devstack.clock.advance(Duration::seconds(MAX_AGE_SECONDS));
    assert!(ask(app, &token).await.is_ok());

    // Another key took its name.
    let mut namesake = other.keys;
    namesake[0].kid.clone_from(&published.keys[0].kid);
    namesake.truncate(1);
    publish(&place, &KeySet { keys: namesake, ..published }).await;
    place.devstack.clock.advance(Duration::seconds(MAX_AGE_SECONDS));
    assert!(matches!(ask(app, &token).await, Err(AuthorizerError::Unauthorized)));
}
