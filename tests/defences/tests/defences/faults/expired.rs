//! F14: DynamoDB deletes what has expired within days. Until then it counts as gone everywhere, in conditions too.

use defences::environment::{Environment, Outcome};
use serde_json::json;
use time::Duration;

use super::flows::Flow;
use super::stage::Stage;

async fn status(stage: &Stage, at: &Environment, flow: Flow) -> u16 {
    flow.run(stage, at).await.status
}

#[tokio::test]
async fn a_challenge_that_has_expired_takes_no_code_and_sends_none() {
    let stage = Box::pin(Stage::new()).await;
    for flow in [Flow::Verify, Flow::Resend] {
        // It was made 61 seconds ago.
        for (seconds, right) in [(10 * 60 - 62, flow.usual()), (10 * 60 - 61, 401), (86_400, 401)] {
            stage.begin(flow).await;
            let at = stage.place.environment_later(Duration::seconds(seconds));
            assert_eq!(status(&stage, &at, flow).await, right, "{flow:?} after {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_session_that_has_expired_does_nothing() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.place.environment_later(Duration::days(30));
    for flow in [
        Flow::Refresh,
        Flow::RefreshWithKey,
        Flow::Theft,
        Flow::CreateKey,
        Flow::CreateKeyWithKey,
        Flow::RevokeKey,
        Flow::SwitchEnvironment,
    ] {
        assert_eq!(status(&stage, &at, flow).await, 401, "{flow:?}");
    }
    assert_eq!(stage.table().await, stage.before);
}

async fn create(stage: &Stage, at: &Environment, body: serde_json::Value) -> Outcome {
    let mut call = Flow::CreateKey.http(stage).unwrap();
    call.body = body;
    at.http(&call).await
}

#[tokio::test]
async fn a_key_that_has_expired_lets_nobody_in_and_holds_back_no_other() {
    let stage = Box::pin(Stage::new()).await;
    let first =
        create(&stage, &stage.place.environment(), json!({"key_name": "k", "expires_in_days": 1})).await;
    let key = first.body["data"]["key"].as_str().unwrap();
    let before = stage.place.environment_later(Duration::seconds(86_399));
    assert_eq!(before.authorize(key).await.status, 200);
    assert_eq!(create(&stage, &before, json!({"key_name": "k"})).await.status, 409);
    let after = stage.place.environment_later(Duration::days(1));
    assert_eq!(after.authorize(key).await.status, 401);
    assert_eq!(create(&stage, &after, json!({"key_name": "k"})).await.status, 201);
}

#[tokio::test]
async fn a_kept_answer_a_rate_and_a_guard_that_have_expired_are_as_none() {
    let stage = Box::pin(Stage::new()).await;
    let body = || json!({"key_name": "k", "idempotency_key": "i", "expires_in_days": 1});
    let first = create(&stage, &stage.place.environment(), body()).await;
    let last = stage.place.environment_later(Duration::seconds(86_399));
    assert_eq!(create(&stage, &last, body()).await.body["data"], first.body["data"], "the same answer");
    let next_day = stage.place.environment_later(Duration::days(1));
    let second = create(&stage, &next_day, body()).await;
    assert_eq!(second.status, 201, "{}", second.body);
    assert_ne!(second.body["data"]["key"], first.body["data"]["key"], "another key");

    let at = stage.begin(Flow::WrongPassword).await;
    for _ in 0..9 {
        status(&stage, &at, Flow::WrongPassword).await;
    }
    assert_eq!(status(&stage, &at, Flow::Login).await, 429);
    let later = stage.place.environment_later(Duration::minutes(15));
    assert_eq!(status(&stage, &later, Flow::Login).await, 200);
}
