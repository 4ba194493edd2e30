//! Secrets Manager's protocol: what is not done, and what is done again.

use rotate_signing_key::RotationError;
use rotation::{Place, STEPS, kid};
use serde_json::json;

#[tokio::test]
async fn what_is_no_order_of_secrets_manager_is_refused_and_changes_nothing() {
    let place = Place::rotating().await;
    let (signing, codes) = (place.signing(), place.devstack.config.codes_secret.clone());
    let finished = place.begin(&signing).await.unwrap();
    place.steps(&signing, &finished).await.unwrap();
    let token = place.begin(&signing).await.unwrap();
    let before = (place.current(&signing).await, place.ledger().await);
    for secret in [&signing, &codes] {
        let unknown = place.step(secret, "deleteSecret", &token).await.unwrap_err();
        assert!(matches!(unknown, RotationError::UnknownStep), "{unknown:?}");
        for step in STEPS {
            let not_staged = place.step(secret, step, "00000000-0000-4000-8000-000000000000").await;
            let not_staged = not_staged.unwrap_err();
            let expected = if *secret == signing { "not_staged" } else { "rotation_not_enabled" };
            assert_eq!(not_staged.word(), expected);
        }
    }
    for step in &STEPS[1..] {
        let early = place.step(&signing, step, &token).await.unwrap_err();
        assert!(matches!(early, RotationError::NotCreated), "{step} {early:?}");
    }
    for (event, word) in [
        (json!({}), "unknown_event"),
        (json!(null), "unknown_event"),
        (json!({"Step": "createSecret"}), "unknown_event"),
        (json!({"emergency": true}), "unknown_event"),
        (json!({"emergency": "true", "kid": "x"}), "unknown_event"),
        (json!({"Step": "createSecret", "SecretId": codes, "ClientRequestToken": token}), "not_our_secret"),
        (json!({"Step": "createSecret", "SecretId": "", "ClientRequestToken": token}), "not_our_secret"),
    ] {
        assert_eq!(place.call(event.clone()).await.unwrap_err().word(), word, "{event}");
    }
    let order = json!({"Step": "createSecret", "SecretId": signing, "ClientRequestToken": token});
    let other = rotate_key::handle(&place.rotator.app, order, "test").await.unwrap_err();
    assert_eq!(other.word(), "not_our_secret");
    assert_eq!((place.current(&signing).await, place.ledger().await), before);
}

#[tokio::test]
async fn a_secret_that_is_not_rotated_is_left_alone() {
    let place = Place::new().await;
    let secret = place.signing();
    let token = place.begin(&secret).await.unwrap();
    place.secrets().cancel_rotate_secret().secret_id(&secret).send().await.unwrap();
    for step in STEPS {
        let refused = place.step(&secret, step, &token).await.unwrap_err();
        assert!(matches!(refused, RotationError::NotEnabled), "{step} {refused:?}");
    }
}

#[tokio::test]
async fn steps_that_are_done_again_change_nothing() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let token = place.begin(&secret).await.unwrap();
    for step in STEPS {
        place.step(&secret, step, &token).await.unwrap();
        let once = (place.current(&secret).await, place.ledger().await);
        for again in STEPS.iter().take_while(|it| **it != step).chain([&step]) {
            let answer = place.step(&secret, again, &token).await.unwrap();
            assert_eq!(answer["notes"], json!([]), "{again} after {step}");
        }
        assert_eq!((place.current(&secret).await, place.ledger().await), once, "{step}");
    }
    // The token of the rotation before is over for good.
    let later = place.begin(&secret).await.unwrap();
    place.steps(&secret, &later).await.unwrap();
    assert_eq!(place.step(&secret, "finishSecret", &token).await.unwrap_err().word(), "not_staged");
}

#[tokio::test]
async fn a_rotation_that_stood_half_done_for_more_than_a_day_is_given_up() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let before = place.current(&secret).await;
    for done in 1..STEPS.len() {
        let token = place.begin(&secret).await.unwrap();
        for step in &STEPS[..done] {
            place.step(&secret, step, &token).await.unwrap();
        }
        place.advance(86_401);
        let late = place.step(&secret, "finishSecret", &token).await.unwrap_err();
        assert!(matches!(late, RotationError::Stale | RotationError::NotPublished), "{late:?}");
        assert_eq!(place.current(&secret).await, before);
        assert_eq!(place.step(&secret, "finishSecret", &token).await.unwrap_err().word(), "not_staged");
    }
    // The next one is not in its way, and what was published for nothing goes.
    place.rotate(&secret).await;
    assert_eq!(kid(&place.current(&secret).await["signing"]), kid(&before["next"]));
    place.advance_days(1);
    place.call(json!({"clean_up": true})).await.unwrap();
    assert_eq!(place.published().await.len(), 2);
    place.is_sound().await;
}

#[tokio::test]
async fn every_change_is_an_event_without_a_secret_and_so_is_every_refusal() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let before = place.current(&secret).await;
    let logs = devstack::logs::Logs::default();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(logs.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    place.rotate(&secret).await;
    place.step(&secret, "setSecret", "no-such-token").await.unwrap_err();
    drop(guard);
    let after = place.current(&secret).await;
    let text = logs.text();
    let has = |reason: &str, target: &str| {
        let parts =
            [r#""action":"rotate""#, &format!(r#""reason":"{reason}""#), &format!(r#""target":"{target}""#)];
        assert!(
            text.lines().any(|line| parts.iter().all(|it| line.contains(it))),
            "{reason} {target}\n{text}"
        );
    };
    has("promoted", &kid(&after["signing"]));
    has("published", &kid(&after["next"]));
    has("retired", &kid(&before["signing"]));
    has("promoted", "refresh");
    has("not_staged", "signing");
    for value in [&before, &after] {
        for hidden in [&value["signing"]["pkcs8"], &value["next"]["pkcs8"], &value["refresh"]["key"]] {
            assert!(!text.contains(hidden.as_str().unwrap()), "a secret was logged");
        }
    }
}
