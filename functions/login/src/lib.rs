//! `POST /auth/login`: address and password, answered with a challenge.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::addresses::EmailAddress;
use shared::app::App;
use shared::challenges::SecondStep;
use shared::flows;
use shared::http::{self, Answer, Call, Password, Problem, Time, User};
use shared::ids::ChallengeId;
use shared::request;

request! {
    /// An address and a password.
    pub struct Login {
        /// The address of a person.
        pub email: EmailAddress,
        /// Exactly as it was set.
        pub password: Password,
    }
}

/// A second step that waits to be done.
#[derive(Serialize, JsonSchema)]
pub struct Challenge {
    /// What verify is told.
    pub challenge_id: ChallengeId,
    /// How it is done.
    pub method: SecondStep,
    /// Until when it can be done.
    pub expires_at: Time,
    /// Whether a backup code would do, too.
    pub backup_code_allowed: bool,
    /// Who is logging in.
    pub user: User,
}

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
    let Login { email, password } = call.body()?;
    let started = flows::login(app, call.origin(), &email, &password.into_sensitive()).await?;
    Ok(Answer::ok(Challenge {
        challenge_id: started.challenge_id,
        method: started.method,
        expires_at: Time::at(started.expires_at),
        backup_code_allowed: started.backup_code_allowed,
        user: (&started.identity).into(),
    }))
}
