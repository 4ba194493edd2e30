//! The `operator` function.

use std::convert::Infallible;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use shared::init::{Uses, start};
use shared::panics::caught;
use shared::task::in_a_task;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    in_a_task(async {
        let app = start(Uses { key_set: true, ..Uses::default() }).await?;
        let app = &app;
        run(caught(service_fn(|event: LambdaEvent<Value>| async move {
            let LambdaEvent { payload, context } = event;
            Ok::<_, Infallible>(operator::handle(app, payload, &context.request_id).await)
        })))
        .await
    })
    .await
}
