//! The public keys and the issuer in the table: one item.

use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;

use super::write::{SHAPE_VERSION, Write, number, text};
use super::{Store, StoreError, Transacted, decode, keys};
use crate::audit::Event;
use crate::tokens::key_ledger::KeyLedger;
use crate::tokens::key_set::KeySet;

impl Store {
    /// The key set, if it was ever written.
    pub async fn key_set(&self) -> Result<Option<KeySet>, StoreError> {
        self.get(keys::key_set()).await
    }

    /// Writes the key set, and forgets what its rotation remembered: for whoever sets a deployment up.
    pub async fn put_key_set(&self, set: &KeySet, event: &Event) -> Result<(), StoreError> {
        let put = vec![Write::put(keys::key_set(), set)?];
        match self.transact_with(put, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(()),
            Transacted::Cancelled(_) => {
                Err(StoreError::ConditionFailed("an unconditional write was refused"))
            }
        }
    }

    /// The key set with what its rotation remembers, if it was ever written.
    pub async fn key_ledger(&self) -> Result<Option<KeyLedger>, StoreError> {
        self.get(keys::key_set()).await
    }

    /// Writes the ledger with the events of what became of its keys, if it is still as it was read: of the revision `seen`, or not
    /// there. Says whether it did.
    pub async fn put_key_ledger(
        &self,
        ledger: &KeyLedger,
        seen: Option<i64>,
        events: &[Event],
    ) -> Result<bool, StoreError> {
        let put = Write::put(keys::key_set(), ledger)?;
        let put = match seen {
            None => put.when("attribute_not_exists(#pk)"),
            // Whoever keeps no history counts no revisions either.
            Some(0) => {
                put.when("attribute_exists(#pk) AND (attribute_not_exists(#revision) OR #revision = :seen)")
            }
            Some(_) => put.when("#revision = :seen"),
        };
        let put = if let Some(seen) = seen { put.bind(":seen", number(seen)) } else { put };
        Ok(matches!(self.transact_with(vec![put], events).await?, Transacted::Committed))
    }

    /// Names the issuer, once: a second name is refused, the same one again is not. The keys stay as they are, published or yet to be.
    pub async fn name_issuer(&self, issuer: &str, event: &Event) -> Result<bool, StoreError> {
        let name = Write::update(
            keys::key_set(),
            "SET #issuer = :issuer, #keys = if_not_exists(#keys, :none), #v = if_not_exists(#v, :version) ADD #revision :one",
        )
        .when("attribute_not_exists(#issuer) OR #issuer = :empty")
        .bind(":issuer", text(issuer))
        .bind(":empty", text(""))
        .bind(":none", AttributeValue::L(Vec::new()))
        .bind(":version", number(SHAPE_VERSION))
        .bind(":one", number(1));
        let Transacted::Cancelled(findings) = self.transact_with(vec![name], slice::from_ref(event)).await?
        else {
            return Ok(true);
        };
        let old = findings.into_iter().next().and_then(|finding| finding.old);
        Ok(old.map(decode::<KeySet>).transpose()?.is_some_and(|set| set.issuer == issuer))
    }
}
