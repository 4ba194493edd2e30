//! `POST /auth/password/forgot`: a token by mail. `POST /auth/password/reset`: a password for that token. `PUT /auth/password`: a password for
//! the one before.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::flows::{self, ON_ITS_WAY};
use shared::http::{self, Answer, Call, Mailbox, Message, NewPassword, Password, Problem, Text};
use shared::request;
use shared::sensitive::Sensitive;

/// What the person is told whose password is another one now.
pub const CHANGED: &str = "Your password was changed, and your other sessions were ended.";

request! {
    /// Whose password was forgotten.
    pub struct ForgotPassword {
        /// The address of a person.
        pub email: Mailbox,
    }
}

request! {
    /// A new password, and by what right.
    pub struct ResetPassword {
        /// What was mailed: `rst_…`.
        pub token: Sensitive<Text<1, 128>>,
        /// At least twelve characters, not a common one; nothing else.
        pub password: NewPassword,
    }
}

request! {
    /// A new password for the one before.
    pub struct ChangePassword {
        /// The one before, exactly as it was set.
        pub current_password: Password,
        /// At least twelve characters, not a common one; nothing else.
        pub new_password: NewPassword,
    }
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, path) if path.ends_with("/forgot") => forgot(app, call).await,
        (&Method::POST, path) if path.ends_with("/reset") => reset(app, call).await,
        (_, path) if path.ends_with("/forgot") || path.ends_with("/reset") => {
            Err(Problem::MethodNotAllowed("POST"))
        }
        (&Method::PUT, _) => change(app, call).await,
        _ => Err(Problem::MethodNotAllowed("PUT")),
    }
}

async fn forgot(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let ForgotPassword { email } = call.body()?;
    flows::forgot_password(app, call.origin(), &email.address, &email.given).await?;
    Ok(Answer::ok(Message { message: ON_ITS_WAY }))
}

async fn reset(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let ResetPassword { token, password } = call.body()?;
    let token = Sensitive::new(token.expose().as_str().to_owned());
    let reset = flows::reset_password(app, call.origin(), &token, &password.into_sensitive()).await;
    reset.map_err(|refusal| Problem::of_password(refusal, "password"))?;
    Ok(Answer::ok(Message { message: CHANGED }))
}

async fn change(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let ChangePassword { current_password, new_password } = call.body()?;
    let (current, new) = (current_password.into_sensitive(), new_password.into_sensitive());
    let changed = flows::change_password(app, call.origin(), user, &current, &new).await;
    changed.map_err(|refusal| Problem::of_password(refusal, "new_password"))?;
    Ok(Answer::ok(Message { message: CHANGED }))
}
