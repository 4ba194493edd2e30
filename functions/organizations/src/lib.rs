//! `/organizations`: an organization as its people and its servers see it, and its environment.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Problem};

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
    Ok(Answer::Ok(http::organization(&organization)))
}

async fn switch_environment(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let mut fields = call.fields()?;
    let Some(env) = fields.required("env", http::environment) else {
        return Err(fields.problem());
    };
    let organization = flows::switch_environment(app, call.origin(), user, id, env).await?;
    Ok(Answer::Ok(http::organization(&organization)))
}
