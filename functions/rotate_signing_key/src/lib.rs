//! Rotates the `signing` secret, for Secrets Manager; and what an operator does to the signing keys by hand.

use serde_json::Value;
use shared::app::App;
pub use shared::rotation::RotationError;
use shared::rotation::{self, Order};

/// Answers one event: an order of Secrets Manager (`Step`, `SecretId`, `ClientRequestToken`), `{"emergency": true, "kid": "…"}`,
/// `{"first": true}` or `{"clean_up": true}`. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When it was not done; Secrets Manager then tries again.
pub async fn handle(app: &App, event: Value, invocation: &str) -> Result<Value, RotationError> {
    let asks_for = |name: &str| event.get(name) == Some(&Value::Bool(true));
    let report = if asks_for("emergency") {
        let kid = event.get("kid").and_then(Value::as_str).ok_or(RotationError::UnknownEvent)?;
        rotation::kill_signing_key(app, kid, invocation).await?
    } else if asks_for("first") {
        rotation::make_first(app, invocation).await?
    } else if asks_for("clean_up") {
        rotation::clean_up(app, invocation).await?
    } else {
        rotation::rotate_signing_key(app, &Order::read(&event)?, invocation).await?
    };
    Ok(report.json())
}
