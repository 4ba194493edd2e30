//! The secrets as they are stored: JSON, read here and nowhere else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::sensitive::Sensitive;
use crate::signer::Signer;

/// The shortest key of a secret that is taken, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// A key with its neighbours in time.
///
/// Execution environments read a secret up to five minutes apart. So what was made with `next`, by one that has seen the rotation
/// already, is accepted by one that has not; and what was made with `previous` is accepted until it has expired.
#[derive(Debug, Clone)]
pub struct RotatingKey {
    current: Sensitive<Vec<u8>>,
    others: Vec<Sensitive<Vec<u8>>>,
}

impl RotatingKey {
    /// What new things are made with.
    pub fn current(&self) -> &[u8] {
        self.current.expose()
    }

    /// What a thing may have been made with, the current key first.
    pub fn all(&self) -> Vec<&[u8]> {
        let others = self.others.iter().map(|key| key.expose().as_slice());
        [self.current()].into_iter().chain(others).collect()
    }
}

/// The `signing` secret, ready for use.
pub struct Signing {
    /// Signs access tokens.
    pub signer: Signer,
    /// Makes and checks refresh tokens' MACs.
    pub refresh: RotatingKey,
}

/// `{"key": "…", "previous": "…", "next": "…"}`: random text, used as bytes; and since when, in seconds since the epoch.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredKey {
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// When `key` took the place of `previous`, in the making of the value. Unknown in one that no rotation made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_since: Option<i64>,
    /// When `next` was added, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_since: Option<i64>,
}

/// A private key, PKCS #8 in base64, and its name.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredSigner {
    pub kid: String,
    pub pkcs8: String,
}

/// What a rotation notes in the value it makes.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// When it was made. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<i64>,
    /// The version it was made from, and may take the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<String>,
}

/// `{"signing": {…}, "next": {…}, "refresh": {…}}`. The signer to come is not for whoever signs.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredSigning {
    pub signing: StoredSigner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StoredSigner>,
    pub refresh: StoredKey,
    #[serde(flatten)]
    pub stamp: Stamp,
}

/// A `codes` or `sealing` secret.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredPlain {
    #[serde(flatten)]
    pub key: StoredKey,
    #[serde(flatten)]
    pub stamp: Stamp,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.previous.zeroize();
        self.next.zeroize();
    }
}

impl Drop for StoredSigner {
    fn drop(&mut self) {
        self.pkcs8.zeroize();
    }
}

impl StoredKey {
    pub fn parse(&self) -> Option<RotatingKey> {
        let read =
            |text: &String| (text.len() >= MIN_KEY_BYTES).then(|| Sensitive::new(text.clone().into_bytes()));
        let others = [&self.previous, &self.next].into_iter().flatten().map(read).collect::<Option<_>>()?;
        Some(RotatingKey { current: read(&self.key)?, others })
    }
}

impl StoredSigner {
    pub fn parse(&self) -> Option<Signer> {
        let pkcs8 = Zeroizing::new(BASE64_STANDARD.decode(&self.pkcs8).ok()?);
        Signer::new(self.kid.clone(), &pkcs8).ok()
    }
}

/// Reads a `codes` or `sealing` secret.
pub(super) fn parse_key(json: &str) -> Option<RotatingKey> {
    serde_json::from_str::<StoredKey>(json).ok()?.parse()
}

/// Reads a `signing` secret.
pub(super) fn parse_signing(json: &str) -> Option<Signing> {
    let stored: StoredSigning = serde_json::from_str(json).ok()?;
    Some(Signing { signer: stored.signing.parse()?, refresh: stored.refresh.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: char) -> String {
        name.to_string().repeat(MIN_KEY_BYTES)
    }

    #[test]
    fn a_key_is_accepted_before_it_is_used_and_after() {
        let stored = serde_json::json!({"key": key('b'), "previous": key('a'), "next": key('c')});
        let read = parse_key(&stored.to_string()).unwrap();
        assert_eq!(read.current(), key('b').as_bytes());
        let all = read.all();
        assert_eq!(all, [key('b').as_bytes(), key('a').as_bytes(), key('c').as_bytes()]);
    }

    #[test]
    fn a_key_that_is_too_short_makes_the_whole_secret_unusable() {
        for member in ["key", "previous", "next"] {
            let mut stored = serde_json::json!({"key": key('b')});
            stored[member] = "short".into();
            assert!(parse_key(&stored.to_string()).is_none(), "{member}");
        }
    }
}
