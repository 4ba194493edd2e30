//! API keys.

use keys::{ChangeKey, CreateKey, CreatedKey, Keys, Page};
use serde_json::json;
use shared::api_keys::{Env, Status};
use shared::flows::Refusal::{
    ActiveKeyExists, IdempotencyMismatch, IdempotencySpent, InsufficientRole, KeyRevoked,
    OnboardingIncomplete, OrganizationSuspended, RateLimited, SessionOver, WrongOrganization,
};
use shared::http::{Key, Shown};
use shared::ids::{InvalidId, KeyId};

use super::member;
use super::samples::{KEY, NAME, key, minutes_later};
use crate::operation::{Caller, Operation, Parameter, in_path};

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![create()?, list()?, change()?, revoke()?])
}

fn create() -> Result<Operation, InvalidId> {
    let created = CreatedKey {
        api_key_id: KeyId::parse(KEY)?,
        key: Shown::new(&format!("{}…", Env::Test.key_prefix())),
        key_name: NAME.to_owned(),
        env: Env::Test,
        created_at: minutes_later(30),
        expires_at: None,
        allowed_addresses: Vec::new(),
    };
    Ok(Operation::new(
        ("post", "/api/v1/auth/api-keys"),
        ("API keys", "createKey"),
        "Make an API key",
        "The answer shows the key, this once. It is for the environment that the organization is in; `env` is accepted and changes nothing. \
         To rotate, revoke the active key and make another. A person makes one a minute. With an `idempotency_key` the same request may be \
         sent again for 24 hours and gets the identical answer, key included. Roles: owner, admin.",
    )
    .for_a(Caller::Person)
    .takes::<CreateKey>(json!({ "key_name": NAME }))
    .answers(201, "Made. Keep the key: nobody can show it again.", created)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, OnboardingIncomplete])
    .refuses([IdempotencyMismatch, IdempotencySpent, ActiveKeyExists, RateLimited { retry_after: 1 }]))
}

fn list() -> Result<Operation, InvalidId> {
    let limit = Parameter {
        place: "query",
        name: "limit",
        about: "At most so many keys.",
        schema: |generator| member::<Page>(generator, "limit"),
        example: None,
    };
    let cursor = Parameter {
        place: "query",
        name: "cursor",
        about: "The `next_cursor` of the page before.",
        schema: |generator| member::<Page>(generator, "cursor"),
        example: None,
    };
    let page = Keys { next_cursor: None, keys: vec![key(Status::Active, None)?] };
    Ok(Operation::new(
        ("get", "/api/v1/auth/api-keys"),
        ("API keys", "listKeys"),
        "List the organization's API keys, newest first",
        "",
    )
    .for_a(Caller::Person)
    .with(limit)
    .with(cursor)
    .answers(200, "A page of them. Never the keys themselves.", page)
    .refuses([OrganizationSuspended]))
}

fn change() -> Result<Operation, InvalidId> {
    let changed = Key {
        allowed_addresses: vec!["203.0.113.0/24".to_owned(), "2001:db8::7".to_owned()],
        ..key(Status::Active, None)?
    };
    Ok(Operation::new(
        ("patch", "/api/v1/auth/api-keys/{api_key_id}"),
        ("API keys", "changeKey"),
        "Say where an API key may be used from",
        "A key with a list is refused elsewhere with `address_not_allowed`, from the very next request on: by every API whose gateway tells the \
         authorizer the caller's address. This API's does not: here a key with a list is always refused. An empty list lets the key be used from \
         anywhere. Roles: owner, admin.",
    )
    .for_a(Caller::Person)
    .with(in_path("api_key_id", "The id of its record, from making or listing it.", KEY))
    .takes::<ChangeKey>(json!({ "allowed_addresses": ["203.0.113.0/24", "2001:db8::7"] }))
    .answers(200, "The key, with that list.", changed)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, KeyRevoked]))
}

fn revoke() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("delete", "/api/v1/auth/api-keys/{api_key_id}"),
        ("API keys", "revokeKey"),
        "Revoke an API key",
        "It is refused from the very next request. Revoking again gives the same answer. Roles: owner, admin.",
    )
    .for_a(Caller::Person)
    .with(in_path("api_key_id", "The id of its record, from making or listing it.", KEY))
    .answers(200, "Revoked, now or before.", key(Status::Revoked, Some(minutes_later(90)))?)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole]))
}
