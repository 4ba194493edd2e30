//! Principals: who a credential turned out to be.

use crate::api_keys::Env;
use crate::ids::{KeyId, OrgId, SessionId, UserId};
use crate::users::Role;

/// A person with a session. What their token says can be 15 minutes old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPrincipal {
    /// The person.
    pub user_id: UserId,
    /// The organization they act for.
    pub org_id: OrgId,
    /// Their role when the token was issued.
    pub role: Role,
    /// Their session.
    pub session_id: SessionId,
}

/// A server with an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrincipal {
    /// The key's record.
    pub api_key_id: KeyId,
    /// The organization it acts for.
    pub org_id: OrgId,
    /// The environment it works in.
    pub env: Env,
}

/// Who a credential turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person.
    User(UserPrincipal),
    /// A server.
    ApiKey(KeyPrincipal),
}

impl Principal {
    /// The organization it acts for.
    pub fn org_id(&self) -> &OrgId {
        match self {
            Self::User(user) => &user.org_id,
            Self::ApiKey(key) => &key.org_id,
        }
    }

    /// What the audit trail and the authorizer's context call it.
    pub fn id(&self) -> &str {
        match self {
            Self::User(user) => user.user_id.as_str(),
            Self::ApiKey(key) => key.api_key_id.as_str(),
        }
    }
}
