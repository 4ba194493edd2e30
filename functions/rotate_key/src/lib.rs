//! Rotates the `codes` and `sealing` secrets, for Secrets Manager.

use serde_json::Value;
use shared::app::App;
pub use shared::rotation::RotationError;
use shared::rotation::{self, Order};

/// Answers one order of Secrets Manager: `Step`, `SecretId`, `ClientRequestToken`. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When it was not done; Secrets Manager then tries again.
pub async fn handle(app: &App, event: Value, invocation: &str) -> Result<Value, RotationError> {
    Ok(rotation::rotate_key(app, &Order::read(&event)?, invocation).await?.json())
}
