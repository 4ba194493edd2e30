//! Expiries in the table: a partition a day.

use std::slice;

use super::write::{Write, number, text};
use super::{Store, StoreError, Transacted, decode, keys};
use crate::audit::Event;
use crate::crypto;
use crate::deadline;
use crate::expiries::Expiry;

/// Some of a day's expiries.
#[derive(Debug)]
pub struct ExpiryPage {
    /// They.
    pub expiries: Vec<Expiry>,
    /// After which the next ones come, if there are more.
    pub next: Option<Expiry>,
}

/// How writing a reminder ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReminderOutcome {
    /// It is there, and marked.
    Written,
    /// It was there, or a later one.
    WasWritten,
    /// The key was revoked, or is gone: its expiry is gone as well now.
    NoKey,
}

/// The write that lets a key's expiry be found, for one that expires. It goes into the transaction that makes the key.
pub(super) fn expiry_write(expiry: &Expiry) -> Result<Write, StoreError> {
    Write::put(keys::expiry(&expiry.day(), &expiry.api_key_id), expiry)
}

impl Store {
    /// The keys that expire on a day, from after `after`.
    pub async fn expiries(&self, day: &str, after: Option<&Expiry>) -> Result<ExpiryPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":pk", text(keys::expiry_partition(day)))
            .set_exclusive_start_key(after.map(|it| keys::expiry(day, &it.api_key_id).attributes()))
            .consistent_read(true);
        let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
        let more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default();
        let expiries = items.into_iter().map(decode).collect::<Result<Vec<Expiry>, _>>()?;
        let next = expiries.last().filter(|_| more).cloned();
        Ok(ExpiryPage { expiries, next })
    }

    /// Writes a reminder's event with its mark, once, of a key that still is one.
    pub async fn remind(
        &self,
        expiry: &Expiry,
        days: i64,
        event: &Event,
    ) -> Result<ReminderOutcome, StoreError> {
        let key = keys::expiry(&expiry.day(), &expiry.api_key_id);
        let writes = vec![
            Write::update(key.clone(), "SET #reminded = :days")
                .when("attribute_exists(#pk) AND (attribute_not_exists(#reminded) OR #reminded > :days)")
                .bind(":days", number(days)),
            Write::check(keys::key_record(&expiry.org_id, &expiry.api_key_id))
                .when("attribute_exists(#pk) AND attribute_not_exists(#revoked_at)"),
        ];
        let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
        else {
            return Ok(ReminderOutcome::Written);
        };
        if findings.get(1).is_some_and(|record| record.failed) {
            self.transact(&[Write::delete(key)], &crypto::new_name(self.rng.as_ref())).await?;
            return Ok(ReminderOutcome::NoKey);
        }
        Ok(ReminderOutcome::WasWritten)
    }
}
