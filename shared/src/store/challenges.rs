//! Challenges in the table.

use super::guards::{GuardState, TRIES};
use super::write::{Write, number, text};
use super::{Store, StoreError, Transacted, Written, keys};
use crate::audit::Event;
use crate::challenges::{Challenge, MAX_ATTEMPTS, MAX_RESENDS, RESEND_AFTER_SECONDS};
use crate::guards::Guard;
use crate::ids::ChallengeId;

/// Whether a code may be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeGuess {
    /// It is counted: judge it.
    Counted,
    /// The address's guard is shut until then (seconds since the epoch): do not.
    Locked {
        /// When the guard opens.
        until: i64,
    },
    /// The challenge takes no more codes: used, expired, tried too often, or the code was replaced meanwhile.
    Closed,
}

/// How sending a code again ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResendOutcome {
    /// The new code is the one that is alive.
    Replaced,
    /// Not now: this is the challenge as it stands.
    Refused(Option<Box<Challenge>>),
}

/// The challenge takes codes at `:now`.
const OPEN: &str = "attribute_not_exists(#consumed_at) AND #expires_at > :now AND #attempts < :max_attempts";

impl Store {
    /// Writes a new challenge.
    pub async fn put_challenge(&self, challenge: &Challenge) -> Result<(), StoreError> {
        let write = Write::put(keys::challenge(&challenge.challenge_id), challenge)?
            .when("attribute_not_exists(#pk)");
        match self.write(write).await? {
            // The SDK may have sent it twice: the id is 80 random bits, so what is there already is ours.
            Written::Done | Written::Refused(_) => Ok(()),
        }
    }

    /// The challenge, if there is one.
    pub async fn challenge(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.get(keys::challenge(id)).await
    }

    /// Counts one code against the challenge and against its address, in one transaction: both or neither. `locked` gives the event of
    /// a guess that shuts the address's guard.
    ///
    /// # Errors
    /// [`StoreError::Contended`] when the guess could not be counted: it must not be judged.
    pub async fn count_code_guess(
        &self,
        challenge: &Challenge,
        locked: &(dyn Fn(&Guard) -> Event + Sync),
        now: i64,
    ) -> Result<CodeGuess, StoreError> {
        let guard = Guard::codes(&challenge.address_hash);
        let mut state = GuardState::new(&guard);
        for _ in 0..TRIES {
            let attempt =
                Write::update(keys::challenge(&challenge.challenge_id), "SET #attempts = #attempts + :one")
                    .when(&format!("{OPEN} AND #code_hash = :code_hash"))
                    .bind(":one", number(1))
                    .bind(":now", number(now))
                    .bind(":max_attempts", number(i64::from(MAX_ATTEMPTS)))
                    .bind(":code_hash", text(&challenge.code_hash));
            let events = state.locks(now, locked);
            let writes = vec![attempt, state.count(now)];
            let Transacted::Cancelled(findings) = self.transact_with(writes, events.as_slice()).await? else {
                return Ok(CodeGuess::Counted);
            };
            let [attempt, guard] = two(findings)?;
            // The lock is said first: a locked address learns nothing about its challenge.
            if guard.failed
                && let Some(until) = state.learn(guard.old, now)?
            {
                return Ok(CodeGuess::Locked { until });
            }
            if attempt.failed {
                return Ok(CodeGuess::Closed);
            }
        }
        Err(StoreError::Contended(None))
    }

    /// Replaces the code that is alive: not sooner than a minute after the last, at most three times, only while open.
    pub async fn replace_code(
        &self,
        id: &ChallengeId,
        code_hash: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<ResendOutcome, StoreError> {
        let change = "SET #code_hash = :code_hash, #sent_at = :now, #expires_at = :expires_at, #resends = #resends + :one";
        let write = Write::update(keys::challenge(id), change)
            .when(&format!("{OPEN} AND #resends < :max_resends AND #sent_at <= :sent_before"))
            .bind(":code_hash", text(code_hash))
            .bind(":now", number(now))
            .bind(":expires_at", number(expires_at))
            .bind(":one", number(1))
            .bind(":max_attempts", number(i64::from(MAX_ATTEMPTS)))
            .bind(":max_resends", number(i64::from(MAX_RESENDS)))
            .bind(":sent_before", number(now - RESEND_AFTER_SECONDS));
        match self.write(write).await? {
            Written::Done => Ok(ResendOutcome::Replaced),
            Written::Refused(old) => {
                let old: Option<Challenge> = old.map(super::decode).transpose()?;
                // Tried twice by the SDK, the first landed: the code that is alive is ours.
                if old.as_ref().is_some_and(|old| old.code_hash == code_hash) {
                    return Ok(ResendOutcome::Replaced);
                }
                Ok(ResendOutcome::Refused(old.map(Box::new)))
            }
        }
    }
}

fn two(findings: Vec<super::Finding>) -> Result<[super::Finding; 2], StoreError> {
    findings
        .try_into()
        .map_err(|_| StoreError::ConditionFailed("a transaction answered for other writes than it was given"))
}
