//! A password changed by who knows it. See `docs/adr/0022-passwords.md`.

use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, organizations_of, set_password};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::guards::Guard;
use crate::principals::{Principal, UserPrincipal};
use crate::sensitive::Sensitive;
use crate::store::{Counted, SetPassword, SetPasswordOutcome};
use crate::users::User;

/// Sets a person's password for the one they have, ends every session of theirs but the one they ask from, and tells them. A wrong current
/// password is a guess like any other: it counts where those of logins do.
///
/// # Errors
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::CommonPassword`], [`Refusal::TooManyAttempts`] before anything
/// is hashed, [`Refusal::InvalidCredentials`].
pub async fn change_password(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    current: &Sensitive<String>,
    password: &Sensitive<String>,
) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "password.change", origin, &Principal::User(by.clone()));
    let result = attempt(app, by, current, password, &mut trail).await;
    let result = trail.end(result);
    if let Ok(user) = &result {
        set_password::tell(app, user, &origin.request_id).await;
    }
    result.map(|_| ())
}

async fn attempt(
    app: &App,
    by: &UserPrincipal,
    current: &Sensitive<String>,
    password: &Sensitive<String>,
    trail: &mut Trail<'_>,
) -> Result<User, Refusal> {
    let now = app.clock.now_seconds();
    let mut verified: Option<(String, String)> = None;
    for _ in 0..WRITE_TRIES {
        let (address, user) = person(app, by, now).await?;
        trail.target(&user.user_id);
        set_password::judge(password, &user.email, &user.full_name)?;
        // What was verified is what is stored, or it is verified again.
        let hash = match verified.take() {
            Some((old, hash)) if old == user.password_hash => hash,
            _ => {
                verify(app, &address, &user, current, now, trail).await?;
                app.passwords.hash(password, app.rng.as_ref()).await?
            }
        };
        let organizations = organizations_of(app, &user).await?;
        let event = trail.event();
        let set = SetPassword {
            address: &address,
            user: &user,
            organizations: &organizations,
            password_hash: &hash,
            event: &event,
            now,
        };
        match app.store.change_password(by, &set).await? {
            SetPasswordOutcome::Set => return Ok(user),
            // The next look says why.
            SetPasswordOutcome::Closed | SetPasswordOutcome::PersonChanged => {
                verified = Some((user.password_hash, hash));
            }
        }
    }
    Err(Failure::Contended.into())
}

/// Who asks, if their session lives and their organization is active.
async fn person(app: &App, by: &UserPrincipal, now: i64) -> Result<(EmailAddress, User), Refusal> {
    let standing = app.store.standing(&by.org_id, &by.user_id, &by.session_id).await?;
    let email = standing.session.as_ref().map(|session| session.identity.email.clone());
    // Everybody may: it is their own.
    may_write(standing, Permission::ReadOrganization, now)?;
    let address = email.and_then(|email| EmailAddress::parse(&email).ok()).ok_or(Refusal::SessionOver)?;
    let user = app.store.user(&address).await?.filter(|user| user.user_id == by.user_id);
    Ok((address, user.ok_or(Refusal::SessionOver)?))
}

/// Counted before it is judged, as at a login.
async fn verify(
    app: &App,
    address: &EmailAddress,
    user: &User,
    current: &Sensitive<String>,
    now: i64,
    trail: &Trail<'_>,
) -> Result<(), Refusal> {
    let guards = Guard::passwords(address, trail.network());
    if let Counted::Locked { until } =
        app.store.count_guess(&guards, &|guard| trail.locked(guard), now).await?
    {
        return Err(Refusal::TooManyAttempts { retry_after: until - now });
    }
    match app.passwords.verify(current, Some(&user.password_hash)).await? {
        true => Ok(()),
        false => Err(Refusal::InvalidCredentials),
    }
}
