//! Chaining: the audit events that a stream brings become links, and chains of links are verified.

mod extend;
mod verify;

pub use extend::extend;
pub use verify::{Cursor, Finding, Verified, verify};

use crate::failure::Failure;
use crate::secrets::SecretError;
use crate::store::StoreError;

/// Why a call was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The event is none that is known here.
    #[error("this event is not known here")]
    UnknownEvent,
    /// Nothing is decided; it can be done again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

macro_rules! failed_from {
    ($($error:ty),*) => {$(
        impl From<$error> for ChainError {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}
failed_from!(StoreError, SecretError);

impl ChainError {
    /// The fixed word that Lambda's error type and alarms know it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown_event",
            Self::Failed(_) => "service_unavailable",
        }
    }
}
