//! Guards in the table: each guess is counted in its own conditional write, before it is judged.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::keys::Key;
use super::write::{Item, Write, number, text};
use super::{Store, StoreError, Transacted, decode, keys};
use crate::addresses::EmailAddress;
use crate::audit::Event;
use crate::deadline;
use crate::guards::{Guard, Guesses};

/// As many guards as are opened in one transaction: it takes 100 items, and one is the event.
const GUARDS_AT_ONCE: i32 = 99;

/// How often a guess whose guard keeps changing under it is counted anew.
pub(super) const TRIES: usize = 8;

/// Whether a guess may be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It is counted: judge it.
    Counted,
    /// A guard is shut until then (seconds since the epoch): do not.
    Locked {
        /// When the guard opens.
        until: i64,
    },
}

#[derive(Deserialize)]
struct GuardItem {
    recent: Vec<i64>,
}

/// What is known of a guard before its write: nothing, or what a failed condition found.
pub(super) struct GuardState<'a> {
    guard: &'a Guard,
    seen: Option<Guesses>,
}

impl<'a> GuardState<'a> {
    pub fn new(guard: &'a Guard) -> Self {
        Self { guard, seen: None }
    }

    /// The write that counts one guess at `now`.
    ///
    /// The guess is appended while it cannot be the one that reaches the limit, with no read before. After that the list that was seen is
    /// replaced, on condition that it is still that list: without those that no longer count, and knowing whether the limit is reached.
    pub fn count(&self, now: i64) -> Write {
        let limit = self.guard.limit();
        let key = keys::guard(self.guard);
        let write = match &self.seen {
            None => Write::update(
                key,
                "SET #recent = list_append(if_not_exists(#recent, :none), :now), #expires_at = :ttl, #v = :v",
            )
            .when("attribute_not_exists(#recent) OR size(#recent) < :last")
            .bind(":none", list(&[]))
            .bind(":now", list(&[now]))
            .bind(":last", number(i64::try_from(self.last()).unwrap_or(i64::MAX))),
            Some(seen) => Write::update(key, "SET #recent = :recent, #expires_at = :ttl, #v = :v")
                .when("#recent = :seen")
                .bind(":seen", list(&seen.0))
                .bind(":recent", list(&seen.with_one_more(limit, now).0)),
        };
        write.bind(":ttl", number(now + 2 * limit.window_seconds)).bind(":v", number(super::SHAPE_VERSION))
    }

    /// How many guesses are in the list when the next one may reach the limit.
    fn last(&self) -> usize {
        self.guard.limit().max.saturating_sub(1)
    }

    /// The event of the write, if it is the one that shuts the guard.
    pub fn locks(&self, now: i64, locked: &(dyn Fn(&Guard) -> Event + Sync)) -> Option<Event> {
        let limit = self.guard.limit();
        let after = self.seen.as_ref()?.with_one_more(limit, now);
        after.locked_until(limit, now).filter(|_| self.guard.kind.tells()).map(|_| locked(self.guard))
    }

    /// Learns from a failed condition; gives the time the guard opens if it is shut.
    pub fn learn(&mut self, old: Option<Item>, now: i64) -> Result<Option<i64>, StoreError> {
        // Without an item the guard was opened meanwhile: start over with the append.
        let seen = old.map(decode::<GuardItem>).transpose()?.map(|item| Guesses(item.recent));
        let shut = seen.as_ref().and_then(|seen| seen.locked_until(self.guard.limit(), now));
        self.seen = seen.filter(|seen| seen.0.len() >= self.last());
        Ok(shut)
    }
}

fn list(times: &[i64]) -> AttributeValue {
    AttributeValue::L(times.iter().map(|at| number(*at)).collect())
}

/// The guesses in an item that was read.
pub(super) fn guesses(item: Option<Item>) -> Result<Guesses, StoreError> {
    Ok(Guesses(item.map(decode::<GuardItem>).transpose()?.map(|item| item.recent).unwrap_or_default()))
}

impl Store {
    /// Counts one guess at all of `guards`, or at none: one transaction. `locked` gives the event of a guess that shuts a guard.
    ///
    /// # Errors
    /// [`StoreError::Contended`] when the guards are so contended that the guess could not be counted: it must not be judged.
    pub async fn count_guess(
        &self,
        guards: &[Guard],
        locked: &(dyn Fn(&Guard) -> Event + Sync),
        now: i64,
    ) -> Result<Counted, StoreError> {
        let mut states: Vec<GuardState> = guards.iter().map(GuardState::new).collect();
        for _ in 0..TRIES {
            let writes = states.iter().map(|state| state.count(now)).collect();
            let events: Vec<Event> = states.iter().filter_map(|state| state.locks(now, locked)).collect();
            let Transacted::Cancelled(findings) = self.transact_with(writes, &events).await? else {
                return Ok(Counted::Counted);
            };
            let mut shut = None;
            for (state, finding) in states.iter_mut().zip(findings).filter(|(_, finding)| finding.failed) {
                shut = shut.max(state.learn(finding.old, now)?);
            }
            if let Some(until) = shut {
                return Ok(Counted::Locked { until });
            }
        }
        Err(StoreError::Contended(None))
    }

    /// Opens every guard of an address, whatever networks they are for; gives how many there were. The operator's, not the API's. Each
    /// transaction has an event of its own.
    ///
    /// # Errors
    /// [`StoreError::Contended`] when they keep changing; those that were opened are.
    pub async fn open_guards(
        &self,
        address: &EmailAddress,
        event: &(dyn Fn() -> Event + Sync),
    ) -> Result<usize, StoreError> {
        let partition = keys::guard_partition(&address.hash());
        let (mut opened, mut met) = (0, 0);
        while met < TRIES {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_values(":pk", text(&partition))
                .consistent_read(true)
                .limit(GUARDS_AT_ONCE);
            let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
            let opening = |key| Write::delete(key).when("attribute_exists(#pk)");
            let items = answer.items.unwrap_or_default();
            let guards: Vec<Write> = items.iter().filter_map(Key::of).map(opening).collect();
            if guards.is_empty() {
                return Ok(opened);
            }
            let many = guards.len();
            match self.transact_with(guards, &[event()]).await? {
                Transacted::Committed => opened += many,
                // Somebody else opened some of them.
                Transacted::Cancelled(_) => met += 1,
            }
        }
        Err(StoreError::Contended(None))
    }

    /// Until when a guard is shut at `now`, if it is; counts nothing.
    pub async fn guard_locked_until(&self, guard: &Guard, now: i64) -> Result<Option<i64>, StoreError> {
        let item = self.get::<GuardItem>(keys::guard(guard)).await?;
        Ok(item.and_then(|item| Guesses(item.recent).locked_until(guard.limit(), now)))
    }
}
