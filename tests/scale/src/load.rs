//! Fills a table: one organization, its owner and its key are made by the code that makes them, the others are copies under other names.
//!
//! So a shape that changes changes here as well. The copies go into the engine's file itself, past its HTTP server and its stream, a
//! chunk at a time, each chunk whole or not at all.

use std::path::{Path, PathBuf};

use devstack::engines::dynamodb::DynamoDb;
use devstack::seed;
use dynoxide::{Database, ImportOptions, Item};
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::api_keys::{Env, PlainKey};
use shared::rng::Rng;

use crate::{ScaleError, Table};

/// How many of each are written in one transaction of the engine.
const CHUNK: usize = 2000;

/// What the items of one organization, its owner and its key are called in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    org: String,
    user: String,
    key_id: String,
    email: String,
    address_hash: String,
    key_hash: String,
    hint: String,
}

/// A copy: somebody to log in as, and their organization's key.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The organization.
    pub org: String,
    /// The key's id.
    pub key_id: String,
    /// The owner's address. Their password is everybody's, [`seed::PASSWORD`].
    pub email: String,
    /// The key.
    pub key: PlainKey,
}

/// The numbers are the same in every run: what is loaded can be told again from its number. For tables that nobody attacks.
struct Numbered(std::sync::atomic::AtomicU64);

impl Rng for Numbered {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            // SplitMix64.
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed >> 56).to_be_bytes()[7];
        }
    }
}

/// The copy of this number, from 1. All are as long as each other.
pub fn loaded(number: usize) -> Loaded {
    let seed = (number as u64).wrapping_mul(0xd134_2543_de82_ef95);
    let key = PlainKey::generate(Env::Test, &Numbered(std::sync::atomic::AtomicU64::new(seed)));
    Loaded {
        org: format!("org_{}", ulid(number)),
        key_id: format!("key_{}", ulid(number)),
        email: format!("owner-{number:09}@scale.example"),
        key,
    }
}

/// Ten characters that every copy's id begins with, and its number.
fn ulid(number: usize) -> String {
    format!("01J0SCA1E0{number:016}")
}

fn names(number: usize) -> Result<Names, ScaleError> {
    let Loaded { org, key_id, email, key } = loaded(number);
    let address = EmailAddress::parse(&email).map_err(|error| ScaleError::new(&error))?;
    Ok(Names {
        org,
        user: format!("usr_{}", ulid(number)),
        key_id,
        address_hash: address.hash(),
        email,
        key_hash: key.hash(),
        hint: key.hint(),
    })
}

/// The items that are copied, in DynamoDB's JSON.
pub struct Prototype {
    items: Vec<String>,
    names: Names,
}

/// What an organization with one person and one key consists of: person, organization, member, record, marker, credential.
pub const ITEMS: usize = 6;

impl Prototype {
    /// Makes an organization by the operator's function, and a key by the routes.
    ///
    /// # Errors
    /// What a route or the engine says.
    pub async fn make(table: &Table) -> Result<Self, ScaleError> {
        let email = "owner-prototype@scale.example";
        let created = table
            .operator(json!({
                "action": "create_organization", "name": "Scale", "country": "GB",
                "owner_email": email, "owner_full_name": "Olga Scale", "owner_password": seed::PASSWORD,
            }))
            .await?;
        let org = text(&created["id"])?;
        table
            .operator(json!({
                "action": "set_onboarding", "org_id": org,
                "onboarding_status": "COMPLETED", "payments_status": "ENABLED",
            }))
            .await?;
        let access = table.log_in(email).await?.access_token;
        let made = table.post("/auth/api-keys", &access, &json!({"key_name": "Scale"})).await?;
        let key = PlainKey::parse(&text(&made["key"])?).map_err(|error| ScaleError::new(&error))?;
        let address = EmailAddress::parse(email).map_err(|error| ScaleError::new(&error))?;
        let names = Names {
            user: text(&created["owner_user_id"])?,
            org,
            key_id: text(&made["api_key_id"])?,
            email: email.to_owned(),
            address_hash: address.hash(),
            key_hash: key.hash(),
            hint: key.hint(),
        };
        let items = Self::items(&table.devstack.dynamodb, &names).await?;
        Ok(Self { items, names })
    }

    async fn items(engine: &DynamoDb, names: &Names) -> Result<Vec<String>, ScaleError> {
        let partitions = [
            format!("EMAIL#{}", names.address_hash),
            format!("ORG#{}", names.org),
            format!("KEYHASH#{}", names.key_hash),
        ];
        let mut items = Vec::new();
        for partition in partitions {
            let query = json!({
                "TableName": engine.table, "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": partition}},
            });
            let answer = engine.ask("DynamoDB_20120810.Query", &query).await.map_err(ScaleError)?;
            items.extend(answer["Items"].as_array().into_iter().flatten().map(Value::to_string));
        }
        match items.len() {
            ITEMS => Ok(items),
            other => Err(ScaleError(format!(
                "{other} items make an organization, not {ITEMS}: copy the new ones too"
            ))),
        }
    }

    /// The copy of this number.
    fn copy(&self, number: usize) -> Result<Vec<Item>, ScaleError> {
        let (from, to) = (&self.names, names(number)?);
        let pairs = [
            (&from.org, &to.org),
            (&from.user, &to.user),
            (&from.key_id, &to.key_id),
            (&from.email, &to.email),
            (&from.address_hash, &to.address_hash),
            (&from.key_hash, &to.key_hash),
            (&from.hint, &to.hint),
        ];
        let renamed = self.items.iter().map(|item| {
            pairs.iter().fold(item.clone(), |item, (from, to)| match item.contains(from.as_str()) {
                true => item.replace(from.as_str(), to),
                false => item,
            })
        });
        renamed.map(|item| serde_json::from_str(&item).map_err(|error| ScaleError::new(&error))).collect()
    }

    /// Writes the copies numbered `from` to `to`, both included, into the table in `folder`, which nobody else may be using. After each
    /// chunk `told` gets the last number written; when it says no, that was the last chunk.
    ///
    /// # Errors
    /// What the engine says.
    pub fn load(
        &self,
        folder: &Path,
        from: usize,
        to: usize,
        mut told: impl FnMut(usize) -> bool,
    ) -> Result<(), ScaleError> {
        let engine = |error: dynoxide::DynoxideError| ScaleError::new(&error);
        let database = Database::new(&table_file(folder).to_string_lossy()).map_err(engine)?;
        database.enable_bulk_loading().map_err(engine)?;
        let mut next = from;
        while next <= to {
            let last = to.min(next + CHUNK - 1);
            let mut items = Vec::with_capacity((last + 1 - next) * ITEMS);
            for number in next..=last {
                items.extend(self.copy(number)?);
            }
            database.import_items(TABLE, items, ImportOptions::default()).map_err(engine)?;
            if !told(last) {
                break;
            }
            next = last + 1;
        }
        database.disable_bulk_loading().map_err(engine)
    }
}

/// The devstack's name for the table, and the file that it is in.
const TABLE: &str = "devstack";

fn table_file(folder: &Path) -> PathBuf {
    folder.join("table.db")
}

/// The bytes of the table on the disk, the engine's log among them.
pub fn bytes_on_disk(folder: &Path) -> u64 {
    let files = ["table.db", "table.db-wal", "table.db-shm"].map(|name| folder.join(name));
    files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

pub(crate) fn text(value: &Value) -> Result<String, ScaleError> {
    value.as_str().map(str::to_owned).ok_or_else(|| ScaleError(format!("no text: {value}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shared::ids::{KeyId, OrgId, UserId};

    use super::*;

    #[test]
    fn copies_have_names_of_their_own_that_are_names_and_all_as_long() {
        let all: Vec<Names> = [1, 2, 3, 1000, 999_999].map(|number| names(number).unwrap()).into();
        for it in &all {
            assert!(OrgId::parse(&it.org).is_ok() && UserId::parse(&it.user).is_ok());
            assert!(KeyId::parse(&it.key_id).is_ok());
            assert_eq!(it.email.len(), all[0].email.len());
        }
        let hashes: BTreeSet<_> = all.iter().map(|it| &it.key_hash).collect();
        assert_eq!(hashes.len(), all.len());
        assert_eq!(names(3).unwrap(), all[2], "the same in every run");
    }
}
