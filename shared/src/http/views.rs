//! Things as clients see them, where more than one function shows them.

use serde_json::{Value, json};

use crate::api_keys::Status;
use crate::clock::rfc3339;
use crate::flows::{DescribedKey, Tokens};
use crate::organizations::Organization;
use crate::users::Identity;

/// A person.
pub fn user(identity: &Identity) -> Value {
    json!({
        "id": identity.user_id,
        "email": identity.email,
        "full_name": identity.full_name,
        "hasOnboarded": identity.has_onboarded,
    })
}

/// Both tokens: the answer of verify and of refresh.
pub fn tokens(tokens: &Tokens) -> Value {
    json!({
        "access_token": tokens.access_token.expose(),
        "refresh_token": tokens.refresh_token.expose(),
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "user": user(&tokens.identity),
    })
}

/// An API key's record, never the key.
pub fn key(described: &DescribedKey) -> Value {
    let record = &described.record;
    let status = match described.status {
        Status::Active => "active",
        Status::Revoked => "revoked",
        Status::Expired => "expired",
    };
    json!({
        "api_key_id": record.api_key_id,
        "key_name": record.key_name,
        "env": record.env.as_str(),
        "hint": record.hint,
        "status": status,
        "created_at": rfc3339(record.created_at),
        "expires_at": record.key_expires_at.map(rfc3339),
        "revoked_at": record.revoked_at.map(rfc3339),
    })
}

/// An organization.
pub fn organization(organization: &Organization) -> Value {
    json!({
        "id": organization.id,
        "name": organization.name,
        "owner_user_id": organization.owner_user_id,
        "onboarding_status": organization.onboarding_status.as_str(),
        "payments_status": organization.payments_status.as_str(),
        "current_env": organization.current_env.as_str(),
        "country": organization.country,
        "is_active": organization.is_active,
        "created_at": rfc3339(organization.created_at),
        "updated_at": rfc3339(organization.updated_at),
    })
}
