//! Webhooks: what an organization can be told of at an address of its own, and how it sees that it was us.
//!
//! Pure: where they may go (`endpoint`, `reach`), what they say (`message`, `subject`), what they are signed with (`secret`), and when they
//! are tried again (`retries`).

mod endpoint;
mod message;
mod reach;
mod retries;
mod secret;
mod subject;

use serde::{Deserialize, Serialize};

pub use endpoint::{Endpoint, MAX_URL_CHARACTERS, NotAnEndpoint};
pub use message::Message;
pub use reach::{Reach, is_public};
pub use retries::{TRIES, pause_after};
pub use secret::{PREVIOUS_SECONDS, SealedSecret, WebhookSecret, signature};
pub use subject::{EventType, Subject, TOLD, Told};

use crate::ids::{EventId, OrgId};

/// How many secrets that were replaced sign along at most.
pub const MOST_PREVIOUS: usize = 3;
/// A test is sent so many seconds after the one before, at the earliest.
pub const TEST_SECONDS: i64 = 60;

/// An organization's webhook, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Whose it is.
    pub org_id: OrgId,
    /// Where it goes.
    pub url: String,
    /// The words of what it is told of. One that this version does not know is a later version's.
    pub events: Vec<String>,
    /// What it is signed with.
    pub secret: SealedSecret,
    /// What signs along for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<PreviousSecret>,
    /// Counts its changes: a change is made to what was read, or not at all.
    pub revision: i64,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Seconds since the epoch.
    pub updated_at: i64,
    /// When a test was last asked for. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_at: Option<i64>,
    /// The latest try that did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailedTry>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// It.
    pub secret: SealedSecret,
    /// From then on it signs nothing. Seconds since the epoch.
    pub until: i64,
}

/// A try that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTry {
    /// Of which event.
    pub event_id: EventId,
    /// What it is about, as its body says.
    #[serde(rename = "type")]
    pub subject: String,
    /// When. Seconds since the epoch.
    pub at: i64,
    /// The fixed word that says why.
    pub reason: String,
    /// The status that it was answered with, if it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The how many-th try it was.
    pub tries: u32,
    /// Whether it was the last.
    pub given_up: bool,
}

impl Webhook {
    /// Whether it wants to be told of this. A test is always wanted.
    pub fn wants(&self, subject: Subject) -> bool {
        match subject {
            Subject::Test => true,
            Subject::Event(it) => self.events.iter().any(|wanted| wanted == it.as_str()),
        }
    }

    /// What it is told of, as far as this version knows it.
    pub fn known_events(&self) -> Vec<EventType> {
        EventType::ALL.into_iter().filter(|it| self.wants(Subject::Event(*it))).collect()
    }

    /// The secrets that were replaced and still sign along.
    pub fn signing_along(&self, now: i64) -> impl Iterator<Item = &PreviousSecret> {
        self.previous.iter().filter(move |it| now < it.until)
    }
}
