//! The `rotate_signing_key` function.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use rotate_signing_key::RotationError;
use serde_json::Value;
use shared::init::{SIGNING, Uses, start};
use shared::panics::caught;
use shared::task::in_a_task;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    in_a_task(async {
        let app =
            start(Uses { key_set: true, secrets: const { &[SIGNING.rotated()] }, ..Uses::default() }).await?;
        let app = &app;
        run(caught(service_fn(|event: LambdaEvent<Value>| async move {
            let LambdaEvent { payload, context } = event;
            rotate_signing_key::handle(app, payload, &context.request_id).await.map_err(
                |error: RotationError| Diagnostic {
                    error_type: error.word().to_owned(),
                    error_message: error.to_string(),
                },
            )
        })))
        .await
    })
    .await
}
