//! The published set of public signing keys, and the issuer they sign for.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};

/// A P-256 public key as a JWK (RFC 7517, RFC 7518 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Key type: `EC`.
    pub kty: String,
    /// Curve: `P-256`.
    pub crv: String,
    /// Algorithm: `ES256`.
    pub alg: String,
    /// Use: `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// The name tokens choose it by.
    pub kid: String,
    /// The x coordinate, base64url.
    pub x: String,
    /// The y coordinate, base64url.
    pub y: String,
}

/// The one item that holds everything public: whoever verifies needs no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    /// `iss` of every token. Written once; never taken from a request.
    pub issuer: String,
    /// The keys: the one that signs, the next one, and those whose last token has not expired.
    pub keys: Vec<PublicKey>,
}

/// A key set ready to verify with: its keys are parsed once, not at every token.
pub struct Keyring {
    /// `iss` of every token.
    pub issuer: String,
    /// The published keys, as they are shown.
    pub published: Vec<PublicKey>,
    keys: Vec<(String, DecodingKey)>,
}

/// A key set that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeySetError {
    /// A key is not a P-256 public key.
    #[error("the published key {0} cannot be read")]
    Unreadable(String),
    /// No issuer, or no key: nothing can be verified.
    #[error("the key set is empty")]
    Empty,
}

/// RFC 7518 section 6.2.1.2: the coordinate's full 32 bytes, leading zeros included.
fn is_coordinate(text: &str) -> bool {
    BASE64_URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

impl Keyring {
    /// Parses every key.
    pub fn new(set: KeySet) -> Result<Self, KeySetError> {
        if set.issuer.is_empty() || set.keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        let parse = |key: &PublicKey| {
            let readable =
                key.kty == "EC" && key.crv == "P-256" && is_coordinate(&key.x) && is_coordinate(&key.y);
            let parsed = DecodingKey::from_ec_components(&key.x, &key.y).ok().filter(|_| readable);
            parsed
                .map(|parsed| (key.kid.clone(), parsed))
                .ok_or_else(|| KeySetError::Unreadable(key.kid.clone()))
        };
        let keys = set.keys.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { issuer: set.issuer, published: set.keys, keys })
    }

    /// The key named exactly `kid`.
    pub fn find(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.iter().find(|(name, _)| name == kid).map(|(_, key)| key)
    }
}
