//! Handing an organization over to another of its members.

use super::{named, own};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::guards::Guard;
use crate::organizations::Organization;
use crate::principals::{Principal, UserPrincipal};
use crate::sensitive::Sensitive;
use crate::store::{Counted, PeopleOutcome};
use crate::users::{Role, User};

/// Makes a member the owner, and the owner an admin. It takes the owner's password again: whoever finds an open laptop shall not own the business.
///
/// # Errors
/// In this order: [`Refusal::WrongOrganization`]; [`Refusal::SessionOver`]; suspended, role; [`Refusal::NotFound`];
/// [`Refusal::TooManyAttempts`] before anything is hashed; [`Refusal::InvalidCredentials`].
pub async fn hand_over(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
    to: &str,
    password: &Sensitive<String>,
) -> Result<Organization, Refusal> {
    let mut trail = Trail::of(app, "organization.hand_over", origin, &Principal::User(by.clone()));
    let result = attempt(app, origin, by, (id, to), password, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    (id, to): (&str, &str),
    password: &Sensitive<String>,
    trail: &mut Trail<'_>,
) -> Result<Organization, Refusal> {
    own(by, id)?;
    let to = named(to);
    let mut proven = None;
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (standing, member) = app.store.standing_and_member(by, to.as_ref()).await?;
        let email = standing.session.as_ref().map(|it| it.identity.email.clone()).unwrap_or_default();
        let mut organization = may_write(standing, Permission::TransferOwnership, now)?;
        let member = member.ok_or(Refusal::NotFound)?;
        trail.target(&member.user_id);
        if member.role == Role::Owner {
            trail.note("was_so");
            return Ok(organization);
        }
        let owner = match proven.take() {
            Some(owner) => owner,
            None => prove(app, origin, &email, password, trail).await?,
        };
        let writer = writer(by, Permission::TransferOwnership);
        match app.store.hand_over(writer, &owner, &member, &trail.event(), now).await? {
            PeopleOutcome::Changed => {
                organization.owner_user_id = member.user_id;
                organization.updated_at = now;
                return Ok(organization);
            }
            PeopleOutcome::StandingChanged => proven = Some(owner),
        }
    }
    Err(Failure::Contended.into())
}

/// The person with this address, if the password is theirs. The guess is counted as one at a login is, before it is judged.
async fn prove(
    app: &App,
    origin: &Origin,
    email: &str,
    password: &Sensitive<String>,
    trail: &Trail<'_>,
) -> Result<User, Refusal> {
    let now = app.clock.now_seconds();
    let address = EmailAddress::parse(email).map_err(|_| Refusal::InvalidCredentials)?;
    let guards = Guard::passwords(&address, &origin.network);
    if let Counted::Locked { until } =
        app.store.count_guess(&guards, &|guard| trail.locked(guard), now).await?
    {
        return Err(Refusal::TooManyAttempts { retry_after: until - now });
    }
    let user = app.store.user(&address).await?.ok_or(Refusal::InvalidCredentials)?;
    let right = app.passwords.verify(password, Some(&user.password_hash)).await?;
    if right { Ok(user) } else { Err(Refusal::InvalidCredentials) }
}
