//! The audit trail: who did what to which organization, and why not.
//!
//! A [`Deed`] is what is known of it. Each attempt writes one structured line of its deed, with its outcome; what was changed writes an
//! [`Event`] of the same deed, an item in the transaction of the change (`docs/adr/0014-audit-trail.md`).
//!
//! A deed has no field that could hold a secret: ids, hashes and fixed words only. Metrics are counted from its line
//! (`config/logs.rs`), by what was tried and what came of it: those are words of this program, by their type.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::clock::Clock;
use crate::crypto;
use crate::ids::{EventId, InvalidId, OrgId};
use crate::rng::Rng;

/// Who did what to what. Fields that do not apply stay empty and are left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deed<'a> {
    /// What was tried: `login`, `verify`, `key.create`, …
    pub action: &'static str,
    /// The user, or the API key's id.
    pub actor: &'a str,
    /// The beginning of the hash of the address that was tried, before there is an actor.
    pub address: &'a str,
    /// The organization.
    pub org: &'a str,
    /// The thing acted on: a key's, session's or challenge's id.
    pub target: &'a str,
    /// The network the request came from (/24, /48).
    pub network: &'a str,
    /// The gateway's id of the request.
    pub request_id: &'a str,
}

impl Deed<'_> {
    /// Writes the line. `outcome` is `ok`, `refused` or `failed`: refusals are warnings, failures errors. `reason` is a fixed word: why it
    /// was refused or failed, or what was not plain about a success. `took` is how long the attempt took, where that was measured.
    pub fn log(&self, outcome: &'static str, reason: &'static str, took: Option<Duration>) {
        let Self { action, actor, address, org, target, network, request_id } = *self;
        let took_us = took.map(microseconds);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "audit",
                    action,
                    outcome,
                    reason = said(reason),
                    actor = said(actor),
                    address = said(address),
                    org = said(org),
                    target = said(target),
                    network = said(network),
                    request_id = said(request_id),
                    took_us
                )
            };
        }
        match outcome {
            "ok" => line!(info),
            "refused" => line!(warn),
            _ => line!(error),
        }
    }

    /// The event of a change, to be written with it. `reason` is the word that the line says as well, if it says one.
    pub fn event(&self, reason: &'static str, clock: &dyn Clock, rng: &dyn Rng) -> Event {
        Event {
            event_id: EventId::new(clock, rng),
            chain: Chain::of(self.org),
            action: self.action.to_owned(),
            reason: reason.to_owned(),
            actor: self.actor.to_owned(),
            address: self.address.to_owned(),
            target: self.target.to_owned(),
            network: self.network.to_owned(),
            request_id: self.request_id.to_owned(),
            at: clock.now_seconds(),
            operation_id: crypto::new_name(rng),
        }
    }
}

/// A clock that is set back makes no attempt take less than no time.
fn microseconds(took: Duration) -> i64 {
    i64::try_from(took.whole_microseconds()).unwrap_or(i64::MAX).max(0)
}

fn said(field: &str) -> Option<&str> {
    (!field.is_empty()).then_some(field)
}

/// A change, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, which says when it was made.
    pub event_id: EventId,
    /// Whose it is.
    pub chain: Chain,
    /// What was done: see [`Deed`], also for what follows.
    pub action: String,
    /// The word that tells it from other changes by the same action.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// The beginning of the hash of an address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// What was acted on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// From where.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network: String,
    /// The gateway's id of the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// When. Seconds since the epoch.
    pub at: i64,
    /// The transaction it is part of: 128 random bits, DynamoDB's client request token as well.
    pub operation_id: String,
}

/// Whose events follow one another: an organization's, or the platform's own, which are about no organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Chain {
    /// An organization's.
    Organization(OrgId),
    /// The signing keys, the issuer, and addresses that nobody has.
    Platform,
}

/// How the platform's chain is written.
const PLATFORM: &str = "platform";

impl Chain {
    /// The chain of whatever happens to this organization; without one, the platform's.
    fn of(org: &str) -> Self {
        OrgId::parse(org).map_or(Self::Platform, Self::Organization)
    }

    /// Reads what [`Chain::as_str`] writes.
    ///
    /// # Errors
    /// When it is neither an organization's id nor the platform's word.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        match text {
            PLATFORM => Ok(Self::Platform),
            text => OrgId::parse(text).map(Self::Organization),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Organization(id) => id.as_str(),
            Self::Platform => PLATFORM,
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl TryFrom<String> for Chain {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

impl From<Chain> for String {
    fn from(chain: Chain) -> Self {
        chain.as_str().to_owned()
    }
}
