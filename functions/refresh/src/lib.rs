//! `POST /auth/refresh`: a refresh token, answered with its successor and a new access token.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Client, Fields, Problem, Request as _, Text};
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
    let response = http::respond(&call.origin().request_id, route(app, &call)).await;
    http::without_session(&call, response)
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, _) => refresh(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn refresh(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let client = Client::of(app, call).await?;
    let fields = client.fields(call)?;
    let idempotency_key = http::idempotency_key(call)?;
    let token = match client {
        Client::Api => {
            let Refresh { refresh_token } = Refresh::read(fields)?;
            Sensitive::new(refresh_token.expose().as_str().to_owned())
        }
        Client::Dashboard => in_cookie(call, fields)?,
    };
    let tokens = flows::refresh(app, call.origin(), token.expose(), idempotency_key).await?;
    Ok(client.tokens(&tokens))
}

/// The dashboard's refresh token. Whoever sends one in the body as well cannot be told which one counts.
fn in_cookie(call: &Call<'_>, mut fields: Fields) -> Result<Sensitive<String>, Problem> {
    let refused = |_: &Value| Err::<(), _>("must not be sent with X-Syncgram-Client: dashboard".to_owned());
    fields.optional("refresh_token", refused);
    if fields.are_right() { Ok(http::session_cookie(call)) } else { Err(fields.problem()) }
}
