//! `POST /auth/login/2fa/verify`: the code, answered with tokens. `POST /auth/login/2fa/resend`: a new code.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::challenges::Code;
use shared::flows::{self, CodeType};
use shared::http::{self, Answer, Call, Client, Problem, Text, Time};
use shared::ids::ChallengeId;
use shared::request;
use shared::sensitive::Sensitive;

/// A challenge id, or what is long enough to be worth looking at; ours have 29 characters.
pub type ChallengeIdText = Text<1, 64>;

request! {
    /// A code for a challenge.
    pub struct Verify {
        /// The challenge of the login.
        pub challenge_id: ChallengeIdText,
        /// What was mailed, or what the authenticator app shows: six digits. Or a backup code.
        pub code: Sensitive<Text<4, 32>>,
        /// Which kind of code it is.
        #[schemars(extend("default" = CodeType::default()))]
        pub code_type: Option<CodeType>,
        /// The organization that the session is for; left out, the one used last. Ours have 30 characters.
        pub org_id: Option<Text<1, 64>>,
    }
}

request! {
    /// Which challenge needs another code.
    pub struct Resend {
        /// The challenge of the login.
        pub challenge_id: ChallengeIdText,
    }
}

/// A challenge whose code was mailed again.
#[derive(Serialize, JsonSchema)]
pub struct Resent {
    /// The same challenge.
    pub challenge_id: ChallengeId,
    /// Until when the new code can be used.
    pub expires_at: Time,
}

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
    let Verify { challenge_id, code, code_type, org_id } = call.body()?;
    let (id, code, kind) =
        (challenge_id.as_str(), Code::typed(code.expose().as_str()), code_type.unwrap_or_default());
    let tokens =
        flows::verify(app, call.origin(), id, &code, kind, org_id.as_ref().map(Text::as_str)).await?;
    Ok(client.tokens(&tokens))
}

async fn resend(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let Resend { challenge_id } = call.body()?;
    let resent = flows::resend(app, call.origin(), challenge_id.as_str()).await?;
    Ok(Answer::ok(Resent { challenge_id: resent.challenge_id, expires_at: Time::at(resent.expires_at) }))
}
