//! People.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::factors::Totp;
use crate::ids::{OrgId, UserId};

/// What a person is in an organization. What each may do is the table of `authz/permissions.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything; the organization is theirs.
    Owner,
    /// Everything an owner may, but own.
    Admin,
    /// Looks, and connects other systems.
    Developer,
    /// Look, not touch.
    Viewer,
}

impl Role {
    /// Every role, from the one that may most.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// `owner`, `admin`, `developer` or `viewer`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// Reads a role as it stands in a token or an item.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A person who can log in. Found by the hash of their address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub user_id: UserId,
    /// Their address, as they gave it.
    pub email: String,
    /// Their name.
    pub full_name: String,
    /// PHC string.
    pub password_hash: String,
    /// The organization they last logged in to.
    pub org_id: OrgId,
    /// How often what they log in with has changed. A login that began before a change does not end after it.
    #[serde(default)]
    pub credentials: u32,
    /// Their authenticator app, if it is on: then no mailed code lets them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<Totp>,
    /// Hashes of the backup codes that are left.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub backup_codes: BTreeSet<String>,
}

impl User {
    /// Somebody new in `org_id`, whose address is known to be theirs. `email` is their address as they gave it, `password_hash` a PHC string.
    pub fn new(
        user_id: UserId,
        email: String,
        full_name: String,
        password_hash: String,
        org_id: OrgId,
    ) -> Self {
        Self {
            user_id,
            email,
            full_name,
            password_hash,
            org_id,
            credentials: 0,
            totp: None,
            backup_codes: BTreeSet::new(),
        }
    }
}

/// Without address, name and hash: an accidental `{:?}` in a log gives away an id at most.
impl std::fmt::Debug for User {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("User")
            .field("user_id", &self.user_id)
            .field("org_id", &self.org_id)
            .finish_non_exhaustive()
    }
}

/// Who somebody is and what they may do, as a login found it. A challenge and a session carry it, so that neither the
/// second step nor a refresh has to read the user again; the writes of both check what can have changed of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The person.
    pub user_id: UserId,
    /// The organization they act for.
    pub org_id: OrgId,
    /// Their address, as they gave it.
    pub email: String,
    /// Their name.
    pub full_name: String,
    /// Their role; checked by the writes.
    pub role: Role,
    /// Whether their organization has finished onboarding; checked by the writes.
    pub has_onboarded: bool,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Identity")
            .field("user_id", &self.user_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_older_code_is_read_whatever_else_it_says() {
        let item = serde_json::json!({
            "user_id": "usr_01JD0000000000000000000001", "email": "o@x.example", "full_name": "O", "password_hash": "$argon2id$",
            "org_id": "org_01JD0000000000000000000001", "unverified": false, "pk": "EMAIL#1", "sk": "USER", "v": 1,
        });
        let user: User = serde_json::from_value(item).unwrap();
        assert_eq!((user.credentials, user.totp, user.backup_codes.len()), (0, None, 0));
    }
}
