//! Making an API key: the organization's only active one, shown once.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::allowed_addresses::AllowedAddresses;
use crate::api_keys::{Env, IDEMPOTENCY_SECONDS, KeyRecord, PlainKey};
use crate::app::App;
use crate::authz::Permission;
use crate::crypto::{self, Sealed};
use crate::failure::Failure;
use crate::ids::KeyId;
use crate::principals::{Principal, UserPrincipal};
use crate::secrets::RotatingKey;
use crate::sensitive::Sensitive;
use crate::store::{CreateKey, CreateKeyOutcome, SealedAnswer};

/// What was asked for.
#[derive(Debug)]
pub struct KeyRequest {
    /// The name.
    pub key_name: String,
    /// Days until it expires; none: never.
    pub expires_in_days: Option<i64>,
    /// Accepted, and changes nothing: a key's environment is the organization's.
    pub env: Option<Env>,
    /// Where it may be used from.
    pub allowed_addresses: AllowedAddresses,
    /// Makes a repeat of this request give the same answer.
    pub idempotency_key: Option<Sensitive<String>>,
}

/// A key that was made. The key itself is shown in this answer alone.
#[derive(Debug)]
pub struct CreatedKey {
    /// Its record's id.
    pub api_key_id: KeyId,
    /// The key.
    pub key: PlainKey,
    /// Its name.
    pub key_name: String,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Seconds since the epoch; none: until revoked.
    pub expires_at: Option<i64>,
    /// Where it may be used from.
    pub allowed_addresses: AllowedAddresses,
}

/// What is sealed: the answer, and the request it was the answer to.
#[derive(Serialize, Deserialize)]
struct Kept {
    request: KeptRequest,
    api_key_id: KeyId,
    key: String,
    created_at: i64,
    expires_at: Option<i64>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct KeptRequest {
    key_name: String,
    expires_in_days: Option<i64>,
    env: Option<Env>,
    #[serde(default)]
    allowed_addresses: AllowedAddresses,
}

impl From<&KeyRequest> for KeptRequest {
    fn from(request: &KeyRequest) -> Self {
        Self {
            key_name: request.key_name.clone(),
            expires_in_days: request.expires_in_days,
            env: request.env,
            allowed_addresses: request.allowed_addresses.clone(),
        }
    }
}

/// Makes a key.
///
/// # Errors
/// In this order: [`Refusal::SessionOver`]; suspended, role, onboarding; [`Refusal::IdempotencyMismatch`] or
/// [`Refusal::IdempotencySpent`]; [`Refusal::ActiveKeyExists`]; [`Refusal::RateLimited`].
pub async fn create_key(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    request: &KeyRequest,
) -> Result<CreatedKey, Refusal> {
    let mut trail = Trail::of(app, "key.create", origin, &Principal::User(user.clone()));
    let result = attempt(app, user, request, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    user: &UserPrincipal,
    request: &KeyRequest,
    trail: &mut Trail<'_>,
) -> Result<CreatedKey, Refusal> {
    let seal = match &request.idempotency_key {
        Some(key) => Some(Seal { user, key, secret: app.secrets.sealing().await? }),
        None => None,
    };
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let standing = app.store.standing(&user.org_id, &user.user_id, &user.session_id).await?;
        let organization = may_write(standing, Permission::ManageKeys, now)?;
        let env = organization.current_env;
        if !organization.may_use(env) {
            return Err(Refusal::OnboardingIncomplete);
        }
        let key = PlainKey::generate(env, app.rng.as_ref());
        let record = record(app, user, request, &key, now, seal.as_ref());
        let created = CreatedKey {
            api_key_id: record.api_key_id.clone(),
            key,
            key_name: record.key_name.clone(),
            created_at: record.created_at,
            expires_at: record.key_expires_at,
            allowed_addresses: record.allowed_addresses.clone(),
        };
        let answer = seal.as_ref().map(|seal| seal.close(app, request, &created)).transpose()?;
        let (answer, event) = (answer.as_ref(), &trail.event_of(record.api_key_id.as_str(), ""));
        let by = writer(user, Permission::ManageKeys);
        let create = CreateKey { record: &record, by, answer, event, now };
        match app.store.create_key(&create).await? {
            CreateKeyOutcome::Created => {
                trail.target(&created.api_key_id);
                return Ok(created);
            }
            // Switched, suspended or withdrawn since it was read: look again.
            CreateKeyOutcome::OrganizationChanged => {}
            CreateKeyOutcome::SessionOver => return Err(Refusal::SessionOver),
            CreateKeyOutcome::RoleChanged => return Err(Refusal::InsufficientRole),
            CreateKeyOutcome::ActiveKeyExists => return Err(Refusal::ActiveKeyExists),
            CreateKeyOutcome::TooSoon { until } => {
                return Err(Refusal::RateLimited { retry_after: until - now });
            }
            CreateKeyOutcome::Repeated(kept) => {
                let again = seal.as_ref().ok_or(Failure::Sealing)?.open(request, &kept)?;
                trail.note("replayed");
                trail.target(&again.api_key_id);
                return Ok(again);
            }
        }
    }
    Err(Failure::Contended.into())
}

fn record(
    app: &App,
    user: &UserPrincipal,
    request: &KeyRequest,
    key: &PlainKey,
    now: i64,
    seal: Option<&Seal<'_>>,
) -> KeyRecord {
    KeyRecord {
        api_key_id: KeyId::new(app.clock.as_ref(), app.rng.as_ref()),
        org_id: user.org_id.clone(),
        key_name: request.key_name.clone(),
        env: key.env(),
        hint: key.hint(),
        key_hash: key.hash(),
        created_by: user.user_id.clone(),
        created_at: now,
        key_expires_at: request.expires_in_days.map(|days| now + days * 24 * 60 * 60),
        revoked_at: None,
        idempotency_id: seal.map(Seal::id),
        allowed_addresses: request.allowed_addresses.clone(),
        last_used_at: None,
        leak: None,
    }
}

/// Seals an answer so that neither the table nor the secret opens it alone: it takes the idempotency key as well, which is
/// stored nowhere.
struct Seal<'a> {
    user: &'a UserPrincipal,
    key: &'a Sensitive<String>,
    secret: std::sync::Arc<RotatingKey>,
}

impl Seal<'_> {
    /// What the answer is found by.
    fn id(&self) -> String {
        // A user id has a fixed length: no two pairs run together into the same bytes.
        crypto::sha256_hex(&[self.user.user_id.as_str().as_bytes(), self.key.expose().as_bytes()])
    }

    fn context(&self) -> [&[u8]; 3] {
        [
            self.user.org_id.as_str().as_bytes(),
            self.user.user_id.as_str().as_bytes(),
            self.key.expose().as_bytes(),
        ]
    }

    fn close(&self, app: &App, request: &KeyRequest, created: &CreatedKey) -> Result<SealedAnswer, Refusal> {
        let kept = Kept {
            request: request.into(),
            api_key_id: created.api_key_id.clone(),
            key: created.key.expose().to_owned(),
            created_at: created.created_at,
            expires_at: created.expires_at,
        };
        let message = Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| Failure::Sealing)?);
        let sealed = crypto::seal(app.rng.as_ref(), self.secret.current(), &self.context(), &message)
            .map_err(|_| Failure::Sealing)?;
        Ok(SealedAnswer {
            idempotency_id: self.id(),
            sealed: Some((BASE64_STANDARD.encode(sealed.salt), BASE64_STANDARD.encode(sealed.ciphertext))),
            expires_at: created.created_at + IDEMPOTENCY_SECONDS,
        })
    }

    fn open(&self, request: &KeyRequest, answer: &SealedAnswer) -> Result<CreatedKey, Refusal> {
        let (salt, ciphertext) = answer.sealed.as_ref().ok_or(Refusal::IdempotencySpent)?;
        let decode =
            |text: &String| BASE64_STANDARD.decode(text).map_err(|_| Refusal::from(Failure::Sealing));
        let sealed = Sealed { salt: decode(salt)?, ciphertext: decode(ciphertext)? };
        // It does not open for somebody who has moved to another organization, or under a secret that was rotated twice: whoever
        // asks is told that the idempotency key is taken, and loses nothing but the repeat.
        let message = self
            .secret
            .all()
            .into_iter()
            .find_map(|secret| crypto::open(secret, &self.context(), &sealed).ok());
        let message = message.ok_or(Refusal::IdempotencyMismatch)?;
        let mut kept: Kept = serde_json::from_slice(&message).map_err(|_| Failure::Sealing)?;
        if kept.request != request.into() {
            return Err(Refusal::IdempotencyMismatch);
        }
        Ok(CreatedKey {
            api_key_id: kept.api_key_id.clone(),
            key: PlainKey::parse(&kept.key).map_err(|_| Failure::Sealing)?,
            key_name: std::mem::take(&mut kept.request.key_name),
            created_at: kept.created_at,
            expires_at: kept.expires_at,
            allowed_addresses: std::mem::take(&mut kept.request.allowed_addresses),
        })
    }
}
