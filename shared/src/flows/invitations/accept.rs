//! An invitation, accepted.

use crate::app::App;
use crate::failure::Failure;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal, WRITE_TRIES, set_password};
use crate::ids::UserId;
use crate::invitations::{Invitation, InvitationToken};
use crate::organizations::Organization;
use crate::sensitive::Sensitive;
use crate::store::{AcceptOutcome, FoundInvitation, Joining, Member};
use crate::users::{Identity, User};

/// Who one is, of somebody who has no account yet.
#[derive(Debug)]
pub struct Newcomer {
    /// Their name.
    pub full_name: String,
    /// The password it shall have.
    pub password: Sensitive<String>,
}

/// Somebody who has joined.
#[derive(Debug)]
pub struct Joined {
    /// The organization.
    pub organization: Organization,
    /// Who they are in it.
    pub identity: Identity,
}

/// Accepts an invitation. The token came to its address, so whoever has an account needs no password, and whoever has none is verified by it. No
/// session begins: a login does that, with its second step.
///
/// # Errors
/// [`Refusal::InvalidInvitation`] whatever is wrong with the token; [`Refusal::OrganizationSuspended`]; [`Refusal::AccountRequired`] when nobody has the
/// address and no newcomer is named; [`Refusal::CommonPassword`]; [`Refusal::AlreadyMember`], [`Refusal::TooManyOrganizations`].
pub async fn accept_invitation(
    app: &App,
    origin: &Origin,
    token: &str,
    newcomer: Option<Newcomer>,
) -> Result<Joined, Refusal> {
    let mut trail = Trail::new(app, "member.accept_invitation", origin);
    let result = attempt(app, token, newcomer, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    token: &str,
    newcomer: Option<Newcomer>,
    trail: &mut Trail<'_>,
) -> Result<Joined, Refusal> {
    // Before any call to the table.
    let token = InvitationToken::parse(token).map_err(|_| Refusal::InvalidInvitation)?;
    let mut made: Option<User> = None;
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (invitation, organization, person) = find(app, &token, now).await?;
        trail.actor(&"", &invitation.org_id);
        trail.target(&invitation.invitation_id);
        if !organization.is_active {
            return Err(Refusal::OrganizationSuspended);
        }
        if person.is_none() && made.is_none() {
            let newcomer = newcomer.as_ref().ok_or(Refusal::AccountRequired)?;
            made = Some(new_user(app, &invitation, newcomer).await?);
        }
        let joining = match (&person, &made) {
            (Some(person), _) => Joining::Account(person),
            (None, Some(made)) => Joining::Newcomer(made),
            (None, None) => return Err(Refusal::AccountRequired),
        };
        let user = joining.user();
        trail.actor(&user.user_id, &invitation.org_id);
        let member = member(user, &invitation, now);
        let event = trail.event_of(invitation.invitation_id.as_str(), invitation.role.as_str());
        match app.store.accept(&invitation, joining, &member, &event, now).await? {
            AcceptOutcome::Joined => return Ok(joined(organization, member)),
            AcceptOutcome::Changed => {}
            AcceptOutcome::MemberAlready => return Err(Refusal::AlreadyMember),
            AcceptOutcome::TooMany => return Err(Refusal::TooManyOrganizations),
        }
    }
    Err(Failure::Contended.into())
}

/// What the token leads to, if it is the one that is alive.
async fn find(
    app: &App,
    token: &InvitationToken,
    now: i64,
) -> Result<(Invitation, Organization, Option<User>), Refusal> {
    let place = app.store.invitation_place(&token.hash()).await?.ok_or(Refusal::InvalidInvitation)?;
    let FoundInvitation { invitation, organization, person } = app.store.invitation_at(&place).await?;
    let invitation = invitation.filter(|it| it.is_open(token, now)).ok_or(Refusal::InvalidInvitation)?;
    Ok((invitation, organization.ok_or(Refusal::InvalidInvitation)?, person))
}

async fn new_user(app: &App, invitation: &Invitation, newcomer: &Newcomer) -> Result<User, Refusal> {
    set_password::judge(&newcomer.password, &invitation.email, &newcomer.full_name)?;
    let user_id = UserId::new(app.clock.as_ref(), app.rng.as_ref());
    let hash = app.passwords.hash(&newcomer.password, app.rng.as_ref()).await?;
    let (email, full_name) = (invitation.email.clone(), newcomer.full_name.clone());
    Ok(User::new(user_id, email, full_name, hash, invitation.org_id.clone()))
}

fn member(user: &User, invitation: &Invitation, now: i64) -> Member {
    // Whoever was a member before has sessions of that time: they stay over. A session of this very second is of now.
    Member { sessions_ended_at: Some(now - 1), ..Member::new(user, invitation.role, now) }
}

fn joined(organization: Organization, member: Member) -> Joined {
    let identity = Identity {
        user_id: member.user_id,
        org_id: organization.id.clone(),
        email: member.email,
        full_name: member.full_name,
        role: member.role,
        has_onboarded: organization.has_onboarded(),
    };
    Joined { organization, identity }
}
