//! What a completed login and a refresh give: an access token and a refresh token.

use std::sync::Arc;

use super::{Origin, Refusal};
use crate::app::App;
use crate::failure::Failure;
use crate::ids::{self, SessionId};
use crate::secrets::{RotatingKey, Signing};
use crate::sensitive::Sensitive;
use crate::sessions::Session;
use crate::store::Changed;
use crate::tokens::access_token::{Claims, LIFETIME_SECONDS};
use crate::tokens::key_set::Keyring;
use crate::tokens::refresh_token::{RefreshToken, Salt};
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
    /// How long the session lives on, in seconds; the refresh token's successors do not make it longer.
    pub session_ends_in: i64,
    /// Whose they are.
    pub identity: Identity,
}

/// What tokens are made with. It is had before anything is written: a write whose answer cannot be made looks to its client like one
/// that failed, and the client's retry looks to us like theft.
pub(super) struct TokenMaker {
    signing: Arc<Signing>,
    keyring: Arc<Keyring>,
}

impl TokenMaker {
    /// Reads the signing key and the key set it must be published in.
    ///
    /// # Errors
    /// [`Refusal::Failed`] when either is away, or the key is not published: what it signed, nobody could verify.
    pub async fn ready(app: &App) -> Result<Self, Refusal> {
        let signing = async { app.secrets.signing().await.map_err(Refusal::from) };
        let keyring = async { app.key_sets.current().await.map_err(Refusal::from) };
        let (signing, keyring) = tokio::try_join!(signing, keyring)?;
        if keyring.find(signing.signer.kid()).is_some() {
            return Ok(Self { signing, keyring });
        }
        // The key that was kept may have been withdrawn: its successor is in the secret already.
        let signing = app.secrets.signing_anew().await?;
        match keyring.find(signing.signer.kid()) {
            Some(_) => Ok(Self { signing, keyring }),
            None => Err(Failure::UnpublishedKey.into()),
        }
    }

    /// The keys that refresh tokens' MACs are made and checked with.
    pub fn refresh_keys(&self) -> &RotatingKey {
        &self.signing.refresh
    }

    /// A new session and its first refresh token, from where the call comes.
    pub fn session(
        &self,
        app: &App,
        origin: &Origin,
        identity: Identity,
        now: i64,
    ) -> (Session, RefreshToken) {
        let (rng, keys) = (app.rng.as_ref(), self.refresh_keys());
        let session_id = SessionId::new(app.clock.as_ref(), rng);
        let refresh_token = RefreshToken::make(keys.current(), &session_id, 0, &Salt::random(rng));
        let session = Session {
            source_address: origin.source_address.clone(),
            client: origin.client.clone(),
            ..Session::new(session_id, identity, refresh_token.hash(), now)
        };
        (session, refresh_token)
    }

    /// Signs an access token for a session.
    pub fn make(&self, app: &App, session: Session, refresh_token: RefreshToken) -> Result<Tokens, Refusal> {
        let now = app.clock.now_seconds();
        let identity = session.identity;
        let claims = Claims {
            iss: self.keyring.issuer.clone(),
            sub: identity.user_id.to_string(),
            aud: app.audience.clone(),
            exp: now + LIFETIME_SECONDS,
            iat: now,
            jti: ids::new_token_id(app.clock.as_ref(), app.rng.as_ref()),
            sid: session.session_id.to_string(),
            org: identity.org_id.to_string(),
            role: identity.role.as_str().to_owned(),
        };
        let access_token = Sensitive::new(self.signing.signer.sign(&claims)?);
        let session_ends_in = session.expires_at.saturating_sub(now);
        Ok(Tokens { access_token, refresh_token, expires_in: LIFETIME_SECONDS, session_ends_in, identity })
    }
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
