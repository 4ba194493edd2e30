//! `POST /auth/logout`: the session is over.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Client, Problem};

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    let response = http::respond(&call.origin().request_id, route(app, &call)).await;
    http::without_session(&call, response)
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, _) => {
            let user = call.user()?;
            Client::of(app, call).await?;
            flows::logout(app, call.origin(), user).await?;
            Ok(Answer::Empty)
        }
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}
