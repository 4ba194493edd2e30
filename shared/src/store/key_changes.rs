//! What changes of an API key while it lives: where it may be used from, and when it was used last.

use std::slice;

use super::standing::active_check;
use super::write::{Write, number};
use super::{Store, StoreError, Transacted, Writer, Written, keys};
use crate::allowed_addresses::AllowedAddresses;
use crate::api_keys::KeyRecord;
use crate::audit::Event;
use crate::ids::{KeyId, OrgId};

impl Store {
    /// Lets a key be used from these addresses alone, from the very next call on, if session, role, organization and key still allow it;
    /// says whether it did.
    pub async fn set_allowed_addresses(
        &self,
        record: &KeyRecord,
        allowed: &AllowedAddresses,
        by: Writer<'_>,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut writes = vec![
            list_write(keys::key_record(&record.org_id, &record.api_key_id), allowed)?,
            list_write(keys::key_credential(&record.key_hash), allowed)?,
            active_check(&record.org_id),
        ];
        writes.extend(by.checks(now));
        let transacted = self.transact_with(writes, slice::from_ref(event)).await?;
        Ok(matches!(transacted, Transacted::Committed))
    }

    /// Notes that a key was used in a minute (seconds since the epoch): forward only, so once a minute at most. Says whether that was
    /// news of a key that there is.
    pub async fn note_use(&self, org: &OrgId, id: &KeyId, minute: i64) -> Result<bool, StoreError> {
        let note = Write::update(keys::key_record(org, id), "SET #last_used_at = :minute")
            .when(
                "attribute_exists(#pk) AND (attribute_not_exists(#last_used_at) OR #last_used_at < :minute)",
            )
            .bind(":minute", number(minute));
        Ok(matches!(self.write(note).await?, Written::Done))
    }
}

/// A key that was revoked meanwhile stays as it was.
fn list_write(key: keys::Key, allowed: &AllowedAddresses) -> Result<Write, StoreError> {
    const LIVES: &str = "attribute_exists(#pk) AND attribute_not_exists(#revoked_at)";
    if allowed.is_anywhere() {
        return Ok(Write::update(key, "REMOVE #allowed_addresses").when(LIVES));
    }
    let corrupt = |_| StoreError::Corrupt { item: "KEY".to_owned(), trouble: "it is no list" };
    let list = serde_dynamo::to_attribute_value(allowed).map_err(corrupt)?;
    Ok(Write::update(key, "SET #allowed_addresses = :allowed").when(LIVES).bind(":allowed", list))
}
