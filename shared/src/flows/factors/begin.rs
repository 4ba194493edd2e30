//! Setting an authenticator app up: its secret, shown once, which does nothing before a code confirms it.

use super::super::trail::Trail;
use super::{Origin, Person, Refusal, WRITE_TRIES};
use crate::app::App;
use crate::factors::{PENDING_SECONDS, PendingTotp, SealedTotp, TotpSecret};
use crate::failure::Failure;
use crate::guards::Guard;
use crate::principals::{Principal, UserPrincipal};
use crate::sensitive::Sensitive;
use crate::store::FactorsOutcome;

/// An app that waits for its first code.
#[derive(Debug)]
pub struct TotpBegun {
    /// The secret in base 32.
    pub secret: Sensitive<String>,
    /// The same as an `otpauth:` URI.
    pub uri: Sensitive<String>,
    /// Until when it can be confirmed. Seconds since the epoch.
    pub expires_at: i64,
}

/// Begins to set an app up, in the place of what was begun before.
///
/// # Errors
/// [`Refusal::TotpEnabled`], [`Refusal::TooManyAttempts`] before anything is hashed, [`Refusal::InvalidCredentials`],
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn begin_totp(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    password: &Sensitive<String>,
) -> Result<TotpBegun, Refusal> {
    let mut trail = Trail::of(app, "totp.begin", origin, &Principal::User(user.clone()));
    trail.target(&user.user_id);
    let result = attempt(app, origin, user, password, &trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    password: &Sensitive<String>,
    trail: &Trail<'_>,
) -> Result<TotpBegun, Refusal> {
    let now = app.clock.now_seconds();
    let mut person = Person::read(app, user).await?;
    if person.user.totp.is_some() {
        return Err(Refusal::TotpEnabled);
    }
    let keys = app.secrets.factors().await?;
    person.count(app, &Guard::passwords(&person.address, &origin.network), trail, now).await?;
    if !app.passwords.verify(password, Some(&person.user.password_hash)).await? {
        return Err(Refusal::InvalidCredentials);
    }
    let secret = TotpSecret::generate(app.rng.as_ref());
    let sealed = SealedTotp::seal(app.rng.as_ref(), keys.current(), &user.user_id, &secret);
    let pending =
        PendingTotp { sealed: sealed.map_err(|_| Failure::Sealing)?, expires_at: now + PENDING_SECONDS };
    for _ in 0..WRITE_TRIES {
        let event = trail.event();
        match app.store.begin_totp(&person.change(origin, &event, now), &pending).await? {
            FactorsOutcome::Changed => {
                let (uri, expires_at) = (secret.uri(&person.user.email), pending.expires_at);
                return Ok(TotpBegun { secret: secret.base32(), uri, expires_at });
            }
            FactorsOutcome::Spent | FactorsOutcome::StandingChanged => {
                person = Person::read(app, user).await?;
            }
        }
    }
    Err(Failure::Contended.into())
}
