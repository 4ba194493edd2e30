//! The first value of a secret: made in the account, by the first rotation.

use rotation::{Environment, Place, STEPS, kid};
use serde_json::{Value, json};
use shared::tokens::key_set::KeySet;

const SIGNING: &str = "fresh/signing";
const CODES: &str = "fresh/codes";
const ISSUER: &str = "https://issuer.example";

/// As CloudFormation leaves it: secrets without a value, a table without a key set.
async fn deployed(issuer: &str) -> (Place, Environment) {
    let place = Place::new().await;
    place.devstack.dynamodb.forget("KEYSET", "KEYSET").await.unwrap();
    for name in [SIGNING, CODES] {
        place.secrets().create_secret().name(name).send().await.unwrap();
    }
    let fresh = place.environment_like(|config| {
        SIGNING.clone_into(&mut config.signing_secret);
        CODES.clone_into(&mut config.codes_secret);
        issuer.clone_into(&mut config.issuer);
    });
    (place, fresh)
}

async fn step(at: &Environment, secret: &str, step: &str, token: &str) -> Value {
    let order = json!({"Step": step, "SecretId": secret, "ClientRequestToken": token});
    match secret {
        SIGNING => rotate_signing_key::handle(&at.app, order, "test").await.unwrap(),
        _ => rotate_key::handle(&at.app, order, "test").await.unwrap(),
    }
}

/// The first rotation of both.
async fn rotate(place: &Place, at: &Environment) {
    for secret in [SIGNING, CODES] {
        let token = place.begin(secret).await.unwrap();
        for name in STEPS {
            step(at, secret, name, &token).await;
        }
    }
}

async fn can_log_in(place: &Place, at: &Environment) {
    let tokens = place.login(at).await;
    assert!(at.accepts(tokens.access_token.expose()).await);
}

#[tokio::test]
async fn the_first_rotation_makes_the_first_value_and_publishes_both_keys() {
    let (place, at) = deployed(ISSUER).await;
    rotate(&place, &at).await;
    let value = place.current(SIGNING).await;
    assert_eq!(place.published().await, [kid(&value["signing"]), kid(&value["next"])]);
    assert_eq!(place.ledger().await.issuer, ISSUER);
    can_log_in(&place, &at).await;
}

#[tokio::test]
async fn an_issuer_that_is_named_later_is_waited_for() {
    let (place, at) = deployed("").await;
    rotate(&place, &at).await;
    assert!(at.app.key_sets.current().await.is_err(), "without an issuer nothing is verified");
    assert!(at.app.store.name_issuer(ISSUER, &devstack::event(&at.app, "")).await.unwrap());
    can_log_in(&place, &at).await;
    assert_eq!(place.ledger().await.issuer, ISSUER);
}

#[tokio::test]
async fn an_issuer_that_is_named_first_stays() {
    let (place, at) = deployed("https://another.example").await;
    assert!(at.app.store.name_issuer(ISSUER, &devstack::event(&at.app, "")).await.unwrap());
    rotate(&place, &at).await;
    can_log_in(&place, &at).await;
    assert_eq!(place.ledger().await.issuer, ISSUER);
    assert!(
        at.app.store.name_issuer(ISSUER, &devstack::event(&at.app, "")).await.unwrap(),
        "the same again is no harm"
    );
    assert!(!at.app.store.name_issuer("https://third.example", &devstack::event(&at.app, "")).await.unwrap());
    assert_eq!(place.ledger().await.issuer, ISSUER);
    assert_eq!(place.published().await.len(), 2, "naming it takes no key away");
}

#[tokio::test]
async fn a_first_value_that_becomes_current_by_itself_is_published_all_the_same() {
    let (place, at) = deployed(ISSUER).await;
    let token = place.begin(SIGNING).await.unwrap();
    step(&at, SIGNING, "createSecret", &token).await;
    // Secrets Manager documents this for a secret's first value; whether also for a rotation's, it does not say.
    let call = place.secrets().update_secret_version_stage().secret_id(SIGNING).version_stage("AWSCURRENT");
    call.move_to_version_id(&token).send().await.unwrap();
    for name in &STEPS[1..] {
        step(&at, SIGNING, name, &token).await;
    }
    assert_eq!(place.published().await.len(), 2);
    place.begin(SIGNING).await.unwrap();
}

#[tokio::test]
async fn where_nothing_rotates_the_first_value_is_made_by_hand_and_only_once() {
    let (place, at) = deployed(ISSUER).await;
    let by_hand = || rotate_signing_key::handle(&at.app, json!({"first": true}), "test");
    by_hand().await.unwrap();
    let value = place.current(SIGNING).await;
    assert_eq!(place.published().await, [kid(&value["signing"]), kid(&value["next"])]);
    assert_eq!(by_hand().await.unwrap()["notes"], json!([]));
    assert_eq!(place.current(SIGNING).await, value);
    place.begin(SIGNING).await.unwrap();
}

#[tokio::test]
async fn code_that_keeps_no_history_reads_the_item_and_its_item_is_read() {
    let place = Place::rotating().await;
    place.rotate(&place.signing()).await;
    let item = place.devstack.dynamodb.dump().await.unwrap().into_iter().find(|it| it["pk"] == "KEYSET");
    let item = item.unwrap();
    assert_eq!(item["v"], 1, "a shape of another version would be refused by what runs beside it");
    // What reads access tokens knows the issuer and the keys, as it did before there was a history.
    let set: KeySet = serde_json::from_value(item).unwrap();
    assert_eq!(set.keys.len(), 3);
    // What wrote the item before wrote the issuer and the keys.
    place.devstack.app.store.put_key_set(&set, &devstack::event(&place.devstack.app, "")).await.unwrap();
    place.advance_days(1);
    place.call(json!({"clean_up": true})).await.unwrap();
    place.is_sound().await;
}
