//! The first code of an authenticator app turns it on.

use super::super::trail::Trail;
use super::{Origin, Person, Refusal, WRITE_TRIES, new_backup_codes};
use crate::app::App;
use crate::challenges::Code;
use crate::factors::{BackupCode, PendingTotp, Totp};
use crate::failure::Failure;
use crate::guards::Guard;
use crate::mail::letters;
use crate::principals::{Principal, UserPrincipal};
use crate::store::FactorsOutcome;

/// Turns on the app that was begun, and gives ten backup codes. Logins that are under way end nowhere any more.
///
/// # Errors
/// [`Refusal::TotpEnabled`], [`Refusal::NotFound`] when nothing was begun in the last ten minutes, [`Refusal::TooManyAttempts`],
/// [`Refusal::InvalidCode`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn confirm_totp(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    code: &Code,
) -> Result<Vec<BackupCode>, Refusal> {
    let mut trail = Trail::of(app, "totp.confirm", origin, &Principal::User(user.clone()));
    trail.target(&user.user_id);
    let result = attempt(app, origin, user, code, &trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    code: &Code,
    trail: &Trail<'_>,
) -> Result<Vec<BackupCode>, Refusal> {
    let now = app.clock.now_seconds();
    let mut person = Person::read(app, user).await?;
    let pending = begun(&person, now)?;
    let keys = app.secrets.factors().await?;
    let (secret, _) = pending.sealed.open(&keys.all(), &user.user_id).map_err(|_| Failure::Sealing)?;
    person.count(app, &[Guard::codes(&person.address_hash)], trail, now).await?;
    let last_step = secret.step_of(code.expose(), now, None).ok_or(Refusal::InvalidCode)?;
    let totp = Totp { sealed: pending.sealed.clone(), last_step, since: now };
    let (codes, hashes) = new_backup_codes(app, &keys, &person.user);
    for _ in 0..WRITE_TRIES {
        let event = trail.event();
        let change = person.change(origin, &event, now);
        match app.store.turn_totp_on(&change, &pending, &totp, hashes.clone()).await? {
            FactorsOutcome::Changed => {
                person.tell(app, origin, &letters::totp_on()).await;
                return Ok(codes);
            }
            FactorsOutcome::Spent | FactorsOutcome::StandingChanged => {
                person = Person::read(app, user).await?;
                // The code was another secret's.
                if begun(&person, now)? != pending {
                    return Err(Refusal::InvalidCode);
                }
            }
        }
    }
    Err(Failure::Contended.into())
}

/// What waits to be confirmed.
fn begun(person: &Person<'_>, now: i64) -> Result<PendingTotp, Refusal> {
    if person.user.totp.is_some() {
        return Err(Refusal::TotpEnabled);
    }
    person.pending.clone().filter(|pending| pending.expires_at > now).ok_or(Refusal::NotFound)
}
