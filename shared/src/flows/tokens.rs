//! What a completed login and a refresh give: an access token and a refresh token.

use super::Refusal;
use crate::app::App;
use crate::failure::Failure;
use crate::ids;
use crate::secrets::Signing;
use crate::sensitive::Sensitive;
use crate::sessions::Session;
use crate::store::Changed;
use crate::tokens::access_token::{Claims, LIFETIME_SECONDS};
use crate::tokens::refresh_token::RefreshToken;
use crate::users::Identity;

/// Both tokens, and whose they are.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: Sensitive<String>,
    /// The refresh token.
    pub refresh_token: RefreshToken,
    /// How long the access token lives, in seconds.
    pub expires_in: i64,
    /// Whose they are.
    pub identity: Identity,
}

/// Signs an access token for a session.
pub(super) async fn issue(
    app: &App,
    signing: &Signing,
    session: Session,
    refresh_token: RefreshToken,
) -> Result<Tokens, Refusal> {
    let keyring = app.key_sets.current().await?;
    if keyring.find(signing.signer.kid()).is_none() {
        return Err(Failure::UnpublishedKey.into());
    }
    let now = app.clock.now_seconds();
    let identity = session.identity;
    let claims = Claims {
        iss: keyring.issuer.clone(),
        sub: identity.user_id.to_string(),
        aud: app.audience.clone(),
        exp: now + LIFETIME_SECONDS,
        iat: now,
        jti: ids::new_token_id(app.clock.as_ref(), app.rng.as_ref()),
        sid: session.session_id.to_string(),
        org: identity.org_id.to_string(),
        role: identity.role.as_str().to_owned(),
    };
    let access_token = Sensitive::new(signing.signer.sign(&claims)?);
    Ok(Tokens { access_token, refresh_token, expires_in: LIFETIME_SECONDS, identity })
}

/// Why an identity cannot be brought up to date.
pub(super) enum Stale {
    Suspended,
    NoMember,
}

/// Brings an identity up to date with what a write found to differ.
pub(super) fn update(identity: &mut Identity, changed: Changed) -> Result<(), Stale> {
    if let Some(organization) = changed.organization {
        let organization = organization.filter(|it| it.is_active).ok_or(Stale::Suspended)?;
        identity.has_onboarded = organization.has_onboarded();
    }
    if let Some(role) = changed.role {
        identity.role = role.ok_or(Stale::NoMember)?;
    }
    Ok(())
}
