//! One rotation of the `signing` secret after another.

use rotation::{INTERVAL_DAYS, Place, kid, says};
use shared::rotation::{PUBLIC_BEFORE_SIGNING_SECONDS, RETIRED_SECONDS};

#[tokio::test]
async fn the_published_next_key_signs_and_a_fresh_one_is_published() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let before = place.current(&secret).await;
    let answers = place.rotate(&secret).await;
    let after = place.current(&secret).await;
    assert_eq!(after["signing"], before["next"]);
    let (signs, next, old) = (kid(&after["signing"]), kid(&after["next"]), kid(&before["signing"]));
    assert!(says(&answers, &signs, "promoted") && says(&answers, "refresh", "promoted"), "{answers:?}");
    assert!(says(&answers, &next, "published") && says(&answers, &old, "retired"), "{answers:?}");
    assert_eq!(place.published().await, [old.as_str(), &signs, &next]);
    assert_eq!(after["refresh"]["previous"], before["refresh"]["key"]);
    assert_eq!(after["refresh"]["key"], before["refresh"]["next"]);
    place.is_sound().await;

    // What the public sees of it is what a JWK has, and nothing else (RFC 7517, RFC 7518 section 6.2).
    let app = &place.devstack.app;
    let keyring = app.key_sets.current().await.unwrap();
    for key in serde_json::to_value(&keyring.published).unwrap().as_array().unwrap() {
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    }
}

#[tokio::test]
async fn a_key_that_was_not_public_for_a_day_does_not_sign() {
    let place = Place::new().await;
    let secret = place.signing();
    let made_by_hand = place.current(&secret).await;
    // Nobody noted since when its keys are public.
    let answers = place.rotate(&secret).await;
    assert!(says(&answers, "signing", "next_not_public_long_enough"), "{answers:?}");
    assert!(says(&answers, "refresh", "next_not_known_everywhere"), "{answers:?}");
    place.advance(PUBLIC_BEFORE_SIGNING_SECONDS - 1);
    place.rotate(&secret).await;
    let after = place.current(&secret).await;
    assert_eq!((&after["signing"], &after["next"]), (&made_by_hand["signing"], &made_by_hand["next"]));
    assert_eq!(place.published().await.len(), 2);
    place.advance(1);
    place.rotate(&secret).await;
    assert_eq!(place.current(&secret).await["signing"], made_by_hand["next"]);
    place.is_sound().await;
}

#[tokio::test]
async fn a_refresh_key_moves_on_once_nothing_needs_the_one_before() {
    let place = Place::rotating().await;
    let secret = place.signing();
    place.rotate(&secret).await;
    let moved = place.current(&secret).await;
    // 30 days of refresh tokens, a day for a rotation that stands half done, an hour for the environments, a minute for the clocks.
    let needed = (30 + 1) * 86_400 + 3_600 + 60;
    place.advance(needed - 1);
    let answers = place.rotate(&secret).await;
    assert!(says(&answers, "refresh", "previous_still_needed"), "{answers:?}");
    assert_eq!(place.current(&secret).await["refresh"], moved["refresh"]);
    place.advance(1);
    place.rotate(&secret).await;
    assert_eq!(place.current(&secret).await["refresh"]["previous"], moved["refresh"]["key"]);
    assert!(needed < (INTERVAL_DAYS - 1) * 86_400, "the schedule leaves no time to spare");
}

#[tokio::test]
async fn a_retired_key_is_dropped_by_the_daily_cleaning_up_and_no_earlier() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let old = kid(&place.current(&secret).await["signing"]);
    place.rotate(&secret).await;
    let clean_up = serde_json::json!({"clean_up": true});
    place.advance(RETIRED_SECONDS - 1);
    place.call(clean_up.clone()).await.unwrap();
    assert!(place.published().await.contains(&old));
    place.advance(1);
    let answer = place.call(clean_up.clone()).await.unwrap();
    assert!(says(&[answer], &old, "dropped"));
    assert!(!place.published().await.contains(&old));
    // Again: nothing.
    let revision = place.ledger().await.revision;
    assert_eq!(place.call(clean_up).await.unwrap()["notes"], serde_json::json!([]));
    assert_eq!(place.ledger().await.revision, revision);
    place.is_sound().await;
}

#[tokio::test]
async fn the_keys_of_the_secret_are_published_again_after_the_table_was_restored() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let backup = place.ledger().await.key_set();
    place.rotate(&secret).await;
    place.advance(120);
    place.devstack.app.store.put_key_set(&backup, &devstack::event(&place.devstack.app, "")).await.unwrap();
    place.call(serde_json::json!({"clean_up": true})).await.unwrap();
    place.is_sound().await;
}
