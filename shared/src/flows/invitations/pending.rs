//! The invitations that wait, and taking one back.

use std::cmp::Reverse;

use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::flows::members::own;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::invitations::Invitation;
use crate::principals::{Principal, UserPrincipal};
use crate::store::PeopleOutcome;

/// The invitations that can be accepted, newest first. Every role may look.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`].
pub async fn list_invitations(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
) -> Result<Vec<Invitation>, Refusal> {
    let trail = Trail::of(app, "invitation.list", origin, &Principal::User(by.clone()));
    trail.end_look(look(app, by, id, Permission::ReadMembers).await)
}

async fn look(
    app: &App,
    by: &UserPrincipal,
    id: &str,
    permission: Permission,
) -> Result<Vec<Invitation>, Refusal> {
    own(by, id)?;
    let (standing, invitations) = tokio::try_join!(
        app.store.standing(&by.org_id, &by.user_id, &by.session_id),
        app.store.invitations(&by.org_id)
    )?;
    let now = app.clock.now_seconds();
    may_write(standing, permission, now)?;
    let mut pending: Vec<_> = invitations.into_iter().filter(|it| it.is_pending(now)).collect();
    pending.sort_by(|one, other| Reverse(&one.invitation_id).cmp(&Reverse(&other.invitation_id)));
    Ok(pending)
}

/// Takes an invitation back: whoever has its mail can do nothing with it any more.
///
/// # Errors
/// As [`list_invitations`]; then [`Refusal::NotFound`], also for one that was accepted, replaced or has expired.
pub async fn withdraw_invitation(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
    invitation: &str,
) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "member.withdraw_invitation", origin, &Principal::User(by.clone()));
    let result = attempt(app, by, (id, invitation), &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    by: &UserPrincipal,
    (id, wanted): (&str, &str),
    trail: &mut Trail<'_>,
) -> Result<(), Refusal> {
    for _ in 0..WRITE_TRIES {
        let pending = look(app, by, id, Permission::ManageMembers).await?;
        let found = pending.into_iter().find(|it| it.invitation_id.as_str() == wanted);
        let invitation = found.ok_or(Refusal::NotFound)?;
        trail.target(&invitation.invitation_id);
        let (event, now) = (trail.event(), app.clock.now_seconds());
        let writer = writer(by, Permission::ManageMembers);
        match app.store.withdraw(writer, &invitation, &event, now).await? {
            PeopleOutcome::Changed => return Ok(()),
            PeopleOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}
