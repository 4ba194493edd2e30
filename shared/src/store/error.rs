//! What can go wrong with the table, by kind.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::causes::{Cause, Incurable};
use crate::deadline::OutOfTime;

/// Which kind of wrong. A condition that fails where it is a normal answer is no error: the methods say what it meant.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition failed that only a mistake of ours lets fail.
    #[error("a condition failed that should have held: {0}")]
    ConditionFailed(&'static str),
    /// DynamoDB refused for now: too many requests.
    #[error("the table is busy")]
    Throttled(#[source] Option<Cause>),
    /// Somebody else is writing the same items, and went on doing so at every try.
    #[error("somebody else is writing the same items")]
    Contended(#[source] Option<Cause>),
    /// An item is not what this version reads. What the deserializer said is not kept: it quotes what it found.
    #[error("the item {item} cannot be read: {trouble}")]
    Corrupt {
        /// The item's partition-key prefix: no id, no hash.
        item: String,
        /// What is wrong with it, in fixed words.
        trouble: &'static str,
    },
    /// The table is not there, or is not ours to use.
    #[error("the table {trouble}")]
    Refused {
        /// What is wrong.
        trouble: Incurable,
        /// What DynamoDB said.
        #[source]
        cause: Cause,
    },
    /// The call has no time left for the table. What was under way may have been written.
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
    /// Everything else: no connection, a time-out.
    #[error("the table cannot be reached")]
    Sdk(#[source] Cause),
}

impl StoreError {
    /// What is wrong for good, if that is what it says.
    pub fn incurable(&self) -> Option<Incurable> {
        match self {
            Self::Refused { trouble, .. } => Some(*trouble),
            _ => None,
        }
    }

    /// Sorts an SDK error by its type: throttling, other writers and what is wrong for good apart from the rest.
    pub(super) fn from_sdk<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        // The codes DynamoDB's API documents for refusing for now; several are not modelled for every operation.
        const BUSY: [&str; 4] = [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "TransactionInProgressException",
        ];
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        if let Some(trouble) = Incurable::of(code) {
            return Self::Refused { trouble, cause: Cause::of(&error) };
        }
        match code {
            Some("TransactionConflictException") => Self::Contended(Some(Cause::of(&error))),
            Some(code) if BUSY.contains(&code) => Self::Throttled(Some(Cause::of(&error))),
            _ => Self::Sdk(Cause::of(&error)),
        }
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for StoreError {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Sdk(Cause::of(&error))
    }
}
