//! F11 and F12: Secrets Manager is away, or gives what cannot be read.

use defences::environment::Environment;
use defences::flight::flying;
use devstack::engines::recorder::Fault;
use serde_json::json;
use time::Duration;

use super::flows::Flow;
use super::stage::Stage;

/// The flows that need a secret.
const NEEDY: [Flow; 4] = [Flow::Verify, Flow::Refresh, Flow::Login, Flow::CreateKeyWithKey];

/// From now on, this happens to Secrets Manager's requests.
fn secrets_meet(at: &Environment, fault: Fault) {
    at.requests.inject_elsewhere(move |it| (it.operation == "GetSecretValue").then(|| fault.clone()));
}

/// An environment that has read every secret, so long ago that it looks again.
async fn warm(stage: &Stage, flow: Flow) -> Environment {
    let at = stage.begin(flow).await;
    for which in [flow, Flow::CreateKeyWithKey] {
        which.run(stage, &at).await;
    }
    stage.begin(flow).await;
    let secrets = &at.app.secrets;
    assert!(
        secrets.signing().await.is_ok() && secrets.codes().await.is_ok() && secrets.sealing().await.is_ok()
    );
    at
}

#[tokio::test]
async fn without_secrets_a_cold_environment_answers_503_and_a_warm_one_goes_on_for_an_hour() {
    for flow in NEEDY {
        let stage = Box::pin(Stage::new()).await;
        let at = warm(&stage, flow).await;
        stage.place.devstack.clock.advance(Duration::minutes(5));
        // A black hole is the worst: there has to be time left for the table.
        secrets_meet(&at, Fault::Silence);
        let (outcome, took) = flying(flow.run(&stage, &at)).await;
        assert_eq!(outcome.status, flow.usual(), "{flow:?}: {}", outcome.body);
        assert!(took.as_millis() < 3_000, "{flow:?}: {took:?}");

        let cold = stage.begin(flow).await;
        secrets_meet(&cold, Fault::Silence);
        let (outcome, took) = flying(flow.run(&stage, &cold)).await;
        assert_eq!(outcome.status, 503, "{flow:?}: {}", outcome.body);
        assert!(took.as_millis() < 3_000 && outcome.retry_after.is_some(), "{flow:?}: {took:?}");
    }
    let stage = Box::pin(Stage::new()).await;
    let at = warm(&stage, Flow::Refresh).await;
    stage.place.devstack.clock.advance(Duration::hours(1));
    secrets_meet(&at, Fault::Silence);
    assert_eq!(
        flying(Flow::Refresh.run(&stage, &at)).await.0.status,
        503,
        "nothing is signed with an old key"
    );
    assert_eq!(stage.table().await, stage.before);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_replaces_none_that_can_and_signs_nothing() {
    let broken = [
        json!({"Name": "s"}),
        json!({"Name": "s", "SecretString": ""}),
        json!({"Name": "s", "SecretString": "{\"signing\":{\"kid\":\"a\",\"pkcs8\":\"\"}}"}),
        json!({"Name": "s", "SecretString": "{\"key\":\"short\"}"}),
        json!({"Name": "s", "SecretString": "{\"sign"}),
    ];
    for flow in NEEDY {
        let stage = Box::pin(Stage::new()).await;
        let at = warm(&stage, flow).await;
        stage.place.devstack.clock.advance(Duration::minutes(5));
        for value in &broken {
            secrets_meet(&at, Fault::Answer(200, value.clone()));
            stage.place.devstack.clock.advance(Duration::seconds(31));
            stage.place.devstack.dynamodb.restore(&stage.photograph).await.unwrap();
            let outcome = flying(flow.run(&stage, &at)).await.0;
            assert_eq!(outcome.status, flow.usual(), "{flow:?} {value}: {}", outcome.body);
            let cold = stage.begin(flow).await;
            secrets_meet(&cold, Fault::Answer(200, value.clone()));
            assert_eq!(flying(flow.run(&stage, &cold)).await.0.status, 503, "{flow:?} {value}");
        }
    }
}
