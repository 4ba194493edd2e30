//! `POST /auth/login/2fa/verify`: the code, answered with tokens. `POST /auth/login/2fa/resend`: a new code.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::app::App;
use shared::challenges::Code;
use shared::clock::rfc3339;
use shared::flows::{self, CodeType};
use shared::http::{self, Answer, Call, Client, Problem};

/// The longest challenge id worth looking at, in characters; ours have 29.
const MAX_ID_CHARACTERS: usize = 64;

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, path) if path.ends_with("/2fa/verify") => verify(app, call).await,
        (&Method::POST, path) if path.ends_with("/2fa/resend") => resend(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn verify(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let client = Client::of(app, call).await?;
    let mut fields = call.fields()?;
    let challenge_id = fields.required("challenge_id", http::text_in(1..=MAX_ID_CHARACTERS));
    let code = fields.required("code", http::text_in(4..=32));
    let kind = fields.optional("code_type", code_type).unwrap_or(CodeType::Primary);
    let (Some(challenge_id), Some(code), true) = (challenge_id, code, fields.are_right()) else {
        return Err(fields.problem());
    };
    let tokens = flows::verify(app, call.origin(), &challenge_id, &Code::typed(&code), kind).await?;
    Ok(client.tokens(&tokens))
}

fn code_type(value: &Value) -> Result<CodeType, String> {
    match value.as_str() {
        Some("primary") => Ok(CodeType::Primary),
        Some("backup") => Ok(CodeType::Backup),
        _ => Err("must be primary or backup".to_owned()),
    }
}

async fn resend(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.fields()?;
    let Some(challenge_id) = fields.required("challenge_id", http::text_in(1..=MAX_ID_CHARACTERS)) else {
        return Err(fields.problem());
    };
    let resent = flows::resend(app, call.origin(), &challenge_id).await?;
    Ok(Answer::Ok(json!({ "challenge_id": resent.challenge_id, "expires_at": rfc3339(resent.expires_at) })))
}
