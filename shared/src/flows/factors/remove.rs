//! Turning the authenticator app off.

use super::super::trail::Trail;
use super::{Origin, Person, Proof, Refusal, WRITE_TRIES};
use crate::app::App;
use crate::failure::Failure;
use crate::mail::letters;
use crate::principals::{Principal, UserPrincipal};
use crate::store::FactorsOutcome;

/// Turns the app off, and takes the backup codes away with it: codes are mailed again. Logins that are under way end nowhere any more.
///
/// # Errors
/// [`Refusal::NotFound`] without an app, [`Refusal::TooManyAttempts`] before anything is hashed, [`Refusal::InvalidCredentials`],
/// [`Refusal::InvalidCode`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn remove_totp(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    proof: &Proof,
) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "totp.remove", origin, &Principal::User(user.clone()));
    trail.target(&user.user_id);
    let result = attempt(app, origin, user, proof, &trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    proof: &Proof,
    trail: &Trail<'_>,
) -> Result<(), Refusal> {
    let now = app.clock.now_seconds();
    let mut person = Person::read(app, user).await?;
    let spent = person.prove(app, origin, proof, trail, now).await?;
    for _ in 0..WRITE_TRIES {
        let event = trail.event();
        match app.store.turn_totp_off(&person.change(origin, &event, now), &spent).await? {
            FactorsOutcome::Changed => {
                person.tell(app, origin, &letters::totp_off()).await;
                return Ok(());
            }
            // The same request may have come twice: what was to be gone is gone.
            FactorsOutcome::Spent => {
                let is_off = Person::read(app, user).await?.user.totp.is_none();
                return Err(if is_off { Refusal::NotFound } else { Refusal::InvalidCode });
            }
            // It says why, or the write is tried again.
            FactorsOutcome::StandingChanged => person = Person::read(app, user).await?,
        }
    }
    Err(Failure::Contended.into())
}
