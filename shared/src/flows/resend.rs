//! A code sent again: a new one to the same address, the old one dead.

use super::open_challenge::open_challenge;
use super::trail::Trail;
use super::{Origin, Refusal};
use crate::app::App;
use crate::challenges::{Code, LIFETIME_SECONDS, MAX_RESENDS, RESEND_AFTER_SECONDS, SecondStep};
use crate::guards::Guard;
use crate::ids::ChallengeId;
use crate::mail::letters;
use crate::store::ResendOutcome;

/// A challenge with a new code.
#[derive(Debug)]
pub struct Resent {
    /// The same challenge.
    pub challenge_id: ChallengeId,
    /// When the new code dies. Seconds since the epoch.
    pub expires_at: i64,
}

/// Sends a new code: not sooner than a minute after the last, at most three times a challenge. The tries of the challenge are not
/// given back.
///
/// # Errors
/// [`Refusal::InvalidCode`] when the challenge takes no codes, [`Refusal::TotpEnabled`] when none are mailed, [`Refusal::RateLimited`], [`Refusal::TooManyAttempts`].
pub async fn resend(app: &App, origin: &Origin, challenge_id: &str) -> Result<Resent, Refusal> {
    let mut trail = Trail::new(app, "resend", origin);
    let result = attempt(app, challenge_id, &mut trail).await;
    trail.end(result)
}

async fn attempt(app: &App, challenge_id: &str, trail: &mut Trail<'_>) -> Result<Resent, Refusal> {
    let now = app.clock.now_seconds();
    let challenge = open_challenge(app, challenge_id, now, trail).await?;
    // No code was mailed, so there is none to be sent again. Whoever holds the challenge was told so by the first step.
    if challenge.method == SecondStep::Totp {
        return Err(Refusal::TotpEnabled);
    }
    let challenge_id = challenge.challenge_id;
    if let Some(until) = app.store.guard_locked_until(&Guard::codes(&challenge.address_hash), now).await? {
        return Err(Refusal::TooManyAttempts { retry_after: until - now });
    }
    let codes = app.secrets.codes().await?;
    let code = Code::generate(app.rng.as_ref());
    let expires_at = now + LIFETIME_SECONDS;
    match app
        .store
        .replace_code(&challenge_id, &code.hash(codes.current(), &challenge_id), now, expires_at)
        .await?
    {
        ResendOutcome::Replaced => {
            app.mailer.send(&challenge.identity.email, &letters::login_code(&code)).await?;
            Ok(Resent { challenge_id, expires_at })
        }
        ResendOutcome::Refused(Some(now_is)) if now_is.is_open(now) => {
            let wait = if now_is.resends < MAX_RESENDS {
                now_is.sent_at + RESEND_AFTER_SECONDS
            } else {
                now_is.expires_at
            };
            Err(Refusal::RateLimited { retry_after: wait - now })
        }
        ResendOutcome::Refused(_) => Err(Refusal::InvalidCode),
    }
}
