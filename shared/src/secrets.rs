//! The three secrets, by who reads them: `signing` (verify, refresh), `codes` (login, verify), `sealing` (keys).
//!
//! Each is kept for the execution environment, read again every five minutes, and used for an hour at most while Secrets Manager
//! is away. A version that cannot be parsed never replaces one that can.

use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::sensitive::Sensitive;
use crate::signer::Signer;

/// After this many seconds a kept secret is read again.
const REFRESH_SECONDS: i64 = 5 * 60;
/// For this many seconds a kept secret is used while it cannot be read again.
const MAX_AGE_SECONDS: i64 = 60 * 60;
/// The shortest key of a secret that is taken, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not give it.
    #[error("the secret {name} cannot be read")]
    Unreadable {
        /// Which of the three.
        name: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What it gave is not what we write. The cause is not kept: it could quote the secret.
    #[error("the secret {name} has no usable value")]
    Unusable {
        /// Which of the three.
        name: &'static str,
    },
}

/// A key and the one before it, which opens what was made with it until that has expired.
#[derive(Debug, Clone)]
pub struct KeyPair {
    current: Sensitive<Vec<u8>>,
    previous: Option<Sensitive<Vec<u8>>>,
}

impl KeyPair {
    /// What new things are made with.
    pub fn current(&self) -> &[u8] {
        self.current.expose()
    }

    /// What old things may have been made with, the current one first.
    pub fn all(&self) -> Vec<&[u8]> {
        let previous = self.previous.as_ref().map(|key| key.expose().as_slice());
        [Some(self.current()), previous].into_iter().flatten().collect()
    }

    fn parse(stored: &StoredKey) -> Option<Self> {
        let key =
            |text: &String| (text.len() >= MIN_KEY_BYTES).then(|| Sensitive::new(text.clone().into_bytes()));
        let previous = match &stored.previous {
            None => None,
            Some(text) => Some(key(text)?),
        };
        Some(Self { current: key(&stored.key)?, previous })
    }
}

/// The `signing` secret, ready for use.
pub struct Signing {
    /// Signs access tokens.
    pub signer: Signer,
    /// Makes and checks refresh tokens' MACs.
    pub refresh: KeyPair,
}

/// `{"key": "…", "previous": "…"}`: random text, used as bytes.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// A private key, PKCS #8 in base64, and its name.
#[derive(Serialize, Deserialize)]
struct StoredSigner {
    kid: String,
    pkcs8: String,
}

/// `{"signing": {…}, "refresh": {…}}`. Other members, such as the next key, are not this code's to read.
#[derive(Serialize, Deserialize)]
struct StoredSigning {
    signing: StoredSigner,
    refresh: StoredKey,
}

impl StoredSigner {
    fn parse(&self) -> Option<Signer> {
        let pkcs8 = Zeroizing::new(BASE64_STANDARD.decode(&self.pkcs8).ok()?);
        Signer::new(self.kid.clone(), &pkcs8).ok()
    }
}

fn parse_key(json: &str) -> Option<KeyPair> {
    KeyPair::parse(&serde_json::from_str(json).ok()?)
}

fn parse_signing(json: &str) -> Option<Signing> {
    let stored: StoredSigning = serde_json::from_str(json).ok()?;
    Some(Signing { signer: stored.signing.parse()?, refresh: KeyPair::parse(&stored.refresh)? })
}

/// The secrets a function may read; which they are, its role decides.
pub struct Secrets {
    signing: Kept<Signing>,
    codes: Kept<KeyPair>,
    sealing: Kept<KeyPair>,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl Secrets {
    /// Nothing is read before it is needed. The three names may be names or ARNs.
    pub fn new(client: Client, clock: Arc<dyn Clock>, signing: &str, codes: &str, sealing: &str) -> Self {
        Self {
            signing: Kept::new("signing", signing),
            codes: Kept::new("codes", codes),
            sealing: Kept::new("sealing", sealing),
            client,
            clock,
        }
    }

    /// What signs tokens.
    pub async fn signing(&self) -> Result<Arc<Signing>, SecretError> {
        self.signing.get(&self.client, self.clock.now_seconds(), parse_signing).await
    }

    /// What one-time codes are hashed under.
    pub async fn codes(&self) -> Result<Arc<KeyPair>, SecretError> {
        self.codes.get(&self.client, self.clock.now_seconds(), parse_key).await
    }

    /// What idempotent answers are sealed under.
    pub async fn sealing(&self) -> Result<Arc<KeyPair>, SecretError> {
        self.sealing.get(&self.client, self.clock.now_seconds(), parse_key).await
    }
}

struct Value<T> {
    secret: Arc<T>,
    read_at: i64,
}

struct Kept<T> {
    name: &'static str,
    id: String,
    value: RwLock<Option<Value<T>>>,
}

impl<T> Kept<T> {
    fn new(name: &'static str, id: &str) -> Self {
        Self { name, id: id.to_owned(), value: RwLock::new(None) }
    }

    async fn get(
        &self,
        client: &Client,
        now: i64,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Arc<T>, SecretError> {
        if let Some(secret) = self.kept(now, REFRESH_SECONDS) {
            return Ok(secret);
        }
        match self.read(client, parse).await {
            Ok(secret) => {
                let secret = Arc::new(secret);
                let value = Value { secret: Arc::clone(&secret), read_at: now };
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(secret)
            }
            Err(error) => match self.kept(now, MAX_AGE_SECONDS) {
                Some(secret) => {
                    tracing::error!(secret = self.name, error = %error, "using the kept secret");
                    Ok(secret)
                }
                None => Err(error),
            },
        }
    }

    fn kept(&self, now: i64, age: i64) -> Option<Arc<T>> {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        let value = value.as_ref().filter(|value| (0..age).contains(&(now - value.read_at)))?;
        Some(Arc::clone(&value.secret))
    }

    async fn read(&self, client: &Client, parse: fn(&str) -> Option<T>) -> Result<T, SecretError> {
        let answer = client.get_secret_value().secret_id(&self.id).send().await;
        let answer =
            answer.map_err(|cause| SecretError::Unreadable { name: self.name, cause: Box::new(cause) })?;
        let text = answer.secret_string.map(Zeroizing::new);
        text.and_then(|text| parse(&text)).ok_or(SecretError::Unusable { name: self.name })
    }
}

/// New secrets, in the form they are stored in: for whoever sets a deployment up.
pub mod generate {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::{StoredKey, StoredSigner, StoredSigning, parse_signing};
    use crate::rng::{self, Rng};
    use crate::signer::SignError;
    use crate::tokens::key_set::PublicKey;

    /// A new `signing` secret: a key that signs, and a first refresh key.
    pub fn signing(rng: &dyn Rng) -> Result<String, SignError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| SignError::Failed)?;
        let pkcs8 = key.to_pkcs8v1().map_err(|_| SignError::Failed)?;
        let kid = BASE64_URL_SAFE_NO_PAD.encode(rng::bytes::<12>(rng));
        let signing = StoredSigner { kid, pkcs8: BASE64_STANDARD.encode(pkcs8.as_ref()) };
        let stored = StoredSigning { signing, refresh: random_key(rng) };
        serde_json::to_string(&stored).map_err(|_| SignError::Failed)
    }

    /// A new `codes` or `sealing` secret.
    pub fn key(rng: &dyn Rng) -> String {
        let StoredKey { key, .. } = random_key(rng);
        serde_json::json!({ "key": key }).to_string()
    }

    /// The public half of a `signing` secret.
    pub fn public_key(signing_secret: &str) -> Option<PublicKey> {
        parse_signing(signing_secret).map(|signing| signing.signer.public_key())
    }

    fn random_key(rng: &dyn Rng) -> StoredKey {
        StoredKey { key: BASE64_URL_SAFE_NO_PAD.encode(rng::bytes::<48>(rng)), previous: None }
    }
}
