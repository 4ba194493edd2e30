//! The `key_expiry` function.

use key_expiry::ReminderError;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use shared::init::{Uses, start};
use shared::panics::caught;
use shared::task::in_a_task;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    in_a_task(async {
        let app = start(Uses { key_set: false, ..Uses::default() }).await?;
        let app = &app;
        run(caught(service_fn(|event: LambdaEvent<Value>| async move {
            let LambdaEvent { payload, context } = event;
            key_expiry::handle(app, payload, &context.request_id).await.map_err(|error: ReminderError| {
                Diagnostic { error_type: "service_unavailable".to_owned(), error_message: error.message() }
            })
        })))
        .await
    })
    .await
}
