//! API keys in the table. A key has a record (what its organization sees), a credential (what the authorizer reads), and, while it is
//! the active one, the organization's marker that lets no second one be made.

use std::slice;

use serde::{Deserialize, Serialize};

use super::expiries::expiry_write;
use super::members::Member;
use super::standing::{Who, active_check, bind_may_use, may_use};
use super::write::{Write, number, text};
use super::{Finding, Standing, Store, StoreError, Transacted, Writer, decode, keys};
use crate::api_keys::{ActiveKey, IDEMPOTENCY_SECONDS, KeyCredential, KeyRecord, RATE_SECONDS};
use crate::audit::Event;
use crate::deadline;
use crate::expiries::Expiry;
use crate::ids::{KeyId, OrgId, SessionId, UserId};
use crate::leaks::Leak;

/// The answer of a creation, sealed for whoever sends the same idempotency key again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedAnswer {
    /// What it is found by: SHA-256 over user and idempotency key, hexadecimal.
    pub idempotency_id: String,
    /// Salt and ciphertext, base64; gone once the key was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<(String, String)>,
    /// From then on it is as if it were not there. Seconds since the epoch.
    pub expires_at: i64,
}

/// A key to be made.
#[derive(Debug)]
pub struct CreateKey<'a> {
    /// Its record.
    pub record: &'a KeyRecord,
    /// Who makes it.
    pub by: Writer<'a>,
    /// The answer to keep, if an idempotency key was sent.
    pub answer: Option<&'a SealedAnswer>,
    /// The event of it.
    pub event: &'a Event,
    /// Seconds since the epoch.
    pub now: i64,
}

/// How making a key ended. The order is the one refusals are told in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateKeyOutcome {
    /// It is there.
    Created,
    /// The session is over.
    SessionOver,
    /// The organization is not as it was read: suspended, switched or withdrawn; or gone.
    OrganizationChanged,
    /// The role does not allow it (any more).
    RoleChanged,
    /// The idempotency key was used before; this is what was kept.
    Repeated(Box<SealedAnswer>),
    /// The organization has an active key.
    ActiveKeyExists,
    /// This person made one less than a minute ago.
    TooSoon {
        /// When the next may be made. Seconds since the epoch.
        until: i64,
    },
}

/// One page of records, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// At most as many as were asked for.
    pub records: Vec<KeyRecord>,
    /// Whether there are older ones.
    pub more: bool,
}

/// Who revokes a key.
#[derive(Debug, Clone, Copy)]
pub enum Revoker<'a> {
    /// Somebody of its organization: session, role and organization are checked in the write.
    Member(Writer<'a>),
    /// The operator, whom nothing of that concerns.
    Operator,
    /// Whoever found it in public: that, and where, is kept with its record.
    Reporter(&'a Leak),
}

/// How revoking a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeKeyOutcome {
    /// It is revoked.
    Revoked,
    /// Session, role, organization or key changed since they were read: look again.
    Changed,
}

#[derive(Deserialize)]
struct KeyRate {
    at: i64,
}

impl Store {
    /// Makes a key: session, role, organization, idempotency, the one active key and the rate are decided in one transaction.
    pub async fn create_key(&self, create: &CreateKey<'_>) -> Result<CreateKeyOutcome, StoreError> {
        let (record, now) = (create.record, create.now);
        let [session, member] = create.by.checks(now);
        let organization = Write::check(keys::organization(&record.org_id))
            .when(&format!("{} AND #current_env = :env", may_use(record.env)))
            .bind(":env", text(record.env.as_str()));
        let mut writes = vec![session, bind_may_use(organization, record.env), member];
        writes.extend(key_writes(record, now)?);
        if let Some(answer) = create.answer {
            writes.push(
                Write::put(keys::sealed_answer(&answer.idempotency_id), answer)?
                    .when("attribute_not_exists(#pk) OR #expires_at <= :now")
                    .bind(":now", number(now)),
            );
        }
        // Behind all that can be refused: it has no condition.
        if let Some(expiry) = Expiry::of(record) {
            writes.push(expiry_write(&expiry)?);
        }
        match self.transact_with(writes, slice::from_ref(create.event)).await? {
            Transacted::Committed => Ok(CreateKeyOutcome::Created),
            Transacted::Cancelled(findings) => refusal(findings, create.by.session),
        }
    }

    /// One page of an organization's records, newest first, from after `after`.
    pub async fn key_page(
        &self,
        org: &OrgId,
        limit: usize,
        after: Option<&KeyId>,
    ) -> Result<KeyPage, StoreError> {
        // One more than asked for tells whether there are more; a page that is just full does not.
        let one_more = i32::try_from(limit + 1).unwrap_or(i32::MAX);
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :keys)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", text(keys::organization_partition(org)))
            .expression_attribute_values(":keys", text(keys::KEY_RECORDS))
            .set_exclusive_start_key(after.map(|id| keys::key_record(org, id).attributes()))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(one_more);
        let items =
            deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?.items.unwrap_or_default();
        let more = items.len() > limit;
        let records = items.into_iter().take(limit).map(decode).collect::<Result<_, _>>()?;
        Ok(KeyPage { records, more })
    }

    /// A key's record and the organization's active key: one read.
    pub async fn key_and_active(
        &self,
        org: &OrgId,
        id: &KeyId,
    ) -> Result<(Option<KeyRecord>, Option<ActiveKey>), StoreError> {
        let (record, active) = (keys::key_record(org, id), keys::active_key(org));
        let mut found = self.get_several(&[record.clone(), active.clone()]).await?;
        let active = found.remove(&active).map(decode).transpose()?;
        Ok((found.remove(&record).map(decode).transpose()?, active))
    }

    /// A key's record, the organization's active key, and how the person stands: one read.
    pub async fn key_and_standing(
        &self,
        org: &OrgId,
        user: &UserId,
        session: &SessionId,
        id: &KeyId,
    ) -> Result<(Option<KeyRecord>, Option<ActiveKey>, Standing), StoreError> {
        let who = Who { org, user, session };
        let (record, active) = (keys::key_record(org, id), keys::active_key(org));
        let mut wanted = who.keys().to_vec();
        wanted.extend([record.clone(), active.clone()]);
        let mut found = self.get_several(&wanted).await?;
        let active = found.remove(&active).map(decode).transpose()?;
        let record = found.remove(&record).map(decode).transpose()?;
        Ok((record, active, who.standing(&mut found)?))
    }

    /// Revokes a key for the very next call, frees the organization's marker if it is this key's, and deletes the sealed answer.
    ///
    /// `holds_marker` says whether the marker was seen to be this key's.
    pub async fn revoke_key(
        &self,
        record: &KeyRecord,
        holds_marker: bool,
        by: Revoker<'_>,
        event: &Event,
        now: i64,
    ) -> Result<RevokeKeyOutcome, StoreError> {
        let org = &record.org_id;
        let revoke = |key, change: &str| {
            Write::update(key, change)
                .when("attribute_exists(#pk) AND attribute_not_exists(#revoked_at)")
                .bind(":now", number(now))
        };
        let in_record = keys::key_record(org, &record.api_key_id);
        let in_record = match by {
            Revoker::Reporter(leak) => {
                let corrupt = |_| StoreError::Corrupt { item: "KEY".to_owned(), trouble: "it is no place" };
                let leak = serde_dynamo::to_attribute_value(leak).map_err(corrupt)?;
                revoke(in_record, "SET #revoked_at = :now, #leak = :leak").bind(":leak", leak)
            }
            Revoker::Member(_) | Revoker::Operator => revoke(in_record, "SET #revoked_at = :now"),
        };
        // A marker that turns out to be this key's after all must not outlive it: it would hold back every later key.
        let marker = if holds_marker {
            Write::delete(keys::active_key(org)).when("#api_key_id = :id")
        } else {
            Write::check(keys::active_key(org)).when("attribute_not_exists(#pk) OR #api_key_id <> :id")
        };
        let mut writes = vec![
            in_record,
            revoke(keys::key_credential(&record.key_hash), "SET #revoked_at = :now"),
            marker.bind(":id", text(record.api_key_id.as_str())),
        ];
        if let Revoker::Member(writer) = by {
            writes.push(active_check(org));
            writes.extend(writer.checks(now));
        }
        // Younger than its lifetime, the sealed answer is this key's for certain; it stays, emptied, so that a repeat is told that it is
        // spent. Older, it counts as gone, and may by now be another key's.
        if let Some(id) =
            record.idempotency_id.as_ref().filter(|_| now < record.created_at + IDEMPOTENCY_SECONDS)
        {
            writes
                .push(Write::update(keys::sealed_answer(id), "REMOVE #sealed").when("attribute_exists(#pk)"));
        }
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(RevokeKeyOutcome::Revoked),
            Transacted::Cancelled(_) => Ok(RevokeKeyOutcome::Changed),
        }
    }

    /// What a key's hash says about it: the authorizer's one read.
    pub async fn key_credential(&self, key_hash: &str) -> Result<Option<KeyCredential>, StoreError> {
        self.get(keys::key_credential(key_hash)).await
    }
}

/// Marker, rate, record and credential, in this order.
fn key_writes(record: &KeyRecord, now: i64) -> Result<[Write; 4], StoreError> {
    let active = ActiveKey {
        api_key_id: record.api_key_id.clone(),
        key_hash: record.key_hash.clone(),
        key_expires_at: record.key_expires_at,
    };
    let credential = KeyCredential {
        api_key_id: record.api_key_id.clone(),
        org_id: record.org_id.clone(),
        env: record.env,
        key_expires_at: record.key_expires_at,
        revoked_at: None,
        org_suspended: false,
        allowed_addresses: record.allowed_addresses.clone(),
    };
    Ok([
        // An expired key holds nobody back. A marker without an expiry does not satisfy the comparison.
        Write::put(keys::active_key(&record.org_id), &active)?
            .when("attribute_not_exists(#pk) OR #key_expires_at <= :now")
            .bind(":now", number(now)),
        Write::update(keys::key_rate(&record.created_by), "SET #at = :now, #expires_at = :ttl, #v = :v")
            .when("attribute_not_exists(#at) OR #at <= :before")
            .bind(":now", number(now))
            .bind(":before", number(now - RATE_SECONDS))
            .bind(":ttl", number(now + 2 * RATE_SECONDS))
            .bind(":v", number(super::SHAPE_VERSION)),
        Write::put(keys::key_record(&record.org_id, &record.api_key_id), record)?
            .when("attribute_not_exists(#pk)"),
        Write::put(keys::key_credential(&record.key_hash), &credential)?.when("attribute_not_exists(#pk)"),
    ])
}

/// Why the creating transaction failed, in the order refusals are told in.
fn refusal(findings: Vec<Finding>, by: &SessionId) -> Result<CreateKeyOutcome, StoreError> {
    // Of a write that was not judged, nobody knows whether it would have been refused first.
    if findings.iter().any(|finding| finding.busy) {
        return Err(StoreError::Contended(None));
    }
    let mut findings = findings.into_iter();
    let mut next = || findings.next().unwrap_or(Finding { failed: false, busy: false, old: None });
    let (session, organization, member) = (next(), next(), next());
    let (active, rate, _record, _credential, answer) = (next(), next(), next(), next(), next());
    if session.failed {
        return Ok(CreateKeyOutcome::SessionOver);
    }
    if organization.failed {
        return Ok(CreateKeyOutcome::OrganizationChanged);
    }
    if member.failed {
        let ended = member.old.map(decode::<Member>).transpose()?.is_some_and(|member| member.ended(by));
        return Ok(if ended { CreateKeyOutcome::SessionOver } else { CreateKeyOutcome::RoleChanged });
    }
    if let (true, Some(kept)) = (answer.failed, answer.old) {
        return Ok(CreateKeyOutcome::Repeated(Box::new(decode(kept)?)));
    }
    if active.failed {
        return Ok(CreateKeyOutcome::ActiveKeyExists);
    }
    match rate.old.map(decode::<KeyRate>).transpose()? {
        Some(rate) => Ok(CreateKeyOutcome::TooSoon { until: rate.at + RATE_SECONDS }),
        None => Err(StoreError::ConditionFailed("a new key's id or hash is taken")),
    }
}
