//! An invitation, mailed.

use crate::addresses::EmailAddress;
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::flows::members::own;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::guards::Guard;
use crate::ids::InvitationId;
use crate::invitations::{Invitation, InvitationToken, LIFETIME_SECONDS, MAX_MEMBERS};
use crate::mail::letters;
use crate::organizations::Organization;
use crate::principals::{Principal, UserPrincipal};
use crate::store::{Counted, PeopleOutcome};
use crate::users::Role;

/// Whom to invite.
#[derive(Debug)]
pub struct InvitationRequest {
    /// Their address, as it was given.
    pub email: String,
    /// The same, normalized.
    pub address: EmailAddress,
    /// The role they will have; never owner.
    pub role: Role,
}

/// Invites somebody; what was pending for their address is replaced. Whether they have an account is not looked at, so nothing of the answer, the
/// mail or the work depends on it.
///
/// # Errors
/// In this order: [`Refusal::WrongOrganization`]; [`Refusal::SessionOver`]; suspended, role; [`Refusal::AlreadyMember`];
/// [`Refusal::TooManyMembers`]; [`Refusal::RateLimited`].
pub async fn invite(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
    request: &InvitationRequest,
) -> Result<Invitation, Refusal> {
    let mut trail = Trail::of(app, "member.invite", origin, &Principal::User(by.clone()));
    trail.address(&request.address);
    let result = attempt(app, by, id, request, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    by: &UserPrincipal,
    id: &str,
    request: &InvitationRequest,
    trail: &mut Trail<'_>,
) -> Result<Invitation, Refusal> {
    own(by, id)?;
    let mut is_counted = false;
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let standing = app.store.standing(&by.org_id, &by.user_id, &by.session_id).await?;
        let organization = may_write(standing, Permission::ManageMembers, now)?;
        has_room(app, by, &request.address, now).await?;
        if !is_counted {
            count(app, by, &request.address, now, trail).await?;
            is_counted = true;
        }
        let token = InvitationToken::generate(app.rng.as_ref());
        let invitation = invitation(app, by, request, &token, now);
        let event = trail.event_of(invitation.invitation_id.as_str(), request.role.as_str());
        let writer = writer(by, Permission::ManageMembers);
        match app.store.invite(writer, &invitation, &event, now).await? {
            PeopleOutcome::Changed => {
                trail.target(&invitation.invitation_id);
                mail(app, &organization, &invitation, &token).await?;
                return Ok(invitation);
            }
            PeopleOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}

/// Whether the address can come in beside those who are, and who are invited.
async fn has_room(app: &App, by: &UserPrincipal, address: &EmailAddress, now: i64) -> Result<(), Refusal> {
    let (members, invitations) =
        tokio::try_join!(app.store.members(&by.org_id), app.store.invitations(&by.org_id))?;
    let is_theirs = |email: &str| EmailAddress::parse(email).is_ok_and(|it| it == *address);
    if members.iter().any(|member| is_theirs(&member.email)) {
        return Err(Refusal::AlreadyMember);
    }
    let hash = address.hash();
    let others = invitations.iter().filter(|it| it.is_pending(now) && it.address_hash != hash).count();
    if members.len() + others < MAX_MEMBERS { Ok(()) } else { Err(Refusal::TooManyMembers) }
}

/// So many mails, and no more: neither by an organization nor to an address.
async fn count(
    app: &App,
    by: &UserPrincipal,
    address: &EmailAddress,
    now: i64,
    trail: &Trail<'_>,
) -> Result<(), Refusal> {
    let guards = Guard::invitations(&by.org_id, address);
    match app.store.count_guess(&guards, &|guard| trail.locked(guard), now).await? {
        Counted::Counted => Ok(()),
        Counted::Locked { until } => Err(Refusal::RateLimited { retry_after: until - now }),
    }
}

fn invitation(
    app: &App,
    by: &UserPrincipal,
    request: &InvitationRequest,
    token: &InvitationToken,
    now: i64,
) -> Invitation {
    Invitation {
        invitation_id: InvitationId::new(app.clock.as_ref(), app.rng.as_ref()),
        org_id: by.org_id.clone(),
        email: request.email.clone(),
        address_hash: request.address.hash(),
        role: request.role,
        invited_by: by.user_id.clone(),
        token_hash: token.hash(),
        created_at: now,
        expires_at: now + LIFETIME_SECONDS,
    }
}

async fn mail(
    app: &App,
    organization: &Organization,
    invitation: &Invitation,
    token: &InvitationToken,
) -> Result<(), Refusal> {
    let letter = letters::invitation(&organization.name, invitation.role, token);
    Ok(app.mailer.send(&invitation.email, &letter).await?)
}
