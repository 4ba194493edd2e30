//! API keys: how one is made, read, hashed and described.

use key_form::Prefix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::allowed_addresses::AllowedAddresses;
use crate::crypto;
use crate::ids::{KeyId, OrgId, UserId};
use crate::leaks::Leak;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

pub use key_form::KEY_LENGTH;

/// How long a person waits after making a key before making the next, in seconds.
pub const RATE_SECONDS: i64 = 60;
/// How long the answer of a creation is kept for whoever repeats it, in seconds.
pub const IDEMPOTENCY_SECONDS: i64 = 24 * 60 * 60;

/// The environment a key works in; also an organization's current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Environment")]
pub enum Env {
    /// No real money moves.
    Test,
    /// Real money.
    Live,
}

impl Env {
    /// `test` or `live`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// What a key of this environment begins with.
    pub fn key_prefix(self) -> &'static str {
        match self {
            Self::Test => key_form::TEST_PREFIX,
            Self::Live => key_form::LIVE_PREFIX,
        }
    }
}

/// What every key begins with, as a regular expression.
pub fn prefix_pattern() -> String {
    let prefixes = [Env::Test, Env::Live].map(Env::key_prefix);
    format!("^({})", prefixes.join("|"))
}

/// A whole key, as its owner holds it. It cannot be printed; it is shown once, at creation.
#[derive(Debug, Clone)]
pub struct PlainKey {
    env: Env,
    text: Sensitive<String>,
}

/// A text that is no key of ours. Checksum and form are for telling typos from keys without touching the database;
/// they prove nothing about who made it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an API key")]
pub struct InvalidKey;

impl PlainKey {
    /// A new key for `env`.
    pub fn generate(env: Env, rng: &dyn Rng) -> Self {
        let mut text = String::with_capacity(KEY_LENGTH);
        text.push_str(env.key_prefix());
        for _ in 0..key_form::RANDOM_LENGTH {
            let index = rng::below(rng, key_form::ALPHABET.len() as u32) as usize;
            text.push(char::from(key_form::ALPHABET[index]));
        }
        text.push_str(&key_form::checksum(&text));
        Self { env, text: Sensitive::new(text) }
    }

    /// Reads a key: prefix, alphabet, length and checksum must all be right.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let env = match key_form::read(text).map_err(|_| InvalidKey)? {
            Prefix::Test => Env::Test,
            Prefix::Live => Env::Live,
        };
        Ok(Self { env, text: Sensitive::new(text.to_owned()) })
    }

    /// The environment its prefix names.
    pub fn env(&self) -> Env {
        self.env
    }

    /// The key itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What is stored in its place: SHA-256 in hexadecimal. 190 random bits need no slow hash.
    pub fn hash(&self) -> String {
        crypto::sha256_hex(&[self.text.expose().as_bytes()])
    }

    /// What its owner recognizes it by: the prefix and the last four characters.
    pub fn hint(&self) -> String {
        format!("{}…{}", self.env.key_prefix(), &self.text.expose()[KEY_LENGTH - 4..])
    }
}

/// What a key is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Status {
    /// It authenticates.
    Active,
    /// It was withdrawn, for good.
    Revoked,
    /// Its time ran out.
    Expired,
}

/// A key's record: what its organization is shown of it. The key itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The record's id.
    pub api_key_id: KeyId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// The name its maker gave it.
    pub key_name: String,
    /// The environment it works in.
    pub env: Env,
    /// Prefix and last four characters.
    pub hint: String,
    /// SHA-256 of the key, hexadecimal.
    pub key_hash: String,
    /// Who made it.
    pub created_by: UserId,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Seconds since the epoch; none: until revoked. Not named `expires_at`, which would have DynamoDB delete the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_expires_at: Option<i64>,
    /// Seconds since the epoch, once revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// The name of the sealed answer made with it, if its maker sent an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_id: Option<String>,
    /// Where it may be used from: a copy for people of what its credential says.
    #[serde(default, skip_serializing_if = "AllowedAddresses::is_anywhere")]
    pub allowed_addresses: AllowedAddresses,
    /// The minute it was last used in: seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<i64>,
    /// Who found it in public, and where, if that is why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak: Option<Leak>,
}

impl KeyRecord {
    /// What the key is good for at `now` (seconds).
    pub fn status(&self, now: i64) -> Status {
        if self.revoked_at.is_some() {
            Status::Revoked
        } else if self.key_expires_at.is_some_and(|at| at <= now) {
            Status::Expired
        } else {
            Status::Active
        }
    }
}

/// What the authorizer reads, by the key's hash, in its one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCredential {
    /// The record's id.
    pub api_key_id: KeyId,
    /// The organization it acts for.
    pub org_id: OrgId,
    /// The environment it works in.
    pub env: Env,
    /// Seconds since the epoch; none: until revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_expires_at: Option<i64>,
    /// Seconds since the epoch, once revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// Set while its organization is suspended, in the transaction that suspends it.
    #[serde(default)]
    pub org_suspended: bool,
    /// Where it may be used from.
    #[serde(default, skip_serializing_if = "AllowedAddresses::is_anywhere")]
    pub allowed_addresses: AllowedAddresses,
}

/// The organization's one active key: a marker whose condition lets no second one be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveKey {
    /// The active key's record.
    pub api_key_id: KeyId,
    /// Where its credential is.
    pub key_hash: String,
    /// From then on the marker holds no one back. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_expires_at: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    #[test]
    fn a_key_reads_back_and_has_the_published_form() {
        for env in [Env::Test, Env::Live] {
            let key = PlainKey::generate(env, &SystemRng);
            assert_eq!(key.expose().len(), 46);
            assert!(key.expose().starts_with(env.key_prefix()));
            let read = PlainKey::parse(key.expose()).unwrap();
            assert_eq!((read.env(), read.hash()), (env, key.hash()));
        }
    }

    #[test]
    fn every_single_changed_character_is_noticed() {
        let key = PlainKey::generate(Env::Live, &SystemRng);
        for at in 0..KEY_LENGTH {
            let mut bytes = key.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let bent = String::from_utf8(bytes).unwrap();
            assert_eq!(PlainKey::parse(&bent).err(), Some(InvalidKey), "changed at {at}");
        }
    }

    #[test]
    fn what_only_looks_like_a_key_is_none() {
        let key = PlainKey::generate(Env::Test, &SystemRng);
        let text = key.expose();
        let cyrillic = text.replacen('s', "\u{455}", 1);
        let swapped = text.replacen("sk_test_", "sk_live_", 1);
        for bad in [
            "",
            "sk_",
            "sk_test_",
            &text[..45],
            &format!("{text}0"),
            &format!(" {text}"),
            &cyrillic,
            &swapped,
            &text.to_uppercase(),
        ] {
            assert_eq!(PlainKey::parse(bad).err(), Some(InvalidKey), "{}", bad.len());
        }
    }

    #[test]
    fn a_key_is_not_printed_and_its_hint_gives_little_away() {
        let key = PlainKey::generate(Env::Test, &SystemRng);
        assert!(!format!("{key:?}").contains(&key.expose()[8..]));
        assert_eq!(key.hint().chars().count(), 8 + 1 + 4);
    }
}
