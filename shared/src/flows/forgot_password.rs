//! A forgotten password: a token by mail that replaces it. See `docs/adr/0022-passwords.md`.

use super::trail::Trail;
use super::{Origin, Refusal, mails};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::guards::GuardKind;
use crate::mail::letters;
use crate::reset_tokens::{LIFETIME_SECONDS, Reset, ResetToken};

/// Mails a reset token to who has the address. Whoever asks is told the same, and it costs the same, when nobody has it: then the address is
/// mailed that there is no account.
///
/// # Errors
/// [`Refusal::RateLimited`].
pub async fn forgot_password(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    email: &str,
) -> Result<(), Refusal> {
    let mut trail = Trail::new(app, "password.forgot", origin);
    trail.address(address);
    let result = attempt(app, address, email, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    address: &EmailAddress,
    email: &str,
    trail: &mut Trail<'_>,
) -> Result<(), Refusal> {
    let now = app.clock.now_seconds();
    mails::count(app, trail, address, [GuardKind::Resets], now).await?;
    let user = app.store.user(address).await?;
    match &user {
        Some(user) => trail.actor(&user.user_id, &user.org_id),
        None => trail.note("nobody"),
    }
    let token = ResetToken::generate(app.rng.as_ref());
    let reset = Reset {
        address_hash: address.hash(),
        user_id: user.as_ref().map(|user| user.user_id.clone()),
        credentials: user.as_ref().map_or(0, |user| user.credentials),
        expires_at: now + LIFETIME_SECONDS,
    };
    app.store.put_reset(&token, &reset, &trail.event()).await?;
    match user {
        Some(user) => app.mailer.send(&user.email, &letters::password_reset(&token)).await?,
        None => app.mailer.send(email, &letters::no_account()).await?,
    }
    Ok(())
}
