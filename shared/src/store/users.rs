//! People in the table.

use serde::{Deserialize, Serialize};

use super::write::Write;
use super::{Store, StoreError, Transacted, decode, guards, keys};
use crate::addresses::EmailAddress;
use crate::guards::{Guard, Guesses};
use crate::ids::UserId;
use crate::users::{Role, User};

/// A person's role in an organization.
#[derive(Serialize, Deserialize)]
pub(super) struct Member {
    pub user_id: UserId,
    pub role: Role,
}

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

    /// Adds a person with a role in their organization.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when somebody has this address already.
    pub async fn create_user(
        &self,
        address: &EmailAddress,
        user: &User,
        role: Role,
    ) -> Result<(), StoreError> {
        let member = Member { user_id: user.user_id.clone(), role };
        let writes = vec![
            Write::put(keys::user(&address.hash()), user)?.when("attribute_not_exists(#pk)"),
            Write::put(keys::member(&user.org_id, &user.user_id), &member)?.when("attribute_not_exists(#pk)"),
        ];
        match self.transact(writes).await? {
            Transacted::Committed => Ok(()),
            Transacted::Cancelled(_) => Err(StoreError::ConditionFailed("the address is taken")),
        }
    }
}
