//! The key set with what its rotation has to remember: since when a key is public, since when it no longer signs, which are dead.
//!
//! It is the same item as [`super::key_set::KeySet`], which reads the issuer and the keys of it and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::key_set::{KeySet, PublicKey};

/// The item, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLedger {
    /// `iss` of every token; empty until it is named.
    pub issuer: String,
    /// What is published.
    pub keys: Vec<PublicKey>,
    /// By `kid`. A key without an entry was published by somebody who kept no times.
    #[serde(default)]
    history: BTreeMap<String, Times>,
    /// `kid` → when it was killed. A killed key is never published again.
    #[serde(default)]
    killed: BTreeMap<String, i64>,
    /// Counts the writes, so that none is lost to another.
    #[serde(default)]
    pub revision: i64,
}

/// Seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Times {
    published_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired_at: Option<i64>,
}

/// A key that cannot be published.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// It was killed.
    #[error("the key was killed")]
    Killed,
    /// Another key has its name.
    #[error("another key has this name")]
    NameTaken,
}

impl KeyLedger {
    /// The part of it that whoever verifies reads.
    pub fn key_set(&self) -> KeySet {
        KeySet { issuer: self.issuer.clone(), keys: self.keys.clone() }
    }

    /// Whether exactly this key is published.
    pub fn has(&self, key: &PublicKey) -> bool {
        self.keys.contains(key)
    }

    /// Whether a key of this name is published.
    pub fn has_name(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid == kid)
    }

    /// Whether a key of this name was killed.
    pub fn is_killed(&self, kid: &str) -> bool {
        self.killed.contains_key(kid)
    }

    /// For how many seconds the key is known to have been public.
    pub fn public_for(&self, key: &PublicKey, now: i64) -> Option<i64> {
        let times = self.history.get(&key.kid).filter(|_| self.has(key))?;
        Some(now - times.published_at)
    }

    /// Publishes a key, or sees that it is published. Says whether it was not.
    ///
    /// # Errors
    /// When it must not be.
    pub fn publish(&mut self, key: &PublicKey, now: i64) -> Result<bool, PublishError> {
        if self.is_killed(&key.kid) {
            return Err(PublishError::Killed);
        }
        let is_new = !self.has(key);
        if is_new && self.has_name(&key.kid) {
            return Err(PublishError::NameTaken);
        }
        if is_new {
            self.keys.push(key.clone());
        }
        let times =
            self.history.entry(key.kid.clone()).or_insert(Times { published_at: now, retired_at: None });
        if is_new {
            times.published_at = now;
        }
        times.retired_at = None;
        Ok(is_new)
    }

    /// Notes from when on keys are no longer in use: all but `in_use`. Gives those that were not noted before.
    pub fn retire_all_but(&mut self, in_use: &[&str], now: i64) -> Vec<String> {
        let mut retired = Vec::new();
        for kid in self.keys.iter().map(|key| &key.kid) {
            let times =
                self.history.entry(kid.clone()).or_insert(Times { published_at: now, retired_at: None });
            if in_use.contains(&kid.as_str()) {
                times.retired_at = None;
            } else if times.retired_at.is_none() {
                times.retired_at = Some(now);
                retired.push(kid.clone());
            }
        }
        retired
    }

    /// Drops the keys that were retired `keep_for` seconds ago or longer. Gives their names.
    pub fn drop_expired(&mut self, keep_for: i64, now: i64) -> Vec<String> {
        let expired = |times: &Times| times.retired_at.is_some_and(|at| at + keep_for <= now);
        let dropped: Vec<String> =
            self.history.iter().filter(|(_, times)| expired(times)).map(|(kid, _)| kid.clone()).collect();
        for kid in &dropped {
            self.remove(kid);
        }
        dropped
    }

    /// Withdraws a key for ever. Says whether it was published.
    pub fn kill(&mut self, kid: &str, now: i64) -> bool {
        let was_published = self.has_name(kid);
        self.remove(kid);
        self.killed.entry(kid.to_owned()).or_insert(now);
        was_published
    }

    fn remove(&mut self, kid: &str) {
        self.keys.retain(|key| key.kid != kid);
        self.history.remove(kid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str) -> PublicKey {
        let text = str::to_owned;
        PublicKey {
            kty: text("EC"),
            crv: text("P-256"),
            alg: text("ES256"),
            usage: text("sig"),
            kid: text(kid),
            x: text("x"),
            y: text("y"),
        }
    }

    #[test]
    fn a_key_is_published_retired_and_dropped_in_its_time() {
        let mut ledger = KeyLedger::default();
        assert_eq!(ledger.publish(&key("a"), 100), Ok(true));
        assert_eq!(ledger.publish(&key("a"), 200), Ok(false), "published already: its time stands");
        assert_eq!(ledger.publish(&key("b"), 200), Ok(true));
        assert_eq!((ledger.public_for(&key("a"), 300), ledger.public_for(&key("c"), 300)), (Some(200), None));
        assert_eq!(ledger.retire_all_but(&["b"], 400), ["a"]);
        assert!(ledger.retire_all_but(&["b"], 500).is_empty(), "noted already: its time stands");
        assert!(ledger.drop_expired(60, 459).is_empty());
        assert_eq!(ledger.drop_expired(60, 460), ["a"]);
        assert_eq!(ledger.keys, [key("b")]);
    }

    #[test]
    fn a_key_that_is_in_use_after_all_is_not_dropped() {
        let mut ledger = KeyLedger::default();
        ledger.publish(&key("a"), 0).unwrap();
        ledger.retire_all_but(&[], 0);
        ledger.retire_all_but(&["a"], 10);
        assert!(ledger.drop_expired(60, 1_000).is_empty());
    }

    #[test]
    fn a_killed_key_never_comes_back() {
        let mut ledger = KeyLedger::default();
        ledger.publish(&key("a"), 0).unwrap();
        assert!(ledger.kill("a", 10));
        assert!(!ledger.kill("a", 20));
        assert_eq!(ledger.publish(&key("a"), 30), Err(PublishError::Killed));
        assert!(ledger.keys.is_empty());
    }

    #[test]
    fn two_keys_of_one_name_are_not_published() {
        let mut ledger = KeyLedger::default();
        ledger.publish(&key("a"), 0).unwrap();
        let other = PublicKey { x: "other".to_owned(), ..key("a") };
        assert_eq!(ledger.publish(&other, 0), Err(PublishError::NameTaken));
    }

    #[test]
    fn the_age_of_a_key_without_a_history_is_not_known() {
        let mut ledger = KeyLedger { keys: vec![key("a")], ..KeyLedger::default() };
        assert_eq!(ledger.public_for(&key("a"), 300), None);
        assert_eq!(ledger.publish(&key("a"), 300), Ok(false));
        assert_eq!(ledger.public_for(&key("a"), 360), Some(60), "known from the first look on");
    }
}
