//! Another role for a member.

use super::{but_the_owner, named, own};
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::principals::{Principal, UserPrincipal};
use crate::store::{Member, PeopleOutcome};
use crate::users::Role;

/// Gives a member another role; the one that they have changes nothing. Never the owner's, and never owner: that is handed over.
/// Whoever is demoted writes by the lesser role from the next request on.
///
/// # Errors
/// In this order: [`Refusal::WrongOrganization`]; [`Refusal::SessionOver`]; suspended, role; [`Refusal::NotFound`];
/// [`Refusal::LastOwner`], or [`Refusal::InsufficientRole`] for an admin who tries it on the owner.
pub async fn change_role(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
    user: &str,
    to: Role,
) -> Result<Member, Refusal> {
    let mut trail = Trail::of(app, "member.change_role", origin, &Principal::User(by.clone()));
    let result = attempt(app, by, (id, user), to, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    by: &UserPrincipal,
    (id, user): (&str, &str),
    to: Role,
    trail: &mut Trail<'_>,
) -> Result<Member, Refusal> {
    own(by, id)?;
    let user = named(user);
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (standing, member) = app.store.standing_and_member(by, user.as_ref()).await?;
        may_write(standing, Permission::ManageMembers, now)?;
        let mut member = but_the_owner(by, member)?;
        trail.target(&member.user_id);
        if member.role == to {
            trail.note("was_so");
            return Ok(member);
        }
        let event = trail.event_of(member.user_id.as_str(), to.as_str());
        let by = writer(by, Permission::ManageMembers);
        match app.store.change_role(by, &member, to, &event, now).await? {
            PeopleOutcome::Changed => {
                member.role = to;
                return Ok(member);
            }
            PeopleOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}
