//! Audit events: who did what to which organization, with what outcome and why, as one structured line.
//!
//! An event has no field that could hold a secret: ids, hashes and fixed words only. Metrics are counted from its line
//! (`config/logs.rs`), by what was tried and what came of it: those are words of this program, by their type.

use time::Duration;

/// One event. Fields that do not apply stay empty and are left out of the line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// What was tried: `login`, `verify`, `key.create`, …
    pub action: &'static str,
    /// `ok`, `refused` or `failed`.
    pub outcome: &'static str,
    /// Why it was refused or failed: a fixed word.
    pub reason: &'static str,
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
    /// How long the attempt took, where that was measured.
    pub took: Option<Duration>,
}

impl Event<'_> {
    /// Writes the line. Refusals are warnings, failures errors.
    pub fn write(&self) {
        let Self { action, outcome, reason, actor, address, org, target, network, request_id, took } = *self;
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
}

/// A clock that is set back makes no attempt take less than no time.
fn microseconds(took: Duration) -> i64 {
    i64::try_from(took.whole_microseconds()).unwrap_or(i64::MAX).max(0)
}

fn said(field: &str) -> Option<&str> {
    (!field.is_empty()).then_some(field)
}
