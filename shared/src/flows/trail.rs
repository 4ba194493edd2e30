//! The trail of one attempt: what becomes known of it on its way, said in one audit line at its end; and the events of what it changes.

use time::OffsetDateTime;

use super::{Origin, Refusal};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::audit::{Deed, Event};
use crate::causes::causes;
use crate::clock::Clock;
use crate::guards::Guard;
use crate::principals::Principal;
use crate::rng::Rng;

/// One attempt. At most one line is written for it, at its end.
pub(super) struct Trail<'a> {
    clock: &'a dyn Clock,
    rng: &'a dyn Rng,
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
            rng: app.rng.as_ref(),
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

    /// Where the attempt comes from.
    pub fn network(&self) -> &str {
        &self.origin.network
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

    /// What it was about turned out not to be there: only who tried is known.
    pub fn nothing(&mut self) {
        self.org.clear();
        self.target.clear();
    }

    /// What is worth knowing of a success that was not the plain case.
    pub fn note(&mut self, note: &'static str) {
        self.note = note;
    }

    /// What [`Trail::note`] noted.
    pub fn noted(&self) -> &'static str {
        self.note
    }

    /// [`Trail::end`] for those who only look: what they were shown leaves no line, what they were refused does.
    pub fn end_look<T>(self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        if result.is_ok() { result } else { self.end(result) }
    }

    /// Writes the line, and a failure's cause beside it; passes the result on.
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
        self.deed(&self.target).log(outcome, reason, Some(self.clock.now() - self.started));
        result
    }

    /// The event of what is being changed, to be written with it. Another try takes another one: the transaction is another, too.
    pub fn event(&self) -> Event {
        self.event_of(&self.target, self.note)
    }

    /// The event of something else than the line is about; `reason` tells it from other changes by the same action.
    pub fn event_of(&self, target: &str, reason: &'static str) -> Event {
        self.deed(target).event(reason, self.clock, self.rng)
    }

    /// The event of the guess that shuts a guard.
    pub fn locked(&self, guard: &Guard) -> Event {
        self.event_of(guard.kind.word(), "locked")
    }

    fn deed<'b>(&'b self, target: &'b str) -> Deed<'b> {
        Deed {
            action: self.action,
            actor: &self.actor,
            address: &self.address,
            org: &self.org,
            target,
            network: &self.origin.network,
            request_id: &self.origin.request_id,
        }
    }
}
