//! Who a credential is.

use std::net::IpAddr;

use crate::api_keys::PlainKey;
use crate::app::App;
use crate::failure::Failure;
use crate::ids::{OrgId, SessionId, UserId};
use crate::principals::{KeyPrincipal, Principal, UserPrincipal};
use crate::tokens::access_token::Claims;
use crate::users::Role;

/// Why a credential is nobody's.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// Not authentic. The word is for the log; the client learns none of it.
    #[error("not authentic: {0}")]
    NotAuthentic(&'static str),
    /// Authentic, but its organization is suspended.
    #[error("the organization is suspended")]
    Suspended(Principal),
    /// Authentic, but not from where it may be used, or from nobody knows where.
    #[error("the address is not allowed")]
    AddressNotAllowed(Principal),
    /// It could not be found out: neither allow nor deny.
    #[error(transparent)]
    Unavailable(#[from] Failure),
}

/// Why somebody who is known is denied.
pub const DENIALS: [&str; 2] = ["organization_suspended", "address_not_allowed"];

impl Rejection {
    /// Whose credential it is, and the code that says why it is refused all the same: 403.
    pub fn denied(&self) -> Option<(&Principal, &'static str)> {
        let [suspended, address] = DENIALS;
        match self {
            Self::Suspended(principal) => Some((principal, suspended)),
            Self::AddressNotAllowed(principal) => Some((principal, address)),
            Self::NotAuthentic(_) | Self::Unavailable(_) => None,
        }
    }
}

/// [`authenticate_from`] where nobody knows where the call comes from.
///
/// # Errors
/// As there.
pub async fn authenticate(app: &App, credential: &str) -> Result<Principal, Rejection> {
    authenticate_from(app, credential, None).await
}

/// Says who a credential is. An access token costs no read of its own, an API key one, anything else none.
///
/// `source` is the caller's address, if the gateway says so: the one word about it that is believed.
///
/// # Errors
/// Why it is nobody's, or is not let in.
pub async fn authenticate_from(
    app: &App,
    credential: &str,
    source: Option<IpAddr>,
) -> Result<Principal, Rejection> {
    if credential.starts_with("sk_") {
        return api_key(app, credential, source).await;
    }
    if credential.starts_with("eyJ") {
        return access_token(app, credential).await;
    }
    Err(Rejection::NotAuthentic("unknown_form"))
}

async fn api_key(app: &App, credential: &str, source: Option<IpAddr>) -> Result<Principal, Rejection> {
    let key = PlainKey::parse(credential).map_err(|_| Rejection::NotAuthentic("malformed_key"))?;
    let found = app.store.key_credential(&key.hash()).await.map_err(Failure::from)?;
    let found = found.ok_or(Rejection::NotAuthentic("unknown_key"))?;
    if found.revoked_at.is_some() {
        return Err(Rejection::NotAuthentic("revoked_key"));
    }
    if found.key_expires_at.is_some_and(|at| at <= app.clock.now_seconds()) {
        return Err(Rejection::NotAuthentic("expired_key"));
    }
    let principal = Principal::ApiKey(KeyPrincipal {
        api_key_id: found.api_key_id,
        org_id: found.org_id,
        env: found.env,
    });
    if found.org_suspended {
        return Err(Rejection::Suspended(principal));
    }
    if !found.allowed_addresses.allow(source) {
        return Err(Rejection::AddressNotAllowed(principal));
    }
    Ok(principal)
}

async fn access_token(app: &App, credential: &str) -> Result<Principal, Rejection> {
    let keyring = app.key_sets.current().await.map_err(Failure::from)?;
    let token = app.remembered.verify(credential, &keyring, &app.audience, app.clock.now_seconds());
    let token = token.map_err(|error| Rejection::NotAuthentic(error.word()))?;
    user(&token.claims).ok_or(Rejection::NotAuthentic("implausible_claims"))
}

fn user(claims: &Claims) -> Option<Principal> {
    Some(Principal::User(UserPrincipal {
        user_id: UserId::parse(&claims.sub).ok()?,
        org_id: OrgId::parse(&claims.org).ok()?,
        role: Role::parse(&claims.role)?,
        session_id: SessionId::parse(&claims.sid).ok()?,
    }))
}
