//! `POST /auth/invitations/accept`: the token of an invitation, answered with a membership.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, Newcomer};
use shared::http::{self, Answer, Call, Name, NewPassword, Problem, Text, User};
use shared::ids::OrgId;
use shared::request;
use shared::sensitive::Sensitive;

request! {
    /// An invitation, accepted.
    pub struct Accept {
        /// What was mailed; ours have 46 characters.
        pub token: Sensitive<Text<1, 128>>,
        /// Of somebody who has no account yet: their name.
        pub full_name: Option<Name<255>>,
        /// Of somebody who has no account yet: the password it shall have.
        pub password: Option<NewPassword>,
    }
}

/// What one is a member of now. Logging in to it is another call, with `org_id` at its second step.
#[derive(Serialize, JsonSchema)]
pub struct Joined {
    /// The organization.
    pub organization: JoinedOrganization,
    /// Who one is there.
    pub user: User,
}

/// An organization, as one who has just joined it sees it.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct JoinedOrganization {
    /// Its id: `org_id` of a login's second step.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// One's role there.
    pub role: shared::users::Role,
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, _) => accept(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn accept(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let Accept { token, full_name, password } = call.body()?;
    let newcomer = full_name.zip(password).map(|(full_name, password)| Newcomer {
        full_name: full_name.into_string(),
        password: password.into_sensitive(),
    });
    let joined = flows::accept_invitation(app, call.origin(), token.expose().as_str(), newcomer).await;
    let joined = joined.map_err(|refusal| Problem::of_password(refusal, "password"))?;
    Ok(Answer::ok(Joined {
        organization: JoinedOrganization {
            id: joined.organization.id.clone(),
            name: joined.organization.name.clone(),
            role: joined.identity.role,
        },
        user: (&joined.identity).into(),
    }))
}
