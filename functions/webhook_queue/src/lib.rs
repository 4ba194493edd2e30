//! Queues webhooks: the audit events that the table's stream brings become messages for those organizations that want to be told.

use serde_json::Value;
use shared::app::App;
pub use shared::batches::BatchError;
use shared::deliveries;

/// Answers one batch of the stream (`Records`) with the records that have to come again. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When nothing of it was queued: the stream then brings it again.
pub async fn handle(app: &App, event: Value, invocation: &str) -> Result<Value, BatchError> {
    let records = event.get("Records").and_then(Value::as_array).ok_or(BatchError::UnknownEvent)?;
    deliveries::gather(app, records, invocation).await
}
