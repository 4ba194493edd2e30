//! People in the table.

use std::slice;

use super::members::member_writes;
use super::write::{Write, number, text};
use super::{Store, StoreError, Transacted, decode, guards, keys};
use crate::addresses::EmailAddress;
use crate::audit::Event;
use crate::guards::{Guard, Guesses};
use crate::ids::UserId;
use crate::users::{Role, User};

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
        self.user_by_hash(&address.hash()).await
    }

    /// The same, by the hash of the address.
    pub async fn user_by_hash(&self, address_hash: &str) -> Result<Option<User>, StoreError> {
        self.get(keys::user(address_hash)).await
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
        let writes = user_writes(address, user, role, event.at)?.into();
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(()),
            Transacted::Cancelled(_) => Err(StoreError::ConditionFailed("the address is taken")),
        }
    }
}

/// A new person, and their membership in the organization that their item names.
pub(super) fn user_writes(
    address: &EmailAddress,
    user: &User,
    role: Role,
    now: i64,
) -> Result<[Write; 3], StoreError> {
    let [member, pointer] = member_writes(user, &user.org_id, role, now)?;
    let person = Write::put(keys::user(&address.hash()), user)?.when("attribute_not_exists(#pk)");
    Ok([person, member, pointer])
}

/// A write of a person's item, on condition that it is theirs and what they log in with is what was seen.
pub(super) fn with_credentials(write: Write, user: &UserId, seen: u32) -> Write {
    let unchanged = match seen {
        0 => "(attribute_not_exists(#credentials) OR #credentials = :credentials)",
        _ => "#credentials = :credentials",
    };
    write
        .and_when("#user_id = :user_id")
        .and_when(unchanged)
        .bind(":user_id", text(user.as_str()))
        .bind(":credentials", number(i64::from(seen)))
}
