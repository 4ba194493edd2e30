//! The first step of a login: address and password, answered with a challenge.

use super::trail::Trail;
use super::{Origin, Refusal, which_organization};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::challenges::{Challenge, Code, LIFETIME_SECONDS, SecondStep};
use crate::guards::{CODES, Guard};
use crate::ids::ChallengeId;
use crate::mail::letters;
use crate::passwords;
use crate::sensitive::Sensitive;
use crate::store::Counted;
use crate::users::{Identity, User};

/// A login that has passed its first step.
#[derive(Debug)]
pub struct LoginStarted {
    /// What the second step names.
    pub challenge_id: ChallengeId,
    /// How the second step is done.
    pub method: SecondStep,
    /// Whether a backup code would do, too.
    pub backup_code_allowed: bool,
    /// When it dies. Seconds since the epoch.
    pub expires_at: i64,
    /// Who is logging in.
    pub identity: Identity,
}

/// Checks address and password, and mails a code to whoever has no authenticator app.
///
/// An unknown address costs the same reads, writes and hashing as a wrong password, and answers the same.
///
/// # Errors
/// [`Refusal::TooManyAttempts`] before anything is hashed, [`Refusal::InvalidCredentials`], and only then
/// [`Refusal::OrganizationSuspended`].
pub async fn login(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    password: &Sensitive<String>,
) -> Result<LoginStarted, Refusal> {
    let mut trail = Trail::new(app, "login", origin);
    trail.address(address);
    let result = attempt(app, origin, address, password, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    password: &Sensitive<String>,
    trail: &mut Trail<'_>,
) -> Result<LoginStarted, Refusal> {
    let now = app.clock.now_seconds();
    let (user, code_guesses) = app.store.user_and_code_guesses(address).await?;
    if let Some(user) = &user {
        trail.actor(&user.user_id, &user.org_id);
    }
    // Ten wrong codes shut the address, not just one challenge; or each new login would bring five more guesses.
    if let Some(until) = code_guesses.locked_until(CODES, now) {
        return Err(Refusal::TooManyAttempts { retry_after: until - now });
    }
    // Counted before it is judged: of many guesses at once, no more are judged than are allowed.
    if let Counted::Locked { until } = app
        .store
        .count_guess(&Guard::passwords(address, &origin.network), &|guard| trail.locked(guard), now)
        .await?
    {
        return Err(Refusal::TooManyAttempts { retry_after: until - now });
    }
    let stored = user.as_ref().map(|user| user.password_hash.as_str());
    let right = app.passwords.verify(password, stored).await?;
    let user = user.filter(|_| right).ok_or(Refusal::InvalidCredentials)?;
    let next = Next::of(&user);
    // This is the moment the password is in hand; the second step stores it.
    let new_password_hash = match passwords::is_outdated(&user.password_hash) {
        true => Some(app.passwords.hash(password, app.rng.as_ref()).await?),
        false => None,
    };
    let identity = which_organization::last_used(app, user).await?;
    let started = challenge(app, origin, address, identity, (&next, new_password_hash)).await?;
    trail.target(&started.challenge_id);
    Ok(started)
}

/// What the first step saw of how the second is done.
struct Next {
    method: SecondStep,
    backup_code_allowed: bool,
    credentials: u32,
}

impl Next {
    fn of(user: &User) -> Self {
        let (method, backup_code_allowed) = match user.totp {
            None => (SecondStep::EmailOtp, false),
            Some(_) => (SecondStep::Totp, !user.backup_codes.is_empty()),
        };
        Self { method, backup_code_allowed, credentials: user.credentials }
    }
}

async fn challenge(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    identity: Identity,
    (next, new_password_hash): (&Next, Option<String>),
) -> Result<LoginStarted, Refusal> {
    let now = app.clock.now_seconds();
    let challenge_id = ChallengeId::new(app.clock.as_ref(), app.rng.as_ref());
    let code = match next.method {
        SecondStep::EmailOtp => Some(Code::generate(app.rng.as_ref())),
        SecondStep::Totp => None,
    };
    let code_hash = match &code {
        Some(code) => code.hash(app.secrets.codes().await?.current(), &challenge_id),
        None => String::new(),
    };
    let challenge = Challenge {
        method: next.method,
        code_hash,
        challenge_id,
        identity,
        address_hash: address.hash(),
        network: origin.network.clone(),
        credentials: next.credentials,
        new_password_hash,
        attempts: 0,
        resends: 0,
        sent_at: now,
        expires_at: now + LIFETIME_SECONDS,
        consumed_at: None,
    };
    app.store.put_challenge(&challenge).await?;
    if let Some(code) = &code {
        app.mailer.send(&challenge.identity.email, &letters::login_code(code)).await?;
    }
    Ok(LoginStarted {
        challenge_id: challenge.challenge_id,
        method: next.method,
        backup_code_allowed: next.backup_code_allowed,
        expires_at: challenge.expires_at,
        identity: challenge.identity,
    })
}
