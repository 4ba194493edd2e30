//! The secrets, by who reads them: `signing` (verify, refresh), `codes` (login, verify), `sealing` (keys), `factors` (verify, factors),
//! `audit` (audit_chain), `webhooks` (webhooks,
//! webhook_send).
//!
//! Each is kept for the execution environment, read again every five minutes, and used for an hour at most while Secrets Manager
//! is away. A version that cannot be parsed never replaces one that can.

pub mod generate;
mod stored;
pub mod successors;
pub mod versions;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use zeroize::Zeroizing;

use crate::causes::{Cause, Incurable, causes};
use crate::clock::Clock;
use crate::config::Config;
use crate::deadline;
pub use stored::{RotatingKey, Signing};
use stored::{parse_key, parse_signing};
use versions::Versions;

/// After this many seconds a kept secret is read again.
const REFRESH_SECONDS: i64 = 5 * 60;
/// A secret that was asked for in vain is asked for again after this many seconds: until then nobody waits for a time-out.
const RETRY_SECONDS: i64 = 30;
/// For this many seconds a kept secret is used while it cannot be read again.
pub const MAX_AGE_SECONDS: i64 = 60 * 60;

/// For so long a call waits that could use what is kept: twice that, for two secrets, leaves half of its time to the table.
const PATIENCE: Duration = Duration::from_millis(700);

/// One of the secrets that rotate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What signs access tokens, and what refresh tokens are made with.
    Signing,
    /// What one-time codes are hashed under.
    Codes,
    /// What idempotent answers are sealed under.
    Sealing,
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not give it.
    #[error("the secret {name} cannot be read")]
    Unreadable {
        /// Which of them.
        name: &'static str,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// It is not there (or has no value yet, which Secrets Manager tells by the same code), or is not ours to read.
    #[error("the secret {name} {trouble}")]
    Refused {
        /// Which of them.
        name: &'static str,
        /// What is wrong.
        trouble: Incurable,
        /// What Secrets Manager said.
        #[source]
        cause: Cause,
    },
    /// Secrets Manager did not take it.
    #[error("the secret {name} cannot be written")]
    Unwritable {
        /// Which of them.
        name: &'static str,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// The function has no client for it, since it said of no secret that it uses it.
    #[error("the secret {name} is not used here")]
    Unused {
        /// Which of them.
        name: &'static str,
    },
    /// What it gave is not what we write. The cause is not kept: it could quote the secret.
    #[error("the secret {name} has no usable value")]
    Unusable {
        /// Which of them.
        name: &'static str,
    },
}

impl SecretError {
    /// What is wrong for good, if that is what it says.
    pub fn incurable(&self) -> Option<Incurable> {
        match self {
            Self::Refused { trouble, .. } => Some(*trouble),
            Self::Unusable { .. } => Some(Incurable::Unusable),
            _ => None,
        }
    }
}

/// The secrets a function may read; which they are, its role decides.
pub struct Secrets {
    signing: Kept<Signing>,
    codes: Kept<RotatingKey>,
    sealing: Kept<RotatingKey>,
    audit: Kept<RotatingKey>,
    factors: Kept<RotatingKey>,
    webhooks: Kept<RotatingKey>,
    client: Option<Client>,
    clock: Arc<dyn Clock>,
}

impl Secrets {
    /// Nothing is read before it is needed. The configured names may be names or ARNs. Without a client there is nothing to be had.
    pub fn new(client: Option<Client>, clock: Arc<dyn Clock>, config: &Config) -> Self {
        Self {
            signing: Kept::new("signing", &config.signing_secret, parse_signing),
            codes: Kept::new("codes", &config.codes_secret, parse_key),
            sealing: Kept::new("sealing", &config.sealing_secret, parse_key),
            audit: Kept::new("audit", &config.audit_secret, parse_key),
            factors: Kept::new("factors", &config.factors_secret, parse_key),
            webhooks: Kept::new("webhooks", &config.webhooks_secret, parse_key),
            client,
            clock,
        }
    }

    /// The versions of one of them, for its rotation. Nothing of it is kept.
    pub fn versions(&self, which: Which) -> Versions<'_> {
        let (name, id) = match which {
            Which::Signing => (self.signing.name, &self.signing.id),
            Which::Codes => (self.codes.name, &self.codes.id),
            Which::Sealing => (self.sealing.name, &self.sealing.id),
        };
        Versions { name, id, client: self.client.as_ref() }
    }

    /// Which of them has this name or ARN.
    pub fn which(&self, id: &str) -> Option<Which> {
        let is = |kept: &str| !id.is_empty() && id == kept;
        [
            (&self.signing.id, Which::Signing),
            (&self.codes.id, Which::Codes),
            (&self.sealing.id, Which::Sealing),
        ]
        .into_iter()
        .find_map(|(kept, which)| is(kept).then_some(which))
    }

    /// What signs tokens.
    pub async fn signing(&self) -> Result<Arc<Signing>, SecretError> {
        self.signing.get(self.client.as_ref(), self.clock.now_seconds(), REFRESH_SECONDS).await
    }

    /// What signs tokens, read again unless that was just done: for when what was kept turns out to be withdrawn.
    pub async fn signing_anew(&self) -> Result<Arc<Signing>, SecretError> {
        self.signing.get(self.client.as_ref(), self.clock.now_seconds(), RETRY_SECONDS).await
    }

    /// What one-time codes are hashed under.
    pub async fn codes(&self) -> Result<Arc<RotatingKey>, SecretError> {
        self.codes.get(self.client.as_ref(), self.clock.now_seconds(), REFRESH_SECONDS).await
    }

    /// What the links of audit chains are made with. No rotation changes it: links are verified for as long as they are kept.
    pub async fn audit(&self) -> Result<Arc<RotatingKey>, SecretError> {
        self.audit.get(self.client.as_ref(), self.clock.now_seconds(), REFRESH_SECONDS).await
    }

    /// What TOTP secrets are sealed under and backup codes are hashed under. No rotation changes it: they are kept for years.
    pub async fn factors(&self) -> Result<Arc<RotatingKey>, SecretError> {
        self.factors.get(self.client.as_ref(), self.clock.now_seconds(), REFRESH_SECONDS).await
    }

    /// What the secrets of webhooks are sealed under. No rotation changes it: they are opened for as long as they are kept.
    pub async fn webhooks(&self) -> Result<Arc<RotatingKey>, SecretError> {
        self.webhooks.get(self.client.as_ref(), self.clock.now_seconds(), REFRESH_SECONDS).await
    }

    /// What idempotent answers are sealed under.
    pub async fn sealing(&self) -> Result<Arc<RotatingKey>, SecretError> {
        self.sealing.get(self.client.as_ref(), self.clock.now_seconds(), REFRESH_SECONDS).await
    }
}

struct Value<T> {
    secret: Arc<T>,
    read_at: i64,
    asked_at: i64,
}

struct Kept<T> {
    name: &'static str,
    id: String,
    parse: fn(&str) -> Option<T>,
    value: RwLock<Option<Value<T>>>,
}

impl<T> Kept<T> {
    fn new(name: &'static str, id: &str, parse: fn(&str) -> Option<T>) -> Self {
        Self { name, id: id.to_owned(), parse, value: RwLock::new(None) }
    }

    /// The kept secret if it was read within `fresh` seconds, or asked for in vain just now; else what Secrets Manager has.
    async fn get(&self, client: Option<&Client>, now: i64, fresh: i64) -> Result<Arc<T>, SecretError> {
        let young = |value: &Value<T>| {
            let since = |at: i64, age: i64| (0..age).contains(&(now - at));
            since(value.read_at, fresh)
                || (since(value.asked_at, RETRY_SECONDS) && since(value.read_at, MAX_AGE_SECONDS))
        };
        if let Some(secret) = self.kept(young) {
            return Ok(secret);
        }
        let usable = |value: &Value<T>| (0..MAX_AGE_SECONDS).contains(&(now - value.read_at));
        let longest = if self.kept(usable).is_some() { PATIENCE } else { Duration::MAX };
        match self.read(client, longest).await {
            Ok(secret) => {
                let secret = Arc::new(secret);
                let value = Value { secret: Arc::clone(&secret), read_at: now, asked_at: now };
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = Some(value);
                Ok(secret)
            }
            Err(error) => {
                if let Some(value) = self.value.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
                    value.asked_at = now;
                }
                match self.kept(usable) {
                    Some(secret) => {
                        tracing::error!(secret = self.name, cause = causes(&error), "using the kept secret");
                        Ok(secret)
                    }
                    None => Err(error),
                }
            }
        }
    }

    fn kept(&self, good: impl Fn(&Value<T>) -> bool) -> Option<Arc<T>> {
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        value.as_ref().filter(|value| good(value)).map(|value| Arc::clone(&value.secret))
    }

    async fn read(&self, client: Option<&Client>, longest: Duration) -> Result<T, SecretError> {
        let client = client.ok_or(SecretError::Unused { name: self.name })?;
        let call = client.get_secret_value().secret_id(&self.id);
        let answer = deadline::within_at_most(longest, call.send()).await;
        let answer =
            answer.map_err(|late| SecretError::Unreadable { name: self.name, cause: Cause::of(&late) })?;
        let answer = answer.map_err(|cause| {
            match Incurable::of(cause.as_service_error().and_then(ProvideErrorMetadata::code)) {
                Some(trouble) => SecretError::Refused { name: self.name, trouble, cause: Cause::of(&cause) },
                None => SecretError::Unreadable { name: self.name, cause: Cause::of(&cause) },
            }
        })?;
        let text = answer.secret_string.map(Zeroizing::new);
        text.and_then(|text| (self.parse)(&text)).ok_or(SecretError::Unusable { name: self.name })
    }
}
