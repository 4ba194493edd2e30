//! The program as Lambda runs it, told nothing: no table, no secret, no address of anything.

use std::path::Path;

use devstack::bootstrap::{Bootstrap, Init};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_with_nothing_and_answers_behind_any_stage() {
    let started = Bootstrap::start(Path::new(env!("CARGO_BIN_EXE_dashboard")), &[]).await.unwrap();
    let Init::Started(mut running) = started else { panic!("it did not start") };
    let event: Value = serde_json::from_str(include_str!("../../../tests/events/dashboard.json")).unwrap();
    assert_eq!(event["requestContext"]["path"], "/prod/dashboard");
    let answer = running.invoke(event.clone()).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["isBase64Encoded"], false, "the gateway passes text on");
    assert!(answer["body"].as_str().unwrap().contains("\"dashboard/"), "relative, whatever stands in front");

    let mut slash = event;
    slash["requestContext"]["path"] = "/prod/dashboard/".into();
    let answer = running.invoke(slash).await.unwrap();
    assert_eq!(answer["statusCode"], 308);
    let headers = answer["multiValueHeaders"]["location"].as_array().cloned().unwrap_or_default();
    assert!(headers == ["../dashboard"] || answer["headers"]["location"] == "../dashboard", "{answer}");
}
