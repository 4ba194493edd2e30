//! Two at once: of one rotation, of a rotation and a drill, of two drills.

use futures::future::join_all;
use rotate_signing_key::RotationError;
use rotation::{INTERVAL_DAYS, Place, STEPS, kid};
use serde_json::json;

#[tokio::test]
async fn each_step_done_by_several_at_once_is_done_once() {
    let place = Place::rotating().await;
    let secret = place.signing();
    for _ in 0..10 {
        let before = place.current(&secret).await;
        let token = place.begin(&secret).await.unwrap();
        for step in STEPS {
            let all = join_all((0..8).map(|_| place.step(&secret, step, &token))).await;
            for one in all {
                // Some come too late: it was finished in the meantime.
                let done = matches!(&one, Ok(_) | Err(RotationError::Stale | RotationError::NotStaged));
                assert!(done || matches!(&one, Err(RotationError::Failed(_))), "{step} {one:?}");
            }
        }
        // Whatever was not finished is, by Secrets Manager's next try.
        let _ = place.step(&secret, "finishSecret", &token).await;
        let after = place.current(&secret).await;
        assert_eq!(after["signing"], before["next"]);
        place.is_sound().await;
        place.advance_days(INTERVAL_DAYS);
        place.call(json!({"clean_up": true})).await.unwrap();
        assert_eq!(place.published().await.len(), 2);
    }
}

#[tokio::test]
async fn a_second_rotation_does_not_begin_before_the_first_has_ended() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let token = place.begin(&secret).await.unwrap();
    place.step(&secret, "createSecret", &token).await.unwrap();
    place.begin(&secret).await.unwrap_err();
    place.steps(&secret, &token).await.unwrap();
    place.begin(&secret).await.unwrap();
}

#[tokio::test]
async fn a_drill_between_any_two_steps_of_a_rotation_wins() {
    for killed in ["signing", "next"] {
        for done in 0..=STEPS.len() {
            let place = Place::rotating().await;
            let secret = place.signing();
            let before = place.current(&secret).await;
            let dead = kid(&before[killed]);
            let token = place.begin(&secret).await.unwrap();
            for step in &STEPS[..done] {
                place.step(&secret, step, &token).await.unwrap();
            }
            place.kill(&dead).await.unwrap();
            for step in STEPS {
                // The rotation may go on to its end, or be over; the dead key comes back by neither.
                let _ = place.step(&secret, step, &token).await;
            }
            let after = place.current(&secret).await;
            assert!(kid(&after["signing"]) != dead && kid(&after["next"]) != dead, "{killed} {done}");
            assert!(!place.published().await.contains(&dead), "{killed} {done}");
            place.advance(60);
            assert!(!place.environment().accepts(&place.forge(&before[killed]).await).await);
            place.is_sound().await;
            place.advance_days(INTERVAL_DAYS);
            place.rotate(&secret).await;
            place.is_sound().await;
        }
    }
}

#[tokio::test]
async fn a_drill_and_a_rotation_at_the_same_time_leave_no_dead_key() {
    let place = Place::rotating().await;
    let secret = place.signing();
    for round in 0..12 {
        let before = place.current(&secret).await;
        let dead = kid(&before[["signing", "next"][round % 2]]);
        let token = place.begin(&secret).await.unwrap();
        for step in &STEPS[..round % 4] {
            place.step(&secret, step, &token).await.unwrap();
        }
        let (_, drills) =
            futures::join!(place.steps(&secret, &token), join_all((0..2).map(|_| place.kill(&dead))));
        // One that met the others too often is called again, as an operator does.
        for drill in drills {
            assert!(matches!(&drill, Ok(_) | Err(RotationError::Failed(_))), "{drill:?}");
        }
        place.kill(&dead).await.unwrap();
        let after = place.current(&secret).await;
        assert!(kid(&after["signing"]) != dead && kid(&after["next"]) != dead, "{round}");
        assert!(!place.published().await.contains(&dead), "{round}");
        let _ = place.steps(&secret, &token).await;
        place.is_sound().await;
        place.advance_days(INTERVAL_DAYS);
        place.rotate(&secret).await;
        place.advance_days(INTERVAL_DAYS);
    }
}
