//! `POST /auth/refresh`: a refresh token, answered with its successor and a new access token.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Problem};
use shared::sensitive::Sensitive;

/// The longest refresh token worth looking at, in characters; ours have 115.
const MAX_TOKEN_CHARACTERS: usize = 512;

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
    let mut fields = call.fields()?;
    let idempotency_key = http::idempotency_key(call)?;
    let Some(token) = fields.required("refresh_token", http::text_in(1..=MAX_TOKEN_CHARACTERS)) else {
        return Err(fields.problem());
    };
    let token = Sensitive::new(token);
    let tokens = flows::refresh(app, call.origin(), token.expose(), idempotency_key).await?;
    Ok(Answer::Ok(http::tokens(&tokens)))
}
