//! `POST /auth/refresh`: a refresh token, answered with its successor and a new access token.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Problem, Request as _, Text, Tokens};
use shared::request;
use shared::sensitive::Sensitive;

request! {
    /// A refresh token.
    pub struct Refresh {
        /// The one that came last; ours have 115 characters.
        pub refresh_token: Sensitive<Text<1, 512>>,
    }
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, _) => refresh(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn refresh(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let fields = call.fields()?;
    let idempotency_key = http::idempotency_key(call)?;
    let Refresh { refresh_token } = Refresh::read(fields)?;
    let token = refresh_token.expose().as_str();
    let tokens = flows::refresh(app, call.origin(), token, idempotency_key).await?;
    Ok(Answer::ok(Tokens::from(&tokens)))
}
