//! What becomes of a published key is an audit event of the platform's, in the write that publishes it.

use devstack::engines::recorder::Fault;
use rotation::{INTERVAL_DAYS, Place, kid};
use serde_json::{Value, json};

/// The platform's events of rotations: what became of what, oldest first.
async fn events(place: &Place) -> Vec<(String, String)> {
    let all = place.devstack.dynamodb.dump().await.unwrap();
    let mut events: Vec<Value> = all.into_iter().filter(|item| item["action"] == "rotate").collect();
    assert!(events.iter().all(|event| event["pk"] == "AUDIT#platform" && event["actor"] == "rotation"));
    events.sort_by_key(|event| event["sk"].to_string());
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    events.iter().map(|event| (text(event, "reason"), text(event, "target"))).collect()
}

/// Those of them that are not in `before`, in the order of their words.
async fn since(place: &Place, before: &[(String, String)]) -> Vec<(String, String)> {
    let mut new: Vec<_> = events(place).await.into_iter().filter(|event| !before.contains(event)).collect();
    new.sort();
    new
}

fn said(what: &str, which: &str) -> (String, String) {
    (what.to_owned(), which.to_owned())
}

#[tokio::test]
async fn a_rotation_a_drill_and_a_cleaning_up_leave_an_event_for_each_key() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let (before, old) = (events(&place).await, kid(&place.current(&secret).await["signing"]));
    place.rotate(&secret).await;
    let value = place.current(&secret).await;
    let (signs, next) = (kid(&value["signing"]), kid(&value["next"]));
    assert_eq!(since(&place, &before).await, [said("published", &next), said("retired", &old)]);

    let before = events(&place).await;
    place.kill(&signs).await.unwrap();
    let fresh = kid(&place.current(&secret).await["next"]);
    assert_eq!(since(&place, &before).await, [said("killed", &signs), said("published", &fresh)]);
    let before = events(&place).await;
    place.kill(&signs).await.unwrap();
    assert_eq!(events(&place).await, before, "done again, it changes nothing");

    place.advance_days(INTERVAL_DAYS);
    place.call(json!({"clean_up": true})).await.unwrap();
    assert_eq!(since(&place, &before).await, [said("dropped", &old)]);
    let before = events(&place).await;
    place.call(json!({"clean_up": true})).await.unwrap();
    assert_eq!(events(&place).await, before);
}

#[tokio::test]
async fn no_write_of_the_key_set_is_without_its_events() {
    let place = Place::rotating().await;
    place.rotator.requests.take();
    place.rotate(&place.signing()).await;
    let writes: Vec<_> = place.rotator.requests.take().into_iter().filter(|it| !it.is_read()).collect();
    assert!(!writes.is_empty());
    for write in writes {
        let parts = write.body["TransactItems"].as_array().unwrap();
        let keys: Vec<&str> =
            parts.iter().map(|part| part["Put"]["Item"]["pk"]["S"].as_str().unwrap()).collect();
        assert_eq!(keys[0], "KEYSET");
        assert!(keys.len() > 1 && keys[1..].iter().all(|key| *key == "AUDIT#platform"), "{keys:?}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_has_its_events_once() {
    let place = Place::rotating().await;
    let before = events(&place).await;
    place.rotator.requests.inject(|it| (it.operation == "TransactWriteItems").then_some(Fault::AnswerLost));
    let token = place.begin(&place.signing()).await.unwrap();
    assert!(place.steps(&place.signing(), &token).await.is_err());
    place.rotator.heal();
    place.steps(&place.signing(), &token).await.unwrap();
    let words: Vec<String> = since(&place, &before).await.into_iter().map(|(what, _)| what).collect();
    assert_eq!(words, ["published", "retired"]);
    place.is_sound().await;
}
