//! Who reports leaked keys, and what a report has to find in the table.

use std::collections::HashMap;

use super::keys::Key;
use super::members::Member;
use super::write::{Write, text};
use super::{Finding, Store, StoreError, Transacted, decode, keys};
use crate::api_keys::KeyCredential;
use crate::audit::Event;
use crate::ids::OrgId;
use crate::leaks::{GITHUB, ReporterKey};
use crate::organizations::Organization;

/// How many items one read takes.
const AT_ONCE: usize = 100;

impl Store {
    /// The key that reports are signed with under this name, if it is trusted.
    pub async fn reporter_key(&self, key_identifier: &str) -> Result<Option<ReporterKey>, StoreError> {
        self.get(keys::reporter_key(GITHUB, key_identifier)).await
    }

    /// Trusts a key, in place of another of its name; says whether it was not so before. The operator's, not the API's.
    pub async fn trust_reporter_key(&self, key: &ReporterKey, event: &Event) -> Result<bool, StoreError> {
        let item = keys::reporter_key(GITHUB, &key.key_identifier);
        let put = Write::put(item, key)?
            .when("attribute_not_exists(#pk) OR #public_key <> :key")
            .bind(":key", text(&key.public_key));
        self.change(put, event, "a condition that looks at nothing else").await
    }

    /// Trusts a key no longer; says whether it was. The operator's, not the API's.
    pub async fn distrust_reporter_key(
        &self,
        key_identifier: &str,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let delete = Write::delete(keys::reporter_key(GITHUB, key_identifier)).when("attribute_exists(#pk)");
        match self.transact_with(vec![delete], std::slice::from_ref(event)).await? {
            Transacted::Committed => Ok(true),
            Transacted::Cancelled(findings) => match findings.first() {
                Some(Finding { failed: true, .. }) => Ok(false),
                _ => Err(StoreError::Contended(None)),
            },
        }
    }

    /// What these hashes say: a read a hundred.
    pub async fn key_credentials(
        &self,
        key_hashes: &[String],
    ) -> Result<HashMap<String, KeyCredential>, StoreError> {
        let mut known = HashMap::new();
        for some in key_hashes.chunks(AT_ONCE) {
            let wanted: Vec<Key> = some.iter().map(|hash| keys::key_credential(hash)).collect();
            let mut found = self.get_several(&wanted).await?;
            for (hash, key) in some.iter().zip(&wanted) {
                if let Some(item) = found.remove(key) {
                    known.insert(hash.clone(), decode(item)?);
                }
            }
        }
        Ok(known)
    }

    /// The address of an organization's owner, as they gave it. None is known of somebody whose membership is older code's.
    pub async fn owner_address(&self, org: &OrgId) -> Result<Option<String>, StoreError> {
        let Some(organization) = self.get::<Organization>(keys::organization(org)).await? else {
            return Ok(None);
        };
        let owner = self.get::<Member>(keys::member(org, &organization.owner_user_id)).await?;
        Ok(owner.map(|owner| owner.email).filter(|email| !email.is_empty()))
    }
}
