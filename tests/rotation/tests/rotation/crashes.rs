//! The function dies before, or just after, any of its requests; and is called again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devstack::engines::recorder::{Fault, Recorder};
use rotation::{INTERVAL_DAYS, Place, STEPS, denied, kid};
use serde_json::json;

/// From its `nth` request on nothing goes out; if `carried_out`, that one still does, and its answer is lost.
fn crash_at(requests: &Recorder, nth: usize, carried_out: bool) {
    let count = Arc::new(AtomicUsize::new(0));
    let fault = move || match count.fetch_add(1, Ordering::SeqCst) {
        before if before < nth => None,
        at if at == nth && carried_out => Some(Fault::AnswerLost),
        _ => Some(denied()),
    };
    let same = Arc::new(fault);
    let elsewhere = Arc::clone(&same);
    requests.inject(move |_| same());
    requests.inject_elsewhere(move |_| elsewhere());
}

/// How often a rotation was interrupted: a guard against a test that interrupts none.
async fn interrupted(place: &Place, secret: &str, carried_out: bool) -> usize {
    for nth in 0..100 {
        let before = place.current(secret).await;
        let token = place.begin(secret).await.unwrap();
        crash_at(&place.rotator.requests, nth, carried_out);
        let mut crashed = false;
        for step in STEPS {
            if place.step(secret, step, &token).await.is_err() {
                crashed = true;
                break;
            }
        }
        place.rotator.heal();
        if *secret == place.signing() {
            // Somebody signs in while it stands half done.
            let environment = place.environment();
            let tokens = place.login(&environment).await;
            assert!(environment.accepts(tokens.access_token.expose()).await);
        }
        place.advance(60);
        // Secrets Manager begins again with the first step.
        place.steps(secret, &token).await.unwrap();
        let after = place.current(secret).await;
        if *secret == place.signing() {
            assert_eq!(after["signing"], before["next"], "{nth}");
            assert_eq!(after["refresh"]["previous"], before["refresh"]["key"], "{nth}");
            assert!(place.published().await.contains(&kid(&before["signing"])), "{nth}");
            place.is_sound().await;
        } else {
            assert_eq!((&after["previous"], &after["key"]), (&before["key"], &before["next"]), "{nth}");
        }
        place.advance_days(INTERVAL_DAYS);
        place.call(json!({"clean_up": true})).await.unwrap();
        assert_eq!(place.published().await.len(), 2, "{nth}: nothing is left behind");
        if !crashed {
            return nth;
        }
    }
    100
}

#[tokio::test]
async fn a_signing_rotation_that_crashes_anywhere_is_finished_by_the_next_try() {
    for carried_out in [false, true] {
        let place = Place::rotating().await;
        let crashes = interrupted(&place, &place.signing(), carried_out).await;
        assert!((15..100).contains(&crashes), "{crashes}");
    }
}

#[tokio::test]
async fn a_codes_rotation_that_crashes_anywhere_is_finished_by_the_next_try() {
    for carried_out in [false, true] {
        let place = Place::rotating().await;
        let secret = place.devstack.config.codes_secret.clone();
        place.rotate(&secret).await;
        place.advance_days(INTERVAL_DAYS);
        let crashes = interrupted(&place, &secret, carried_out).await;
        assert!((8..100).contains(&crashes), "{crashes}");
    }
}

#[tokio::test]
async fn a_drill_that_crashes_anywhere_is_finished_by_the_next_try() {
    for carried_out in [false, true] {
        let place = Place::rotating().await;
        for nth in 0..100 {
            let dead = place.current(&place.signing()).await;
            crash_at(&place.rotator.requests, nth, carried_out);
            let crashed = place.kill(&kid(&dead["signing"])).await.is_err();
            place.rotator.heal();
            place.kill(&kid(&dead["signing"])).await.unwrap();
            assert!(!place.published().await.contains(&kid(&dead["signing"])), "{nth}");
            assert_eq!(place.current(&place.signing()).await["signing"], dead["next"], "{nth}");
            place.is_sound().await;
            // It is in no rotation's way.
            place.advance_days(INTERVAL_DAYS);
            place.rotate(&place.signing()).await;
            if !crashed {
                assert!(nth > 6, "{nth}");
                break;
            }
            assert!(nth < 99);
        }
    }
}
