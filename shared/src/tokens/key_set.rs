//! The published set of public signing keys, and the issuer they sign for.

use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `kty` of our keys.
pub const KEY_TYPE: &str = "EC";
/// `crv` of our keys.
pub const CURVE: &str = "P-256";
/// `alg` of our keys, and the one algorithm a token may name.
pub const ALGORITHM: &str = "ES256";
/// `use` of our keys.
pub const USAGE: &str = "sig";

/// A P-256 public key as a JWK (RFC 7517, RFC 7518 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PublicKey {
    /// Key type: `EC`.
    #[schemars(extend("const" = KEY_TYPE))]
    pub kty: String,
    /// Curve: `P-256`.
    #[schemars(extend("const" = CURVE))]
    pub crv: String,
    /// Algorithm: `ES256`.
    #[schemars(extend("const" = ALGORITHM))]
    pub alg: String,
    /// Use: `sig`.
    #[serde(rename = "use")]
    #[schemars(extend("const" = USAGE))]
    pub usage: String,
    /// The name tokens choose it by.
    pub kid: String,
    /// The x coordinate, base64url.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_-]{43}$"))]
    pub x: String,
    /// The y coordinate, base64url.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_-]{43}$"))]
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
    /// One for each published key, in their order.
    keys: Vec<(Arc<PublicKey>, ParsedPublicKey)>,
}

/// A key set that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeySetError {
    /// A key is not a P-256 public key for ES256 signatures.
    #[error("the published key {0} cannot be read")]
    Unreadable(String),
    /// Two keys have one name: nobody can say which one a token means.
    #[error("two published keys are called {0}")]
    Ambiguous(String),
    /// No issuer, or no key: nothing can be verified.
    #[error("the key set is empty")]
    Empty,
}

/// Whether a key is for our signatures and nothing else: RFC 7517 sections 4.2 and 4.4, RFC 8725 section 3.2.
fn is_for_signatures(key: &PublicKey) -> bool {
    key.kty == KEY_TYPE && key.crv == CURVE && key.alg == ALGORITHM && key.usage == USAGE
}

/// The key, if its coordinates are in full, 32 bytes with leading zeros (RFC 7518 section 6.2.1.2), and of a point of the curve:
/// whatever else a key can be, nothing was ever signed with it.
fn on_the_curve(key: &PublicKey) -> Option<ParsedPublicKey> {
    let coordinate = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32);
    let (x, y) = (coordinate(&key.x)?, coordinate(&key.y)?);
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], x.as_slice(), &y].concat()).ok()
}

impl Keyring {
    /// Parses every key.
    pub fn new(set: KeySet) -> Result<Self, KeySetError> {
        if set.issuer.is_empty() || set.keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        let mut keys = Vec::with_capacity(set.keys.len());
        for (at, key) in set.keys.iter().enumerate() {
            if set.keys.iter().take(at).any(|other| other.kid == key.kid) {
                return Err(KeySetError::Ambiguous(key.kid.clone()));
            }
            let parsed = on_the_curve(key).filter(|_| is_for_signatures(key));
            let parsed = parsed.ok_or_else(|| KeySetError::Unreadable(key.kid.clone()))?;
            keys.push((Arc::new(key.clone()), parsed));
        }
        Ok(Self { issuer: set.issuer, published: set.keys, keys })
    }

    /// The key named exactly `kid`, as it is shown and ready to verify with.
    pub fn find(&self, kid: &str) -> Option<(&Arc<PublicKey>, &ParsedPublicKey)> {
        let (public, key) = self.keys.iter().find(|(public, _)| public.kid == kid)?;
        Some((public, key))
    }
}
