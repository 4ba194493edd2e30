//! Passwords in the table: reset tokens, and the change of what somebody logs in with.

use std::slice;

use super::members::ending;
use super::standing::{active_check, not_ended, session_check};
use super::users::with_credentials;
use super::write::{Write, number, text};
use super::{Store, StoreError, Transacted, keys};
use crate::addresses::EmailAddress;
use crate::audit::Event;
use crate::guards::Guard;
use crate::ids::OrgId;
use crate::principals::UserPrincipal;
use crate::reset_tokens::{Reset, ResetToken};
use crate::users::User;

/// How setting a password ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetPasswordOutcome {
    /// It is set, and the sessions are ended.
    Set,
    /// What it was done by is not good any more: the token was used, or session and organization changed.
    Closed,
    /// What the person logs in with, or where they belong, changed meanwhile: look again.
    PersonChanged,
}

/// A password to be set.
pub struct SetPassword<'a> {
    /// Whose.
    pub address: &'a EmailAddress,
    /// They, as they were read.
    pub user: &'a User,
    /// Every organization of theirs.
    pub organizations: &'a [OrgId],
    /// PHC string of the new one.
    pub password_hash: &'a str,
    /// Of the change.
    pub event: &'a Event,
    /// Seconds since the epoch.
    pub now: i64,
}

impl SetPassword<'_> {
    /// The person's item: what they log in with is another, and logins that are on their way do not end.
    fn write(&self) -> Write {
        let change = "SET #password_hash = :password_hash, #credentials = :next";
        let update = Write::update(keys::user(&self.address.hash()), change)
            .when("#password_hash = :old")
            .bind(":old", text(&self.user.password_hash))
            .bind(":password_hash", text(self.password_hash))
            .bind(":next", number(i64::from(self.user.credentials) + 1));
        with_credentials(update, &self.user.user_id, self.user.credentials)
    }
}

impl Store {
    /// Writes a reset token.
    pub async fn put_reset(
        &self,
        token: &ResetToken,
        reset: &Reset,
        event: &Event,
    ) -> Result<(), StoreError> {
        let write = Write::put(keys::reset(&token.hash()), reset)?.when("attribute_not_exists(#pk)");
        match self.transact_with(vec![write], slice::from_ref(event)).await? {
            // Its name is 256 random bits: what is there already is ours.
            Transacted::Committed | Transacted::Cancelled(_) => Ok(()),
        }
    }

    /// What the reset token of this hash is good for, if it is there.
    pub async fn reset(&self, token_hash: &str) -> Result<Option<Reset>, StoreError> {
        self.get(keys::reset(token_hash)).await
    }

    /// Uses a reset token up, sets the password, ends every session of the person, and opens the guards of their passwords, of those from
    /// `network` among them: one transaction.
    pub async fn reset_password(
        &self,
        token: &ResetToken,
        network: &str,
        set: &SetPassword<'_>,
    ) -> Result<SetPasswordOutcome, StoreError> {
        let use_up = Write::delete(keys::reset(&token.hash()))
            .when("attribute_exists(#pk) AND #expires_at > :now")
            .bind(":now", number(set.now));
        let mut writes = vec![use_up, set.write()];
        let everywhere = set.organizations.iter();
        writes.extend(
            everywhere.map(|org| ending(org, &set.user.user_id, None, set.now).when("attribute_exists(#pk)")),
        );
        let guards = Guard::passwords(set.address, network);
        writes.extend(guards.iter().map(|guard| Write::delete(keys::guard(guard))));
        self.set_password(writes, 1, set.event).await
    }

    /// Sets the password and ends every session of the person but the one it is set from, if that one lives and its organization is active:
    /// one transaction.
    pub async fn change_password(
        &self,
        by: &UserPrincipal,
        set: &SetPassword<'_>,
    ) -> Result<SetPasswordOutcome, StoreError> {
        let mut writes = vec![session_check(&by.session_id, set.now), active_check(&by.org_id), set.write()];
        writes.extend(set.organizations.iter().map(|org| {
            let ending =
                ending(org, &set.user.user_id, Some(&by.session_id), set.now).when("attribute_exists(#pk)");
            if *org == by.org_id { not_ended(ending, &by.session_id) } else { ending }
        }));
        self.set_password(writes, 2, set.event).await
    }

    /// The first `by` writes are what it is done by.
    async fn set_password(
        &self,
        writes: Vec<Write>,
        by: usize,
        event: &Event,
    ) -> Result<SetPasswordOutcome, StoreError> {
        let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
        else {
            return Ok(SetPasswordOutcome::Set);
        };
        Ok(match findings.iter().take(by).any(|finding| finding.failed) {
            true => SetPasswordOutcome::Closed,
            false => SetPasswordOutcome::PersonChanged,
        })
    }
}
