//! People in the table.

use std::slice;

use serde::{Deserialize, Serialize};

use super::write::{Write, number};
use super::{Store, StoreError, Transacted, decode, guards, keys};
use crate::addresses::EmailAddress;
use crate::audit::Event;
use crate::guards::{Guard, Guesses};
use crate::ids::{OrgId, SessionId, UserId};
use crate::users::{Role, User};

/// A person's role in an organization.
#[derive(Serialize, Deserialize)]
pub(super) struct Member {
    pub user_id: UserId,
    pub role: Role,
    /// Sessions made up to then are over. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_ended_at: Option<i64>,
}

impl Member {
    /// Whether all sessions were ended since this one was made.
    pub fn ended(&self, session: &SessionId) -> bool {
        self.sessions_ended_at.is_some_and(|at| at >= session.made_at())
    }
}

/// The condition that sessions made at `:made_at` were not ended; see [`Member::ended`].
pub(super) const NOT_ENDED: &str =
    "(attribute_not_exists(#sessions_ended_at) OR #sessions_ended_at < :made_at)";

impl Store {
    /// The person with this address and the guesses at their codes, in one read.
    pub async fn user_and_code_guesses(
        &self,
        address: &EmailAddress,
    ) -> Result<(Option<User>, Guesses), StoreError> {
        let hash = address.hash();
        let (user, guard) = (keys::user(&hash), keys::guard(&Guard::codes(&hash)));
        let mut found = self.get_several(&[user.clone(), guard.clone()]).await?;
        let guesses = guards::guesses(found.remove(&guard))?;
        Ok((found.remove(&user).map(decode).transpose()?, guesses))
    }

    /// The person with this address, if there is one.
    pub async fn user(&self, address: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.get(keys::user(&address.hash())).await
    }

    /// Ends every session that a person has in an organization, by one write that each session's next refresh and write looks at.
    /// Access tokens that are out live on for their 15 minutes. Says whether there can have been any since the last time. The operator's, not the API's.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when they are no member.
    pub async fn end_sessions(
        &self,
        org: &OrgId,
        user: &UserId,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let write = Write::update(keys::member(org, user), "SET #sessions_ended_at = :now")
            .when("attribute_exists(#pk) AND (attribute_not_exists(#sessions_ended_at) OR #sessions_ended_at < :now)")
            .bind(":now", number(now));
        self.change(write, event, "no such member").await
    }

    /// Adds a person with a role in their organization.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when somebody has this address already.
    pub async fn create_user(
        &self,
        address: &EmailAddress,
        user: &User,
        role: Role,
        event: &Event,
    ) -> Result<(), StoreError> {
        let writes = user_writes(address, user, role)?.into();
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(()),
            Transacted::Cancelled(_) => Err(StoreError::ConditionFailed("the address is taken")),
        }
    }
}

/// A new person and their role.
pub(super) fn user_writes(address: &EmailAddress, user: &User, role: Role) -> Result<[Write; 2], StoreError> {
    let member = Member { user_id: user.user_id.clone(), role, sessions_ended_at: None };
    Ok([
        Write::put(keys::user(&address.hash()), user)?.when("attribute_not_exists(#pk)"),
        Write::put(keys::member(&user.org_id, &user.user_id), &member)?.when("attribute_not_exists(#pk)"),
    ])
}
