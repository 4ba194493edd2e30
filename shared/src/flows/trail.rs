//! The trail of one attempt: what becomes known of it on its way, written as one audit event at its end.

use time::OffsetDateTime;

use super::{Origin, Refusal};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::audit::Event;
use crate::causes::causes;
use crate::clock::Clock;
use crate::principals::Principal;

/// One attempt. At most one event is written for it, at its end.
pub(super) struct Trail<'a> {
    clock: &'a dyn Clock,
    started: OffsetDateTime,
    origin: &'a Origin,
    action: &'static str,
    actor: String,
    address: String,
    org: String,
    target: String,
    note: &'static str,
}

impl<'a> Trail<'a> {
    pub fn new(app: &'a App, action: &'static str, origin: &'a Origin) -> Self {
        let (clock, empty) = (app.clock.as_ref(), String::new);
        Self {
            clock,
            started: clock.now(),
            origin,
            action,
            actor: empty(),
            address: empty(),
            org: empty(),
            target: empty(),
            note: "",
        }
    }

    pub fn of(app: &'a App, action: &'static str, origin: &'a Origin, principal: &Principal) -> Self {
        let mut trail = Self::new(app, action, origin);
        trail.actor = principal.id().to_owned();
        trail.org = principal.org_id().to_string();
        trail
    }

    /// The address that was tried, before anybody is known: the beginning of its hash.
    pub fn address(&mut self, address: &EmailAddress) {
        self.address = address.hash()[..12].to_owned();
    }

    pub fn actor(&mut self, user: &impl ToString, org: &impl ToString) {
        self.actor = user.to_string();
        self.org = org.to_string();
    }

    pub fn target(&mut self, target: &impl ToString) {
        self.target = target.to_string();
    }

    /// What is worth knowing of a success that was not the plain case.
    pub fn note(&mut self, note: &'static str) {
        self.note = note;
    }

    /// [`Trail::end`] for those who only look: what they were shown is no event, what they were refused is.
    pub fn end_look<T>(self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        if result.is_ok() { result } else { self.end(result) }
    }

    /// Writes the event, and a failure's cause beside it; passes the result on.
    pub fn end<T>(self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        let (outcome, reason) = match &result {
            Ok(_) => ("ok", self.note),
            Err(Refusal::Failed(failure)) => {
                tracing::error!(request_id = self.origin.request_id, cause = causes(failure), "failed");
                ("failed", "service_unavailable")
            }
            Err(Refusal::InvalidRefreshToken(why)) => ("refused", *why),
            Err(refusal) => ("refused", refusal.code()),
        };
        Event {
            action: self.action,
            outcome,
            reason,
            actor: &self.actor,
            address: &self.address,
            org: &self.org,
            target: &self.target,
            network: &self.origin.network,
            request_id: &self.origin.request_id,
            took: Some(self.clock.now() - self.started),
        }
        .write();
        result
    }
}
