//! Finds the keys that expire soon, and writes down that their organizations are to be reminded.

use serde_json::{Value, json};
use shared::app::App;
use shared::reminding::{self, Reminded};
pub use shared::store::StoreError;

/// Why a run was not carried out, or not whole. The next one makes up for it.
#[derive(Debug)]
pub enum ReminderError {
    /// The table cannot be read.
    Unreadable(StoreError),
    /// So many reminders could not be written.
    Unwritten(usize),
}

impl ReminderError {
    /// For Lambda's error message.
    pub fn message(&self) -> String {
        match self {
            Self::Unreadable(error) => error.to_string(),
            Self::Unwritten(failed) => format!("{failed} reminders were not written"),
        }
    }
}

/// Runs once, whatever the event says. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When something is left to be done again.
pub async fn handle(app: &App, _: Value, invocation: &str) -> Result<Value, ReminderError> {
    let Reminded { written, failed } =
        reminding::remind(app, invocation).await.map_err(ReminderError::Unreadable)?;
    match failed {
        0 => Ok(json!({ "written": written })),
        failed => Err(ReminderError::Unwritten(failed)),
    }
}
