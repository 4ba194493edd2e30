//! Deliveries: audit events that a stream brings become webhooks in a queue, and those go to their receivers.

mod gather;
mod send;

pub use gather::gather;
pub use send::send;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::queue::QueueError;
use crate::secrets::SecretError;
use crate::store::StoreError;

/// Why a call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The event is none that is known here.
    #[error("this event is not known here")]
    UnknownEvent,
    /// Nothing is decided; it can be done again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

macro_rules! failed_from {
    ($($error:ty),*) => {$(
        impl From<$error> for DeliveryError {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}
failed_from!(StoreError, SecretError, QueueError);

impl DeliveryError {
    /// The fixed word that Lambda's error type and alarms know it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown_event",
            Self::Failed(_) => "service_unavailable",
        }
    }
}

/// The answer that names what has to come again (`ReportBatchItemFailures`).
fn again(failed: &[&str]) -> Value {
    let failed: Vec<Value> = failed.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failed })
}
