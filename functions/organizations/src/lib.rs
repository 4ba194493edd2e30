//! `/organizations`: an organization as its people and its servers see it, its name and environment, and what was done to it.

mod audit;
mod list;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::api_keys::Env;
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Name, Organization, Problem};
use shared::request;

pub use audit::{AuditEvent, AuditEvents, AuditPage};
pub use list::{OwnOrganization, OwnOrganizations};

request! {
    /// An environment.
    pub struct SwitchEnvironment {
        /// The one to be in.
        pub env: Env,
    }
}

request! {
    /// What of an organization its people can change.
    pub struct ChangeOrganization {
        /// For people. Nothing that moves what stands around it.
        pub name: Name<255>,
    }
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let (method, path) = call.route();
    let part = path.rsplit('/').next().unwrap_or_default();
    match (method, call.path_parameter("id"), part) {
        (&Method::PUT, Some(id), "environment") => switch_environment(app, call, id).await,
        (_, Some(_), "environment") => Err(Problem::MethodNotAllowed("PUT")),
        (&Method::GET, Some(id), "audit") => audit::list(app, call, id).await,
        (_, Some(_), "audit") => Err(Problem::MethodNotAllowed("GET")),
        (&Method::PATCH, Some(id), _) => rename(app, call, id).await,
        (&Method::GET, None, "organizations") => list::list(app, call).await,
        (&Method::GET, id, _) => show(app, call, id).await,
        (_, Some(_), _) => Err(Problem::MethodNotAllowed("GET, PATCH")),
        (_, None, _) => Err(Problem::MethodNotAllowed("GET")),
    }
}

async fn show(app: &App, call: &Call<'_>, id: Option<&str>) -> Result<Answer, Problem> {
    let organization = flows::organization(app, call.origin(), call.principal()?, id).await?;
    Ok(Answer::ok(Organization::from(&organization)))
}

async fn rename(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let ChangeOrganization { name } = call.body()?;
    let organization = flows::rename_organization(app, call.origin(), user, id, &name.into_string()).await?;
    Ok(Answer::ok(Organization::from(&organization)))
}

async fn switch_environment(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let SwitchEnvironment { env } = call.body()?;
    let organization = flows::switch_environment(app, call.origin(), user, id, env).await?;
    Ok(Answer::ok(Organization::from(&organization)))
}
