//! New backup codes in the place of those that are left.

use super::super::trail::Trail;
use super::{Origin, Person, Proof, Refusal, WRITE_TRIES, new_backup_codes};
use crate::app::App;
use crate::factors::BackupCode;
use crate::failure::Failure;
use crate::mail::letters;
use crate::principals::{Principal, UserPrincipal};
use crate::store::FactorsOutcome;

/// Makes ten new backup codes; those of before are dead.
///
/// # Errors
/// [`Refusal::NotFound`] without an app, [`Refusal::TooManyAttempts`] before anything is hashed, [`Refusal::InvalidCredentials`],
/// [`Refusal::InvalidCode`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn remake_backup_codes(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    proof: &Proof,
) -> Result<Vec<BackupCode>, Refusal> {
    let mut trail = Trail::of(app, "backup_codes.make", origin, &Principal::User(user.clone()));
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
) -> Result<Vec<BackupCode>, Refusal> {
    let now = app.clock.now_seconds();
    let mut person = Person::read(app, user).await?;
    let spent = person.prove(app, origin, proof, trail, now).await?;
    let keys = app.secrets.factors().await?;
    let (codes, hashes) = new_backup_codes(app, &keys, &person.user);
    for _ in 0..WRITE_TRIES {
        let event = trail.event();
        let change = person.change(origin, &event, now);
        match app.store.replace_backup_codes(&change, &spent, hashes.clone()).await? {
            FactorsOutcome::Changed => {
                person.tell(app, origin, &letters::backup_codes_made()).await;
                return Ok(codes);
            }
            FactorsOutcome::Spent => return Err(Refusal::InvalidCode),
            // It says why, or the write is tried again.
            FactorsOutcome::StandingChanged => person = Person::read(app, user).await?,
        }
    }
    Err(Failure::Contended.into())
}
