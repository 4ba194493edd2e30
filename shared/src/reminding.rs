//! Reminding: keys that expire soon get their audit events, from which whoever asked for it is told.
//!
//! It may run at any time, twice at once, or not at all for a while: a reminder is written with the mark that it was, or not at all, and
//! what was missed is made up for as long as the key lives.

use futures::future::join_all;

use crate::app::App;
use crate::audit::Deed;
use crate::causes::causes;
use crate::deadline;
use crate::expiries::{Expiry, Reminder, days_ahead};
use crate::store::{ReminderOutcome, StoreError};

/// How many reminders are written at once.
const AT_ONCE: usize = 8;

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reminded {
    /// Reminders written.
    pub written: usize,
    /// Reminders that could not be: the next run finds them again.
    pub failed: usize,
}

/// Writes the reminders that are due.
///
/// # Errors
/// When the expiries cannot be read. What was written stays written.
pub async fn remind(app: &App, invocation: &str) -> Result<Reminded, StoreError> {
    let now = app.clock.now_seconds();
    let mut reminded = Reminded::default();
    for day in days_ahead(now) {
        let mut after = None;
        loop {
            let page = deadline::call(app.store.expiries(&day, after.as_ref())).await?;
            let due: Vec<(Expiry, Reminder)> =
                page.expiries.into_iter().filter_map(|it| it.due(now).map(|due| (it, due))).collect();
            for some in due.chunks(AT_ONCE) {
                let written = some.iter().map(|(expiry, due)| one(app, expiry, *due, invocation));
                for written in join_all(written).await {
                    match written {
                        Some(true) => reminded.written += 1,
                        Some(false) => {}
                        None => reminded.failed += 1,
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(reminded)
}

/// Writes one; says whether it did. `None`: it could not be written.
async fn one(app: &App, expiry: &Expiry, due: Reminder, invocation: &str) -> Option<bool> {
    let deed = Deed {
        action: "key.expiring",
        org: expiry.org_id.as_str(),
        target: expiry.api_key_id.as_str(),
        request_id: invocation,
        ..Deed::default()
    };
    let event = deed.event(due.word, app.clock.as_ref(), app.rng.as_ref());
    match deadline::call(app.store.remind(expiry, due.days, &event)).await {
        Ok(ReminderOutcome::Written) => {
            deed.log("ok", due.word, None);
            Some(true)
        }
        // By another run, or of a key that is gone.
        Ok(ReminderOutcome::WasWritten | ReminderOutcome::NoKey) => Some(false),
        Err(error) => {
            tracing::error!(request_id = invocation, cause = causes(&error), "failed");
            deed.log("failed", "service_unavailable", None);
            None
        }
    }
}
