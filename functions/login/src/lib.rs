//! `POST /auth/login`: address and password, answered with a challenge.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::app::App;
use shared::clock::rfc3339;
use shared::flows;
use shared::http::{self, Answer, Call, Problem};

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, _) => login(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn login(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.fields()?;
    let email = fields.required("email", http::email);
    let password = fields.required("password", http::password);
    let (Some(email), Some(password)) = (email, password) else {
        return Err(fields.problem());
    };
    let started = flows::login(app, call.origin(), &email, &password).await?;
    Ok(Answer::Ok(json!({
        "challenge_id": started.challenge_id,
        "method": "email_otp",
        "expires_at": rfc3339(started.expires_at),
        "backup_code_allowed": false,
        "user": http::user(&started.identity),
    })))
}
