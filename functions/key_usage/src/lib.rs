//! Notes when API keys were used last: what the authorizer's log lines say, which CloudWatch Logs brings. docs/adr/0028-last-use-and-leaks.md

use serde_json::{Value, json};
use shared::app::App;
use shared::failure::Failure;
use shared::flows;
use shared::usage::{self, NotABatch};

/// Why a batch was not noted whole.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// It is none.
    #[error(transparent)]
    NotABatch(#[from] NotABatch),
    /// The table did not take all of it.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl UsageError {
    /// The fixed word that Lambda's error type knows it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotABatch(_) => "not_a_batch",
            Self::Failed(_) => "service_unavailable",
        }
    }
}

/// Answers one event, a batch of log lines: with how many keys' records are newer for it. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When it is no batch, or was not noted whole: Lambda brings it again, and what was noted stays so.
pub async fn handle(app: &App, event: &Value, invocation: &str) -> Result<Value, UsageError> {
    let usage = usage::read(event)?;
    let noted = flows::note_usage(app, invocation, &usage).await?;
    Ok(json!({ "noted": noted }))
}
