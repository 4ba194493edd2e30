//! The public keys and the issuer in the table: one item.

use super::write::Write;
use super::{Store, StoreError, Written, keys};
use crate::tokens::key_set::KeySet;

impl Store {
    /// The key set, if it was ever written.
    pub async fn key_set(&self) -> Result<Option<KeySet>, StoreError> {
        self.get(keys::key_set()).await
    }

    /// Writes the key set.
    pub async fn put_key_set(&self, set: &KeySet) -> Result<(), StoreError> {
        match self.write(Write::put(keys::key_set(), set)?).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(StoreError::ConditionFailed("an unconditional write was refused")),
        }
    }
}
