//! Batches, as Lambda brings them from a stream or a queue: read, and answered with what of them has to come again.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::links::Image;
use crate::queue::QueueError;
use crate::secrets::SecretError;
use crate::store::StoreError;

/// Why a batch, or whatever else came, was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The event is none that is known here.
    #[error("this event is not known here")]
    UnknownEvent,
    /// Nothing is decided; it can be done again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

macro_rules! failed_from {
    ($($error:ty),*) => {$(
        impl From<$error> for BatchError {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}
failed_from!(StoreError, SecretError, QueueError);

impl BatchError {
    /// The fixed word that Lambda's error type and alarms know it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown_event",
            Self::Failed(_) => "service_unavailable",
        }
    }
}

/// The answer that names what has to come again (`ReportBatchItemFailures`).
pub fn again<'a>(failed: impl IntoIterator<Item = &'a str>) -> Value {
    let failed: Vec<Value> = failed.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failed })
}

/// An item that was put into the table, as its stream tells it.
#[derive(Debug)]
pub struct Inserted {
    /// Its record's place in the stream.
    pub sequence: String,
    /// When, to the second.
    pub at: i64,
    /// The item.
    pub image: Image,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    kind: String,
    dynamodb: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    /// Seconds since the epoch.
    approximate_creation_date_time: f64,
    new_image: Option<Image>,
}

/// The item that a record of the table's stream is about, if it is a new one.
///
/// # Errors
/// [`BatchError::UnknownEvent`]: it is no record of a stream.
pub fn inserted(record: &Value) -> Result<Option<Inserted>, BatchError> {
    let Record { kind, dynamodb } = Record::deserialize(record).map_err(|_| BatchError::UnknownEvent)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this age")]
    let at = dynamodb.approximate_creation_date_time as i64;
    let image = dynamodb.new_image.filter(|_| kind == "INSERT");
    Ok(image.map(|image| Inserted { sequence: dynamodb.sequence_number, at, image }))
}
