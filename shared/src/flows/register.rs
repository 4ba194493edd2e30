//! Signing up, and having the code of it sent again. See `docs/adr/0021-sign-up.md`.

use super::trail::Trail;
use super::{Origin, Refusal, mails, set_password};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::challenges::Code;
use crate::guards::GuardKind;
use crate::ids::{OrgId, UserId};
use crate::mail::letters;
use crate::sensitive::Sensitive;
use crate::sign_ups::{self, CODE_LIFETIME_SECONDS, LIFETIME_SECONDS, SignUp};
use crate::users::Identity;

/// What somebody signs up with.
#[derive(Debug)]
pub struct NewAccount {
    /// Their address, as they gave it.
    pub email: String,
    /// The same, normalized.
    pub address: EmailAddress,
    /// Their password.
    pub password: Sensitive<String>,
    /// Their name.
    pub full_name: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// Takes a sign-up: an account to be, which is there as soon as the code that is mailed was typed. An address that somebody has is told the
/// same, costs the same, and its owner is mailed instead. The latest sign-up of an address is the one that counts.
///
/// # Errors
/// [`Refusal::CommonPassword`], [`Refusal::RateLimited`].
pub async fn register(app: &App, origin: &Origin, new: &NewAccount) -> Result<Identity, Refusal> {
    let mut trail = Trail::new(app, "register", origin);
    trail.address(&new.address);
    let result = attempt(app, new, &mut trail).await;
    trail.end(result)
}

async fn attempt(app: &App, new: &NewAccount, trail: &mut Trail<'_>) -> Result<Identity, Refusal> {
    set_password::judge(&new.password, &new.email, &new.full_name)?;
    let now = app.clock.now_seconds();
    mails::count(app, trail, &new.address, [GuardKind::SignUps], now).await?;
    let codes = app.secrets.codes().await?;
    let (clock, rng) = (app.clock.as_ref(), app.rng.as_ref());
    let password_hash = app.passwords.hash(&new.password, rng).await?;
    let owner = app.store.user(&new.address).await?;
    let (user_id, code) = (UserId::new(clock, rng), Code::generate(rng));
    let sign_up = SignUp {
        code_hash: sign_ups::code_hash(&code, codes.current(), &user_id),
        user_id,
        org_id: OrgId::new(clock, rng),
        email: new.email.clone(),
        full_name: new.full_name.clone(),
        password_hash,
        country: new.country.clone().unwrap_or_else(|| sign_ups::NO_COUNTRY.to_owned()),
        attempts: 0,
        code_expires_at: now + CODE_LIFETIME_SECONDS,
        expires_at: now + LIFETIME_SECONDS,
        taken: owner.is_some(),
    };
    trail.target(&sign_up.user_id);
    if sign_up.taken {
        trail.note("taken");
    }
    app.store.put_sign_up(&new.address, &sign_up, &trail.event()).await?;
    match owner {
        None => app.mailer.send(&sign_up.email, &letters::sign_up_code(&code)).await?,
        Some(owner) => app.mailer.send(&owner.email, &letters::sign_up_taken()).await?,
    }
    Ok(sign_up.identity())
}

/// Has the code of a sign-up mailed again: a new one, the old one dead. Once a minute, three times. An address without a sign-up that waits is
/// told the same, costs the same, and is mailed that.
///
/// # Errors
/// [`Refusal::RateLimited`].
pub async fn resend_sign_up_code(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    email: &str,
) -> Result<(), Refusal> {
    let mut trail = Trail::new(app, "verify_email.resend", origin);
    trail.address(address);
    let result = resend(app, address, email, &mut trail).await;
    trail.end(result)
}

async fn resend(
    app: &App,
    address: &EmailAddress,
    email: &str,
    trail: &mut Trail<'_>,
) -> Result<(), Refusal> {
    let now = app.clock.now_seconds();
    mails::count(app, trail, address, [GuardKind::ResendsSoon, GuardKind::Resends], now).await?;
    let codes = app.secrets.codes().await?;
    let (clock, rng) = (app.clock.as_ref(), app.rng.as_ref());
    let sign_up = app.store.sign_up(address).await?;
    // Nobody's, where there is none: the write is refused, as it is for whoever does not wait any more.
    let user_id = sign_up.as_ref().map_or_else(|| UserId::new(clock, rng), |it| it.user_id.clone());
    // As it was given when they signed up, where they did.
    let to = sign_up.as_ref().map_or(email, |it| it.email.as_str()).to_owned();
    let code = Code::generate(rng);
    let code_hash = sign_ups::code_hash(&code, codes.current(), &user_id);
    let waits = app
        .store
        .replace_sign_up_code(address, &user_id, &code_hash, now + CODE_LIFETIME_SECONDS, now)
        .await?;
    let letter = match sign_up {
        Some(sign_up) if waits && !sign_up.taken => letters::sign_up_code(&code),
        Some(sign_up) if waits && sign_up.taken => letters::sign_up_taken(),
        _ => letters::nothing_to_confirm(),
    };
    trail.note(if waits { "" } else { "nothing_waits" });
    Ok(app.mailer.send(&to, &letter).await?)
}
