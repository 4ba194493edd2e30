//! `/organizations/{id}/members`, `/invitations` and `/owner`: who belongs to an organization, and in which role.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, InvitationRequest};
use shared::http::{
    self, Answer, Call, Grantable, Mailbox, MemberView as Member, Organization, Password, Problem, Text, Time,
};
use shared::ids::{InvitationId, UserId};
use shared::request;

/// A person's id, or what is long enough to be worth looking at; ours have 30 characters.
pub type UserIdText = Text<1, 64>;

request! {
    /// Another role for a member.
    pub struct ChangeRole {
        /// The role they shall have.
        pub role: Grantable,
    }
}

request! {
    /// Whom to invite, and as what.
    pub struct Invite {
        /// Where the invitation is mailed to.
        pub email: Mailbox,
        /// The role they will have.
        pub role: Grantable,
    }
}

request! {
    /// Whom the organization shall belong to.
    pub struct HandOver {
        /// A member of it.
        pub user_id: UserIdText,
        /// The password of the one who hands it over.
        pub password: Password,
    }
}

/// Everybody in an organization.
#[derive(Serialize, JsonSchema)]
pub struct Members {
    /// The owner first, then by when they joined.
    pub members: Vec<Member>,
}

/// An invitation that waits to be accepted. Its token is in the mail alone.
#[derive(Serialize, JsonSchema)]
pub struct Invitation {
    /// Its id.
    pub invitation_id: InvitationId,
    /// Whom it was mailed to.
    pub email: String,
    /// The role they will have.
    #[schemars(with = "Grantable")]
    pub role: shared::users::Role,
    /// Who invites.
    pub invited_by: UserId,
    /// When it was mailed.
    pub created_at: Time,
    /// Until when it can be accepted.
    pub expires_at: Time,
}

/// The invitations that wait.
#[derive(Serialize, JsonSchema)]
pub struct Invitations {
    /// Newest first.
    pub invitations: Vec<Invitation>,
}

impl From<&shared::invitations::Invitation> for Invitation {
    fn from(invitation: &shared::invitations::Invitation) -> Self {
        Self {
            invitation_id: invitation.invitation_id.clone(),
            email: invitation.email.clone(),
            role: invitation.role,
            invited_by: invitation.invited_by.clone(),
            created_at: Time::at(invitation.created_at),
            expires_at: Time::at(invitation.expires_at),
        }
    }
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let (method, path) = call.route();
    let id = call.path_parameter("id").unwrap_or_default();
    if let Some(user) = call.path_parameter("user_id") {
        return match *method {
            Method::PATCH => change_role(app, call, id, user).await,
            Method::DELETE => remove(app, call, id, user).await,
            _ => Err(Problem::MethodNotAllowed("DELETE, PATCH")),
        };
    }
    if let Some(invitation) = call.path_parameter("invitation_id") {
        return match *method {
            Method::DELETE => withdraw(app, call, id, invitation).await,
            _ => Err(Problem::MethodNotAllowed("DELETE")),
        };
    }
    match (method, path.rsplit('/').next()) {
        (&Method::GET, Some("members")) => list(app, call, id).await,
        (_, Some("members")) => Err(Problem::MethodNotAllowed("GET")),
        (&Method::POST, Some("invitations")) => invite(app, call, id).await,
        (&Method::GET, Some("invitations")) => list_invitations(app, call, id).await,
        (_, Some("invitations")) => Err(Problem::MethodNotAllowed("GET, POST")),
        (&Method::POST, _) => hand_over(app, call, id).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn list(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let members = flows::list_members(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::ok(Members { members: members.iter().map(Member::from).collect() }))
}

async fn change_role(app: &App, call: &Call<'_>, id: &str, user: &str) -> Result<Answer, Problem> {
    let by = call.user()?;
    let ChangeRole { role } = call.body()?;
    let member = flows::change_role(app, call.origin(), by, id, user, role.into()).await?;
    Ok(Answer::ok(Member::from(&member)))
}

async fn remove(app: &App, call: &Call<'_>, id: &str, user: &str) -> Result<Answer, Problem> {
    flows::remove_member(app, call.origin(), call.user()?, id, user).await?;
    Ok(Answer::Empty)
}

async fn invite(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let by = call.user()?;
    let Invite { email, role } = call.body()?;
    let request = InvitationRequest { email: email.given, address: email.address, role: role.into() };
    let invitation = flows::invite(app, call.origin(), by, id, &request).await?;
    Ok(Answer::created(Invitation::from(&invitation)))
}

async fn list_invitations(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let pending = flows::list_invitations(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::ok(Invitations { invitations: pending.iter().map(Invitation::from).collect() }))
}

async fn withdraw(app: &App, call: &Call<'_>, id: &str, invitation: &str) -> Result<Answer, Problem> {
    flows::withdraw_invitation(app, call.origin(), call.user()?, id, invitation).await?;
    Ok(Answer::Empty)
}

async fn hand_over(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let by = call.user()?;
    let HandOver { user_id, password } = call.body()?;
    let password = password.into_sensitive();
    let organization = flows::hand_over(app, call.origin(), by, id, user_id.as_str(), &password).await?;
    Ok(Answer::ok(Organization::from(&organization)))
}
