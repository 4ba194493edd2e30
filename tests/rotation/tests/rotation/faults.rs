//! Every request of a rotation, of the drill, of the first key and of the cleaning up meets every fault; then it is called again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use defences::faults::{self as kinds, Kind, Span};
use defences::flight::flying;
use devstack::engines::recorder::Recorded;
use rotate_signing_key::RotationError;
use rotation::{Environment, INTERVAL_DAYS, Place, STEPS, kid};
use serde_json::{Value, json};

/// What the function is called for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Signing,
    Codes,
    Drill,
    CleanUp,
}

struct Scene {
    place: Place,
    what: What,
}

impl Scene {
    async fn new(what: What) -> Self {
        let place = Place::rotating().await;
        if what == What::Codes {
            place.rotate(&place.devstack.config.codes_secret).await;
            place.advance_days(INTERVAL_DAYS);
        }
        Self { place, what }
    }

    fn secret(&self) -> String {
        match self.what {
            What::Codes => self.place.devstack.config.codes_secret.clone(),
            _ => self.place.signing(),
        }
    }

    /// Everything that is called, up to the first call that fails. No call takes three seconds.
    async fn run(&self, token: &str, dead: &str) -> Result<(), RotationError> {
        let steps = if matches!(self.what, What::Signing | What::Codes) { STEPS.len() } else { 1 };
        for step in STEPS.into_iter().take(steps) {
            let call = async {
                match self.what {
                    What::Signing | What::Codes => self.place.step(&self.secret(), step, token).await,
                    What::Drill => self.place.kill(dead).await,
                    What::CleanUp => self.place.call(json!({"clean_up": true})).await,
                }
            };
            let (answer, took) = flying(Box::pin(call)).await;
            assert!(took < Duration::from_secs(3), "{:?} {step}: {took:?}", self.what);
            answer?;
        }
        Ok(())
    }

    /// One rotation, cut off as `inject` says and called again; then it has to have ended as one that nothing disturbed.
    async fn meets(&self, inject: impl FnOnce(), what: &str) {
        let place = &self.place;
        let before = place.current(&self.secret()).await;
        let dead = if self.what == What::Codes { String::new() } else { kid(&before["signing"]) };
        let rotates = matches!(self.what, What::Signing | What::Codes);
        let token = if rotates { place.begin(&self.secret()).await.unwrap() } else { String::new() };
        inject();
        let first = self.run(&token, &dead).await;
        place.rotator.heal();
        // Nothing is given up for a fault: the same rotation goes on.
        assert!(matches!(first, Ok(()) | Err(RotationError::Failed(_))), "{what}: {first:?}");
        place.advance(60);
        // One that is over already says so in its own way: nobody calls it again.
        if first.is_err() {
            self.run(&token, &dead).await.unwrap_or_else(|error| panic!("{what}, then again: {error:?}"));
        }
        let after = place.current(&self.secret()).await;
        match self.what {
            What::Signing => {
                assert_eq!(after["signing"], before["next"], "{what}");
                assert_eq!(after["refresh"]["previous"], before["refresh"]["key"], "{what}");
            }
            What::Codes => {
                assert_eq!((&after["previous"], &after["key"]), (&before["key"], &before["next"]), "{what}");
            }
            What::Drill => {
                assert_eq!(after["signing"], before["next"], "{what}");
                assert!(!place.published().await.contains(&dead), "{what}: the dead key is published");
            }
            What::CleanUp => assert_eq!(after, before, "{what}"),
        }
        for signer in ["signing", "next"].into_iter().filter(|_| self.what != What::Codes) {
            assert!(
                place.published().await.contains(&kid(&after[signer])),
                "{what}: {signer} is not published"
            );
        }
        place.advance_days(INTERVAL_DAYS);
        if self.what == What::Drill {
            // The next key has to be public for a day before a drill can promote it soundly.
            place.rotate(&place.signing()).await;
            place.advance_days(INTERVAL_DAYS);
        }
        place.call(json!({"clean_up": true})).await.unwrap();
        assert_eq!(place.published().await.len(), 2, "{what}: something is left behind");
        place.advance(60);
    }
}

async fn survives_everything(what: What) {
    let scene = Box::pin(Scene::new(what)).await;
    let seen: Arc<Mutex<Vec<Recorded>>> = Arc::default();
    let (requests, recording) = (&scene.place.rotator.requests, Arc::clone(&seen));
    let record = move || {
        kinds::numbered(requests, move |_, request| {
            recording.lock().unwrap().push(request.clone());
            None
        });
    };
    Box::pin(scene.meets(record, "nothing")).await;
    let requests = seen.lock().unwrap().clone();
    let mut cases = 0;
    for (nth, request) in requests.iter().enumerate() {
        for (turn, kind) in kinds::ALL.into_iter().filter(|kind: &Kind| kind.fits(request)).enumerate() {
            for (way, span) in [Span::Once, Span::FromThenOn].into_iter().enumerate() {
                // One in six, another one for each request, unless every combination is wanted.
                if !kinds::whole() && (2 * turn + way + nth) % 6 != 0 {
                    continue;
                }
                let inject = || kinds::inject(&scene.place.rotator.requests, nth, kind, span);
                let what = format!("{what:?}, request {nth} ({}), {kind:?} {span:?}", request.operation);
                Box::pin(scene.meets(inject, &what)).await;
                cases += 1;
            }
        }
    }
    assert!(cases >= requests.len() && requests.len() >= 3, "{cases} faults in {} requests", requests.len());
}

#[tokio::test]
async fn a_rotation_of_the_signing_keys_survives_every_fault() {
    survives_everything(What::Signing).await;
}

#[tokio::test]
async fn a_rotation_of_the_codes_survives_every_fault() {
    survives_everything(What::Codes).await;
}

#[tokio::test]
async fn a_drill_survives_every_fault() {
    survives_everything(What::Drill).await;
}

#[tokio::test]
async fn the_cleaning_up_survives_every_fault() {
    survives_everything(What::CleanUp).await;
}

/// As CloudFormation leaves it: a secret without a value, named anew for each case, and a table without a key set.
async fn deployed(place: &Place, case: usize) -> (String, Environment) {
    let secret = format!("fresh/{case}");
    place.devstack.dynamodb.forget("KEYSET", "KEYSET").await.unwrap();
    place.secrets().create_secret().name(&secret).send().await.unwrap();
    let at = place.environment_like(|config| {
        secret.clone_into(&mut config.signing_secret);
        "https://issuer.example".clone_into(&mut config.issuer);
    });
    (secret, at)
}

/// The first key is made, cut off as `inject` says and asked for again. Then somebody can log in, and nobody makes another.
async fn first_meets(place: &Place, case: usize, inject: impl FnOnce(&Environment), what: &str) {
    let (secret, at) = deployed(place, case).await;
    inject(&at);
    let make = || Box::pin(rotate_signing_key::handle(&at.app, json!({"first": true}), "test"));
    let (made, took) = flying(make()).await;
    at.heal();
    assert!(took < Duration::from_secs(3), "{what}: {took:?}");
    assert!(matches!(made, Ok(_) | Err(RotationError::Failed(_))), "{what}: {made:?}");
    if made.is_err() {
        place.advance(60);
        make().await.unwrap_or_else(|error| panic!("{what}, then again: {error:?}"));
    }
    let value = place.current(&secret).await;
    let both = || ["signing", "next"].map(|signer| kid(&value[signer]));
    let published = place.published().await;
    assert!(both().iter().all(|kid| published.contains(kid)), "{what}: {published:?}");
    let tokens = place.login(&at).await;
    assert!(at.accepts(tokens.access_token.expose()).await, "{what}");
    make().await.unwrap();
    assert_eq!(place.current(&secret).await, value, "{what}: a second first key");
    assert_eq!(place.published().await, published, "{what}: published for a second first key");
    // What a try has published that came to nothing is dropped like any key that has retired.
    for days in [0, INTERVAL_DAYS] {
        place.advance_days(days);
        let answer: Value =
            rotate_signing_key::handle(&at.app, json!({"clean_up": true}), "test").await.unwrap();
        assert!(answer["notes"].is_array(), "{answer}");
    }
    assert_eq!(place.published().await.len(), 2, "{what}: something is left behind");
}

#[tokio::test]
async fn the_first_key_survives_every_fault() {
    let place = Box::pin(Place::new()).await;
    let seen: Arc<Mutex<Vec<Recorded>>> = Arc::default();
    let recording = Arc::clone(&seen);
    let record = move |at: &Environment| {
        kinds::numbered(&at.requests, move |_, request| {
            recording.lock().unwrap().push(request.clone());
            None
        });
    };
    Box::pin(first_meets(&place, 0, record, "nothing")).await;
    // Up to the login that follows: the requests of the making alone are met.
    let requests = seen.lock().unwrap().clone();
    assert!(requests.iter().any(|it| it.operation == "TransactWriteItems"), "nothing was published");
    let mut cases = 0;
    for (nth, request) in requests.iter().enumerate() {
        for (turn, kind) in kinds::ALL.into_iter().filter(|kind: &Kind| kind.fits(request)).enumerate() {
            for (way, span) in [Span::Once, Span::FromThenOn].into_iter().enumerate() {
                if !kinds::whole() && (2 * turn + way + nth) % 6 != 0 {
                    continue;
                }
                cases += 1;
                let what = format!("first, request {nth} ({}), {kind:?} {span:?}", request.operation);
                let inject = |at: &Environment| kinds::inject(&at.requests, nth, kind, span);
                Box::pin(first_meets(&place, cases, inject, &what)).await;
            }
        }
    }
    assert!(cases >= requests.len() && requests.len() >= 5, "{cases} faults in {} requests", requests.len());
}
