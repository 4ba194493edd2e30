//! Sends webhooks: a batch of the queue's messages goes to its receivers, and what was not taken stays in the queue.

use serde_json::Value;
use shared::app::App;
pub use shared::batches::BatchError;
use shared::deliveries;

/// Answers one batch of the queue (`Records`) with the messages that have to come again. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When the batch cannot be read: the queue then brings it again.
pub async fn handle(app: &App, event: Value, invocation: &str) -> Result<Value, BatchError> {
    let records = event.get("Records").and_then(Value::as_array).ok_or(BatchError::UnknownEvent)?;
    deliveries::send(app, records, invocation).await
}
