//! Sign-ups in the table: one item until its code is typed, then an account.

use std::slice;

use super::guards::{GuardState, TRIES, guesses};
use super::organizations::organization_write;
use super::sessions::opening;
use super::users::user_writes;
use super::write::{Write, number, text};
use super::{CodeGuess, Store, StoreError, Transacted, Written, decode, keys};
use crate::addresses::EmailAddress;
use crate::audit::Event;
use crate::challenges::MAX_ATTEMPTS;
use crate::guards::{Guard, Guesses};
use crate::ids::UserId;
use crate::sessions::Session;
use crate::sign_ups::SignUp;
use crate::users::Role;

/// The sign-up is `:user_id`'s, and not tried too often, at `:now`.
const PENDING: &str = "#user_id = :user_id AND #expires_at > :now AND #attempts < :max_attempts";

fn pending(write: Write, user: &UserId, now: i64) -> Write {
    write
        .when(PENDING)
        .bind(":user_id", text(user.as_str()))
        .bind(":now", number(now))
        .bind(":max_attempts", number(i64::from(MAX_ATTEMPTS)))
}

/// The same, and its code is still the one that was read and lives.
fn open(write: Write, sign_up: &SignUp, now: i64) -> Write {
    pending(write, &sign_up.user_id, now)
        .and_when("#code_hash = :code_hash AND #code_expires_at > :now")
        .bind(":code_hash", text(&sign_up.code_hash))
}

impl Store {
    /// The latest sign-up of an address and the guesses at its codes, in one read.
    pub async fn sign_up_and_guesses(
        &self,
        address: &EmailAddress,
    ) -> Result<(Option<SignUp>, Guesses), StoreError> {
        let (sign_up, guard) = (keys::sign_up(&address.hash()), keys::guard(&Guard::sign_up_codes(address)));
        let mut found = self.get_several(&[sign_up.clone(), guard.clone()]).await?;
        let guesses = guesses(found.remove(&guard))?;
        Ok((found.remove(&sign_up).map(decode).transpose()?, guesses))
    }

    /// The latest sign-up of an address, if there is one.
    pub async fn sign_up(&self, address: &EmailAddress) -> Result<Option<SignUp>, StoreError> {
        self.get(keys::sign_up(&address.hash())).await
    }

    /// Writes a sign-up in the place of whichever was there: whoever signed up before, nobody has typed their code.
    pub async fn put_sign_up(
        &self,
        address: &EmailAddress,
        sign_up: &SignUp,
        event: &Event,
    ) -> Result<(), StoreError> {
        let write = Write::put(keys::sign_up(&address.hash()), sign_up)?;
        match self.transact_with(vec![write], slice::from_ref(event)).await? {
            Transacted::Committed => Ok(()),
            Transacted::Cancelled(_) => Err(StoreError::ConditionFailed("a write without a condition")),
        }
    }

    /// Replaces the code that is alive, if the sign-up is `user`'s and waits for one; says whether it does.
    pub async fn replace_sign_up_code(
        &self,
        address: &EmailAddress,
        user: &UserId,
        code_hash: &str,
        code_expires_at: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let change = "SET #code_hash = :code_hash, #code_expires_at = :code_expires_at";
        let write = pending(Write::update(keys::sign_up(&address.hash()), change), user, now)
            .bind(":code_hash", text(code_hash))
            .bind(":code_expires_at", number(code_expires_at));
        Ok(matches!(self.write(write).await?, Written::Done))
    }

    /// Counts one code against the address, and against its sign-up if it has one that takes codes: in one transaction. `locked` gives the
    /// event of a guess that shuts the guard.
    ///
    /// # Errors
    /// [`StoreError::Contended`] when the guess could not be counted: it must not be judged.
    pub async fn count_sign_up_guess(
        &self,
        address: &EmailAddress,
        sign_up: Option<&SignUp>,
        locked: &(dyn Fn(&Guard) -> Event + Sync),
        now: i64,
    ) -> Result<CodeGuess, StoreError> {
        let guard = Guard::sign_up_codes(address);
        let mut state = GuardState::new(&guard);
        let mut takes_it = sign_up;
        for _ in 0..TRIES {
            let key = keys::sign_up(&address.hash());
            let attempt = match takes_it {
                Some(sign_up) => {
                    let count = Write::update(key, "SET #attempts = #attempts + :one");
                    open(count, sign_up, now).bind(":one", number(1))
                }
                // As much work for the table, and always right.
                None => Write::check(key).when("attribute_not_exists(#no_attribute_of_ours)"),
            };
            let events = state.locks(now, locked);
            let writes = vec![state.count(now), attempt];
            let Transacted::Cancelled(findings) = self.transact_with(writes, events.as_slice()).await? else {
                return Ok(if takes_it.is_some() { CodeGuess::Counted } else { CodeGuess::Closed });
            };
            let mut findings = findings.into_iter();
            if let Some(guard) = findings.next().filter(|guard| guard.failed)
                && let Some(until) = state.learn(guard.old, now)?
            {
                return Ok(CodeGuess::Locked { until });
            }
            // It takes none any more. The address's guard counts the guess all the same, as it does where there is no sign-up.
            if findings.next().is_some_and(|attempt| attempt.failed) {
                takes_it = None;
            }
        }
        Err(StoreError::Contended(None))
    }

    /// Makes person, organization and membership of a sign-up, starts their first session and opens the guard of the codes: one
    /// transaction. Says whether it did: not when the sign-up was used or replaced meanwhile, or somebody has the address.
    pub async fn complete_sign_up(
        &self,
        address: &EmailAddress,
        sign_up: &SignUp,
        session: &Session,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let use_up = Write::delete(keys::sign_up(&address.hash()))
            .when("#user_id = :user_id AND #code_hash = :code_hash AND #code_expires_at > :now")
            .bind(":user_id", text(sign_up.user_id.as_str()))
            .bind(":code_hash", text(&sign_up.code_hash))
            .bind(":now", number(now));
        let mut writes = vec![use_up, organization_write(&sign_up.organization(now))?];
        writes.extend(user_writes(address, &sign_up.user(), Role::Owner, now)?);
        writes.extend(opening(session)?);
        writes.push(Write::delete(keys::guard(&Guard::sign_up_codes(address))));
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(true),
            Transacted::Cancelled(_) => Ok(false),
        }
    }
}
