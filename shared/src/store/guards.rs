//! Guards in the table: each guess is counted in its own conditional write, before it is judged.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::keys::Key;
use super::write::{Item, Write, number, text};
use super::{Store, StoreError, Transacted, decode, keys};
use crate::addresses::EmailAddress;
use crate::deadline;
use crate::guards::{Guard, Guesses};

/// The most items a transaction takes.
const TRANSACTION_ITEMS: i32 = 100;

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
    /// The guess is appended while there is room, with no read before. Once the list is full, the guesses that no longer count are
    /// dropped from the list that was seen, on condition that it is still that list.
    pub fn count(&self, now: i64) -> Write {
        let limit = self.guard.limit();
        let key = keys::guard(self.guard);
        let write = match &self.seen {
            None => Write::update(
                key,
                "SET #recent = list_append(if_not_exists(#recent, :none), :now), #expires_at = :ttl, #v = :v",
            )
            .when("attribute_not_exists(#recent) OR size(#recent) < :max")
            .bind(":none", list(&[]))
            .bind(":now", list(&[now]))
            .bind(":max", number(i64::try_from(limit.max).unwrap_or(i64::MAX))),
            Some(seen) => Write::update(key, "SET #recent = :recent, #expires_at = :ttl, #v = :v")
                .when("#recent = :seen")
                .bind(":seen", list(&seen.0))
                .bind(":recent", list(&seen.with_one_more(limit, now).0)),
        };
        write.bind(":ttl", number(now + 2 * limit.window_seconds)).bind(":v", number(super::SHAPE_VERSION))
    }

    /// Learns from a failed condition; gives the time the guard opens if it is shut.
    pub fn learn(&mut self, old: Option<Item>, now: i64) -> Result<Option<i64>, StoreError> {
        // Without an item the guard was opened meanwhile: start over with the append.
        let seen = old.map(decode::<GuardItem>).transpose()?.map(|item| Guesses(item.recent));
        let shut = seen.as_ref().and_then(|seen| seen.locked_until(self.guard.limit(), now));
        self.seen = seen.filter(|seen| seen.0.len() >= self.guard.limit().max);
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
    /// Counts one guess at all of `guards`, or at none: one transaction.
    ///
    /// # Errors
    /// [`StoreError::Contended`] when the guards are so contended that the guess could not be counted: it must not be judged.
    pub async fn count_guess(&self, guards: &[Guard], now: i64) -> Result<Counted, StoreError> {
        let mut states: Vec<GuardState> = guards.iter().map(GuardState::new).collect();
        for _ in 0..TRIES {
            let writes = states.iter().map(|state| state.count(now)).collect();
            let Transacted::Cancelled(findings) = self.transact(writes).await? else {
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

    /// Opens every guard of an address, whatever networks they are for; gives how many there were. The operator's, not the API's.
    pub async fn open_guards(&self, address: &EmailAddress) -> Result<usize, StoreError> {
        let partition = keys::guard_partition(&address.hash());
        let mut opened = 0;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_values(":pk", text(&partition))
                .consistent_read(true)
                .limit(TRANSACTION_ITEMS);
            let items = deadline::within(query.send())
                .await?
                .map_err(StoreError::from_sdk)?
                .items
                .unwrap_or_default();
            let guards: Vec<Write> = items.iter().filter_map(Key::of).map(Write::delete).collect();
            if guards.is_empty() {
                return Ok(opened);
            }
            opened += guards.len();
            // Deletions have no condition to fail.
            self.transact(guards).await?;
        }
    }

    /// Until when a guard is shut at `now`, if it is; counts nothing.
    pub async fn guard_locked_until(&self, guard: &Guard, now: i64) -> Result<Option<i64>, StoreError> {
        let item = self.get::<GuardItem>(keys::guard(guard)).await?;
        Ok(item.and_then(|item| Guesses(item.recent).locked_until(guard.limit(), now)))
    }
}
