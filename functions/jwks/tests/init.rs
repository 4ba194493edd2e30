//! The program as Lambda runs it, in front of a table that is away and comes back.

use std::path::Path;

use devstack::bootstrap::{Bootstrap, Faulty, Init};
use devstack::{Devstack, Options};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_away_is_asked_again_at_the_next_call() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let table = Faulty::refusing(500, "InternalServerError").await.unwrap();
    let mut environment = devstack.environment.clone();
    let at = environment.iter_mut().find(|(name, _)| *name == "AWS_ENDPOINT_URL_DYNAMODB").unwrap();
    let engine = std::mem::replace(&mut at.1, table.endpoint.clone());
    let started = Bootstrap::start(Path::new(env!("CARGO_BIN_EXE_jwks")), &environment).await.unwrap();
    let Init::Started(mut running) = started else { panic!("it did not start") };
    let event: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/events/jwks.json")).unwrap();

    assert_eq!(running.invoke(event.clone()).await.unwrap()["statusCode"], 503);
    table.pass_on_to(&engine);
    assert_eq!(running.invoke(event).await.unwrap()["statusCode"], 200, "in the same process");
}
