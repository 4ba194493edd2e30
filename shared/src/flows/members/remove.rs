//! A member who goes: taken out by who manages members, or leaving.

use super::{but_the_owner, named, own};
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::principals::{Principal, UserPrincipal};
use crate::store::PeopleOutcome;

/// Takes a member out of the organization; oneself, whatever one's role, but for the owner. From the next request on they write nothing there, and
/// none of their sessions for it refreshes. Keys they made stay: they are the organization's.
///
/// # Errors
/// In this order: [`Refusal::WrongOrganization`]; [`Refusal::SessionOver`]; suspended, role; [`Refusal::NotFound`];
/// [`Refusal::LastOwner`], or [`Refusal::InsufficientRole`] for an admin who tries it on the owner.
pub async fn remove_member(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
    user: &str,
) -> Result<(), Refusal> {
    // Every member may do the one, some the other.
    let (action, permission) = match user == by.user_id.as_str() {
        true => ("member.leave", Permission::ReadOrganization),
        false => ("member.remove", Permission::ManageMembers),
    };
    let mut trail = Trail::of(app, action, origin, &Principal::User(by.clone()));
    let result = attempt(app, by, (id, user), permission, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    by: &UserPrincipal,
    (id, user): (&str, &str),
    permission: Permission,
    trail: &mut Trail<'_>,
) -> Result<(), Refusal> {
    own(by, id)?;
    let user = named(user);
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (standing, member) = app.store.standing_and_member(by, user.as_ref()).await?;
        may_write(standing, permission, now)?;
        let member = but_the_owner(by, member)?;
        trail.target(&member.user_id);
        match app.store.remove_member(writer(by, permission), &member, &trail.event(), now).await? {
            PeopleOutcome::Changed => return Ok(()),
            PeopleOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}
