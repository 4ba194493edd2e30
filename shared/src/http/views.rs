//! Things as clients see them, where more than one function shows them.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::allowed_addresses::AllowedAddresses;
use crate::api_keys::{Env, Status};
use crate::clock::{from_rfc3339, rfc3339};
use crate::flows::{self, DescribedKey};
use crate::ids::{KeyId, OrgId, UserId};
use crate::leaks;
use crate::organizations::{self, OnboardingStatus, PaymentsStatus};
use crate::sensitive::Sensitive;
use crate::store;
use crate::tokens::access_token::LIFETIME_SECONDS;
use crate::users::{Identity, Role};

/// A time in an answer: RFC 3339 in UTC, with `Z`.
#[derive(Debug, Clone, Copy)]
pub struct Time(i64);

impl Time {
    /// Of seconds since the epoch.
    pub fn at(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads one as it is written; what is less than a second is left out. `None`: it is none, or of another zone.
    pub fn read(text: &str) -> Option<Self> {
        from_rfc3339(text).filter(|_| text.ends_with('Z')).map(Self)
    }

    /// Seconds since the epoch.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

/// A secret on its way to whom it belongs: the one type that writes one into an answer.
pub struct Shown(Sensitive<String>);

impl Shown {
    /// Of the secret's text.
    pub fn new(text: &str) -> Self {
        Self(Sensitive::new(text.to_owned()))
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// That something was done, where there is nothing to show.
#[derive(Serialize, JsonSchema)]
pub struct Message {
    /// For the person: what was done, or what to do next.
    pub message: &'static str,
}

/// A person.
#[derive(Serialize, JsonSchema)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address, as they gave it.
    pub email: String,
    /// Their name.
    pub full_name: String,
    /// Whether their organization has finished onboarding.
    #[serde(rename = "hasOnboarded")]
    pub has_onboarded: bool,
}

impl From<&Identity> for User {
    fn from(identity: &Identity) -> Self {
        Self {
            id: identity.user_id.clone(),
            email: identity.email.clone(),
            full_name: identity.full_name.clone(),
            has_onboarded: identity.has_onboarded,
        }
    }
}

/// What an `Authorization` header begins with (RFC 6750).
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub enum TokenType {
    /// The one there is.
    Bearer,
}

/// Both tokens: the answer of verify and of refresh.
#[derive(Serialize, JsonSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer`.
    #[schemars(extend("pattern" = "^eyJ"))]
    pub access_token: Shown,
    /// For the next refresh, once. Always there, but for the dashboard, which has it in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Shown", extend("pattern" = format!("^{}", crate::tokens::refresh_token::PREFIX)))]
    pub refresh_token: Option<Shown>,
    /// What goes before the access token.
    pub token_type: TokenType,
    /// Seconds that the access token lives.
    #[schemars(extend("const" = LIFETIME_SECONDS))]
    pub expires_in: i64,
    /// Whose they are.
    pub user: User,
}

impl From<&flows::Tokens> for Tokens {
    fn from(tokens: &flows::Tokens) -> Self {
        Self {
            access_token: Shown::new(tokens.access_token.expose()),
            refresh_token: Some(Shown::new(tokens.refresh_token.expose())),
            token_type: TokenType::Bearer,
            expires_in: tokens.expires_in,
            user: (&tokens.identity).into(),
        }
    }
}

/// An API key's record, never the key.
#[derive(Serialize, JsonSchema)]
pub struct Key {
    /// Its record's id.
    pub api_key_id: KeyId,
    /// The name its maker gave it.
    pub key_name: String,
    /// The environment it works in.
    pub env: Env,
    /// Its prefix and its last four characters.
    pub hint: String,
    /// What it is good for now.
    pub status: Status,
    /// When it was made.
    pub created_at: Time,
    /// From when on it is refused; null: it lives until it is revoked.
    pub expires_at: Option<Time>,
    /// When it was revoked; null: it was not.
    pub revoked_at: Option<Time>,
    /// The minute it was last used in, as far as is known: it can lag by some minutes. Null: it was never used.
    pub last_used_at: Option<Time>,
    /// The addresses and ranges it may be used from; empty: from anywhere.
    #[schemars(with = "AllowedAddresses")]
    pub allowed_addresses: Vec<String>,
    /// Where it was found in public, if that is why it was revoked.
    pub leak: Option<Leak>,
}

/// Where a key was found in public.
#[derive(Serialize, JsonSchema)]
pub struct Leak {
    /// Who found it: `github`.
    pub reported_by: String,
    /// What it stood in: `content`, `commit`, `issue_comment`, …
    pub source: String,
    /// Its address, where that is known.
    pub url: Option<String>,
}

impl From<&leaks::Leak> for Leak {
    fn from(leak: &leaks::Leak) -> Self {
        let leaks::Leak { reported_by, place } = leak;
        Self {
            reported_by: reported_by.clone(),
            source: place.source.clone(),
            url: (!place.url.is_empty()).then(|| place.url.clone()),
        }
    }
}

impl From<&DescribedKey> for Key {
    fn from(described: &DescribedKey) -> Self {
        let record = &described.record;
        Self {
            api_key_id: record.api_key_id.clone(),
            key_name: record.key_name.clone(),
            env: record.env,
            hint: record.hint.clone(),
            status: described.status,
            created_at: Time(record.created_at),
            expires_at: record.key_expires_at.map(Time),
            revoked_at: record.revoked_at.map(Time),
            last_used_at: record.last_used_at.map(Time),
            allowed_addresses: record.allowed_addresses.to_texts(),
            leak: record.leak.as_ref().map(Leak::from),
        }
    }
}

/// A member of an organization.
#[derive(Serialize, JsonSchema)]
pub struct Member {
    /// The person's id.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub full_name: String,
    /// What they may.
    pub role: Role,
    /// When they joined.
    pub joined_at: Time,
}

impl From<&store::Member> for Member {
    fn from(member: &store::Member) -> Self {
        Self {
            user_id: member.user_id.clone(),
            email: member.email.clone(),
            full_name: member.full_name.clone(),
            role: member.role,
            joined_at: Time(member.joined_at),
        }
    }
}

/// An organization.
#[derive(Serialize, JsonSchema)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// The person it belongs to.
    pub owner_user_id: UserId,
    /// How far it has come with telling us who it is. Going live needs `COMPLETED`.
    pub onboarding_status: OnboardingStatus,
    /// Whether real money may move. Going live needs `ENABLED`.
    pub payments_status: PaymentsStatus,
    /// The environment new keys are made for.
    pub current_env: Env,
    /// ISO 3166-1 alpha-2.
    #[schemars(length(equal = 2))]
    pub country: String,
    /// False while it is suspended.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Time,
    /// When something of it last changed.
    pub updated_at: Time,
}

impl From<&organizations::Organization> for Organization {
    fn from(organization: &organizations::Organization) -> Self {
        Self {
            id: organization.id.clone(),
            name: organization.name.clone(),
            owner_user_id: organization.owner_user_id.clone(),
            onboarding_status: organization.onboarding_status,
            payments_status: organization.payments_status,
            current_env: organization.current_env,
            country: organization.country.clone(),
            is_active: organization.is_active,
            created_at: Time(organization.created_at),
            updated_at: Time(organization.updated_at),
        }
    }
}
