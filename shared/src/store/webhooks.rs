//! Webhooks in the table. They have partitions of their own, so that whoever sends them may read nothing else.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::slice;

use serde::de::DeserializeOwned;
use serde_dynamo::to_attribute_value;

use super::standing::{Who, active_check};
use super::write::{Write, number, text};
use super::{Standing, Store, StoreError, Transacted, Writer, Written, decode, keys};
use crate::api_keys::KeyRecord;
use crate::audit::Event;
use crate::ids::{KeyId, OrgId};
use crate::principals::UserPrincipal;
use crate::webhooks::{FailedTry, PreviousSecret, SealedSecret, TEST_SECONDS, Webhook};

/// How many items one read takes.
const AT_ONCE: usize = 100;

/// What becomes of a webhook.
#[derive(Debug)]
pub enum WebhookChange<'a> {
    /// There was none.
    Add(&'a Webhook),
    /// It goes elsewhere, or is told of other things; it is forgotten what did not arrive before.
    Set {
        /// As it was read.
        seen: &'a Webhook,
        /// Where it goes.
        url: &'a str,
        /// What it is told of.
        events: &'a [String],
    },
    /// It is signed with another secret.
    Rotate {
        /// As it was read.
        seen: &'a Webhook,
        /// The secret.
        secret: &'a SealedSecret,
        /// What signs along.
        previous: &'a [PreviousSecret],
    },
    /// It is tested, unless that was just done.
    Test(&'a Webhook),
    /// It is gone.
    Remove(&'a Webhook),
}

impl Store {
    /// An organization's webhook.
    pub async fn webhook(&self, org: &OrgId) -> Result<Option<Webhook>, StoreError> {
        self.get(keys::webhook(org)).await
    }

    /// The webhooks of some organizations.
    pub async fn webhooks(&self, orgs: &BTreeSet<OrgId>) -> Result<HashMap<OrgId, Webhook>, StoreError> {
        self.each_of(orgs, keys::webhook).await
    }

    /// The records of some keys.
    pub async fn key_records(
        &self,
        keys: &BTreeSet<(OrgId, KeyId)>,
    ) -> Result<HashMap<(OrgId, KeyId), KeyRecord>, StoreError> {
        self.each_of(keys, |(org, id)| keys::key_record(org, id)).await
    }

    async fn each_of<N: Clone + Eq + Hash, T: DeserializeOwned>(
        &self,
        names: &BTreeSet<N>,
        key: impl Fn(&N) -> keys::Key,
    ) -> Result<HashMap<N, T>, StoreError> {
        let names: Vec<&N> = names.iter().collect();
        let mut all = HashMap::new();
        for some in names.chunks(AT_ONCE) {
            let wanted: Vec<keys::Key> = some.iter().map(|name| key(name)).collect();
            let mut found = self.get_several(&wanted).await?;
            for (name, key) in some.iter().zip(&wanted) {
                if let Some(item) = found.remove(key) {
                    all.insert((*name).clone(), decode(item)?);
                }
            }
        }
        Ok(all)
    }

    /// An organization's webhook, and how the person stands: one read.
    pub async fn webhook_and_standing(
        &self,
        by: &UserPrincipal,
    ) -> Result<(Option<Webhook>, Standing), StoreError> {
        let who = Who { org: &by.org_id, user: &by.user_id, session: &by.session_id };
        let webhook = keys::webhook(&by.org_id);
        let mut wanted = who.keys().to_vec();
        wanted.push(webhook.clone());
        let mut found = self.get_several(&wanted).await?;
        let webhook = found.remove(&webhook).map(decode).transpose()?;
        Ok((webhook, who.standing(&mut found)?))
    }

    /// Changes a webhook, if it is as it was read, and session, role and organization still allow it; says whether it did.
    pub async fn change_webhook(
        &self,
        by: Writer<'_>,
        change: &WebhookChange<'_>,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut writes = vec![write(by.org, change, now)?, active_check(by.org)];
        writes.extend(by.checks(now));
        Ok(matches!(self.transact_with(writes, slice::from_ref(event)).await?, Transacted::Committed))
    }

    /// Leaves word of a try that did not arrive, unless the webhook has been changed since.
    pub async fn note_failed_try(&self, webhook: &Webhook, failed: &FailedTry) -> Result<(), StoreError> {
        let corrupt = |_| StoreError::Corrupt { item: "WEBHOOK".to_owned(), trouble: "it is no item" };
        let write = Write::update(keys::webhook(&webhook.org_id), "SET #failure = :failure")
            .when("#revision = :seen")
            .bind(":failure", to_attribute_value(failed).map_err(corrupt)?)
            .bind(":seen", number(webhook.revision));
        match self.write(write).await? {
            Written::Done | Written::Refused(_) => Ok(()),
        }
    }
}

fn write(org: &OrgId, change: &WebhookChange<'_>, now: i64) -> Result<Write, StoreError> {
    let corrupt = |_| StoreError::Corrupt { item: "WEBHOOK".to_owned(), trouble: "it is no item" };
    let key = keys::webhook(org);
    let update = |expression: &str, seen: &Webhook| {
        Write::update(key.clone(), &format!("{expression}, #updated_at = :now, #revision = :next"))
            .when("#revision = :seen")
            .bind(":seen", number(seen.revision))
            .bind(":next", number(seen.revision + 1))
            .bind(":now", number(now))
    };
    Ok(match change {
        WebhookChange::Add(webhook) => Write::put(key, webhook)?.when("attribute_not_exists(#pk)"),
        WebhookChange::Set { seen, url, events } => {
            update("REMOVE #failure SET #url = :url, #events = :events", seen)
                .bind(":url", text(*url))
                .bind(":events", to_attribute_value(events).map_err(corrupt)?)
        }
        WebhookChange::Rotate { seen, secret, previous } => {
            update("SET #secret = :secret, #previous = :previous", seen)
                .bind(":secret", to_attribute_value(secret).map_err(corrupt)?)
                .bind(":previous", to_attribute_value(previous).map_err(corrupt)?)
        }
        WebhookChange::Test(seen) => Write::update(key, "SET #tested_at = :now")
            .when("#revision = :seen AND (attribute_not_exists(#tested_at) OR #tested_at <= :before)")
            .bind(":seen", number(seen.revision))
            .bind(":before", number(now - TEST_SECONDS))
            .bind(":now", number(now)),
        WebhookChange::Remove(seen) => {
            Write::delete(key).when("#revision = :seen").bind(":seen", number(seen.revision))
        }
    })
}
