//! The `codes` and `sealing` secrets.

use rotation::{INTERVAL_DAYS, Place, owner, says};
use shared::addresses::EmailAddress;
use shared::allowed_addresses::AllowedAddresses;
use shared::challenges::Code;
use shared::flows::{self, CodeType, KeyRequest};
use shared::sensitive::Sensitive;

/// A day for a rotation that stands half done, an hour for the environments, a minute for the clocks.
const SETTLED: i64 = 86_400 + 3_600 + 60;

#[tokio::test]
async fn a_key_moves_on_once_nothing_needs_the_one_before() {
    let place = Place::new().await;
    let config = place.devstack.config.clone();
    for (secret, name, lifetime) in
        [(&config.codes_secret, "codes", 600), (&config.sealing_secret, "sealing", 86_400)]
    {
        let answers = place.rotate(secret).await;
        assert!(says(&answers, name, "next_not_known_everywhere"), "{answers:?}");
        place.advance(SETTLED);
        let before = place.current(secret).await;
        let answers = place.rotate(secret).await;
        assert!(says(&answers, name, "promoted"), "{answers:?}");
        let after = place.current(secret).await;
        assert_eq!((&after["key"], &after["previous"]), (&before["next"], &before["key"]));
        place.advance(SETTLED + lifetime - 1);
        let answers = place.rotate(secret).await;
        assert!(says(&answers, name, "previous_still_needed"), "{answers:?}");
        place.advance(1);
        assert!(says(&place.rotate(secret).await, name, "promoted"));
    }
}

#[tokio::test]
async fn a_secret_as_the_template_makes_it_gets_a_next_key_first() {
    let place = Place::new().await;
    let secret = place.devstack.config.codes_secret.clone();
    let made = serde_json::json!({"key": "0123456789abcdef".repeat(4)});
    place
        .secrets()
        .put_secret_value()
        .secret_id(&secret)
        .secret_string(made.to_string())
        .send()
        .await
        .unwrap();
    place.rotate(&secret).await;
    let prepared = place.current(&secret).await;
    assert_eq!(prepared["key"], made["key"]);
    place.advance(SETTLED);
    place.rotate(&secret).await;
    assert_eq!(place.current(&secret).await["key"], prepared["next"]);
}

#[tokio::test]
async fn a_code_outlives_the_rotation_of_its_key_in_environments_old_and_new() {
    let place = Place::rotating().await;
    let secret = place.devstack.config.codes_secret.clone();
    place.rotate(&secret).await;
    for round in 0..4 {
        place.advance_days(INTERVAL_DAYS);
        let (old, new) = (place.environment(), place.environment());
        old.app.secrets.codes().await.unwrap();
        old.cut_off_from(&secret);
        assert!(says(&place.rotate(&secret).await, "codes", "promoted"));
        place.advance(3_540 - 590);
        for (mails, judges) in [(&old, &new), (&new, &old)] {
            let address = EmailAddress::parse(owner().email).unwrap();
            let password = Sensitive::new(devstack::seed::PASSWORD.to_owned());
            let origin = rotation::origin();
            let started = flows::login(&mails.app, &origin, &address, &password).await.unwrap();
            let code = Code::typed(&place.devstack.mailbox.code(owner().email).unwrap());
            place.advance(295);
            let id = started.challenge_id.as_str();
            flows::verify(&judges.app, &origin, id, &code, CodeType::Primary, None).await.unwrap_or_else(
                |error| {
                    panic!("round {round}: {error:?}");
                },
            );
        }
    }
}

#[tokio::test]
async fn an_answer_is_given_again_for_a_day_whatever_rotates_in_it() {
    let place = Place::rotating().await;
    let secret = place.devstack.config.sealing_secret.clone();
    place.rotate(&secret).await;
    place.advance_days(INTERVAL_DAYS);
    let old = place.environment();
    let tokens = place.login(&old).await;
    let principal = shared::authz::authenticate(&old.app, tokens.access_token.expose()).await;
    let Ok(shared::principals::Principal::User(user)) = principal else { panic!("{principal:?}") };
    old.app.secrets.sealing().await.unwrap();
    old.cut_off_from(&secret);
    place.rotate(&secret).await;
    // The last answer that is sealed with the key before: by an environment that holds the secret for an hour.
    place.advance(3_599);
    let request = KeyRequest {
        key_name: "k".to_owned(),
        expires_in_days: None,
        env: None,
        allowed_addresses: AllowedAddresses::default(),
        idempotency_key: Some(Sensitive::new("once".to_owned())),
    };
    let origin = rotation::origin();
    let made = flows::create_key(&old.app, &origin, &user, &request).await.unwrap();
    // It lives for a day, in which somebody rotates by hand once an hour.
    for hour in 0..24 {
        place.rotate(&secret).await;
        let again = flows::create_key(&place.environment().app, &origin, &user, &request).await;
        assert_eq!(again.unwrap().key.expose(), made.key.expose(), "{hour}");
        place.advance(3_599);
    }
}
