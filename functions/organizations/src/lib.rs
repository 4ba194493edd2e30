//! `/organizations`: an organization as its people and its servers see it, and its environment.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::api_keys::Env;
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Organization, Problem};
use shared::request;

request! {
    /// An environment.
    pub struct SwitchEnvironment {
        /// The one to be in.
        pub env: Env,
    }
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let (method, path) = call.route();
    match (method, call.path_parameter("id"), path.ends_with("/environment")) {
        (&Method::PUT, Some(id), true) => switch_environment(app, call, id).await,
        (_, Some(_), true) => Err(Problem::MethodNotAllowed("PUT")),
        (&Method::GET, id, false) => show(app, call, id).await,
        _ => Err(Problem::MethodNotAllowed("GET")),
    }
}

async fn show(app: &App, call: &Call<'_>, id: Option<&str>) -> Result<Answer, Problem> {
    let organization = flows::organization(app, call.origin(), call.principal()?, id).await?;
    Ok(Answer::ok(Organization::from(&organization)))
}

async fn switch_environment(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let SwitchEnvironment { env } = call.body()?;
    let organization = flows::switch_environment(app, call.origin(), user, id, env).await?;
    Ok(Answer::ok(Organization::from(&organization)))
}
