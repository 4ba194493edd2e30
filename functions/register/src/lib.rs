//! `POST /auth/register`: signing up. `POST /auth/verify-email`: the code of it, answered with tokens. `POST /auth/verify-email/resend`: a new code.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::addresses::EmailAddress;
use shared::app::App;
use shared::challenges::Code;
use shared::flows::{self, NewAccount, ON_ITS_WAY};
use shared::http::{
    self, Answer, Call, Client, Country, Mailbox, Message, Name, NewPassword, Problem, Text, User,
};
use shared::request;
use shared::sensitive::Sensitive;

request! {
    /// What an account is asked for with.
    pub struct Register {
        /// The address, which has to be shown to be theirs.
        pub email: Mailbox,
        /// At least twelve characters, not a common one; nothing else.
        pub password: NewPassword,
        /// The person's name.
        pub full_name: Name<255>,
        /// The organization's country, ISO 3166-1 alpha-2. Without one it is `ZZ`: not told.
        pub country: Option<Country>,
    }
}

request! {
    /// A code for an address.
    pub struct VerifyEmail {
        /// The address that was signed up with.
        pub email: EmailAddress,
        /// What was mailed: six digits.
        pub otp: Sensitive<Text<4, 32>>,
    }
}

request! {
    /// Which address needs another code.
    pub struct ResendEmailCode {
        /// The address that was signed up with.
        pub email: Mailbox,
    }
}

/// A sign-up that waits for its code.
#[derive(Serialize, JsonSchema)]
pub struct Registered {
    /// For the person: what to do next.
    pub message: &'static str,
    /// Who they will be.
    pub user: User,
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, path) if path.ends_with("/register") => register(app, call).await,
        (&Method::POST, path) if path.ends_with("/verify-email") => verify(app, call).await,
        (&Method::POST, path) if path.ends_with("/verify-email/resend") => resend(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn register(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let Register { email, password, full_name, country } = call.body()?;
    let new = NewAccount {
        email: email.given,
        address: email.address,
        password: password.into_sensitive(),
        full_name: full_name.into_string(),
        country: country.map(Country::into_string),
    };
    let identity = flows::register(app, call.origin(), &new).await;
    let identity = identity.map_err(|refusal| Problem::of_password(refusal, "password"))?;
    Ok(Answer::created(Registered { message: ON_ITS_WAY, user: (&identity).into() }))
}

async fn verify(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let client = Client::of(app, call).await?;
    let VerifyEmail { email, otp } = call.body()?;
    let tokens = flows::verify_email(app, call.origin(), &email, &Code::typed(otp.expose().as_str())).await?;
    Ok(client.tokens(&tokens))
}

async fn resend(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let ResendEmailCode { email } = call.body()?;
    flows::resend_sign_up_code(app, call.origin(), &email.address, &email.given).await?;
    Ok(Answer::ok(Message { message: ON_ITS_WAY }))
}
