//! `/auth/factors`: a person's second factors of their own. Set an authenticator app up, take it away, make backup codes.

mod qr;

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::challenges::Code;
use shared::factors::{BACKUP_CODES, BackupCode};
use shared::flows::{self, CodeType, Proof};
use shared::http::{self, Answer, Call, Password, Problem, Shown, Text, Time};
use shared::request;
use shared::sensitive::Sensitive;

request! {
    /// Who sets an authenticator app up.
    pub struct BeginTotp {
        /// The one that is set now.
        pub password: Password,
    }
}

request! {
    /// The first code of an authenticator app.
    pub struct ConfirmTotp {
        /// Six digits.
        pub code: Sensitive<Text<4, 32>>,
    }
}

request! {
    /// Both steps of a login again, for what only they may change.
    pub struct Prove {
        /// The one that is set now.
        pub password: Password,
        /// From the authenticator app, or a backup code.
        pub code: Sensitive<Text<4, 32>>,
        /// Which kind of code it is.
        #[schemars(extend("default" = CodeType::default()))]
        pub code_type: Option<CodeType>,
    }
}

/// A person's second factors.
#[derive(Serialize, JsonSchema)]
pub struct Factors {
    /// The authenticator app; null: there is none, and codes are mailed.
    pub totp: Option<Totp>,
    /// How many backup codes are left.
    #[schemars(range(max = BACKUP_CODES))]
    pub backup_codes_left: usize,
}

/// An authenticator app that is on.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Totp {
    /// Since when it is on.
    pub since: Time,
}

/// What an authenticator app needs, this once.
#[derive(Serialize, JsonSchema)]
pub struct Enrolment {
    /// The secret in base 32, for an app without a camera.
    #[schemars(extend("pattern" = "^[A-Z2-7]{32}$"))]
    pub secret: Shown,
    /// The same, as apps read it.
    #[schemars(extend("pattern" = "^otpauth://totp/"))]
    pub uri: Shown,
    /// The same, to be held in front of a camera: an SVG without scripts.
    #[schemars(extend("pattern" = "^<svg "))]
    pub qr_svg: Shown,
    /// Until when it can be confirmed.
    pub expires_at: Time,
}

/// Backup codes, this once.
#[derive(Serialize, JsonSchema)]
pub struct BackupCodes {
    /// Each is good for one login.
    #[schemars(length(equal = BACKUP_CODES))]
    pub backup_codes: Vec<Shown>,
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let (method, path) = call.route();
    match (method, path.rsplit('/').next().unwrap_or_default()) {
        (&Method::POST, "confirm") => confirm(app, call).await,
        (&Method::POST, "totp") => begin(app, call).await,
        (&Method::DELETE, "totp") => remove(app, call).await,
        (&Method::POST, "backup-codes") => remake(app, call).await,
        (&Method::GET, "factors") => show(app, call).await,
        (_, "totp") => Err(Problem::MethodNotAllowed("DELETE, POST")),
        (_, "factors") => Err(Problem::MethodNotAllowed("GET")),
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn show(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let factors = flows::factors(app, call.origin(), call.user()?).await?;
    let totp = factors.totp_since.map(|since| Totp { since: Time::at(since) });
    Ok(Answer::ok(Factors { totp, backup_codes_left: factors.backup_codes_left }))
}

async fn begin(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let BeginTotp { password } = call.body()?;
    let begun = flows::begin_totp(app, call.origin(), user, &password.into_sensitive()).await?;
    let drawn = qr::svg(begun.uri.expose());
    Ok(Answer::created(Enrolment {
        secret: Shown::new(begun.secret.expose()),
        uri: Shown::new(begun.uri.expose()),
        qr_svg: Shown::new(drawn.expose()),
        expires_at: Time::at(begun.expires_at),
    }))
}

async fn confirm(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let ConfirmTotp { code } = call.body()?;
    let code = Code::typed(code.expose().as_str());
    let codes = flows::confirm_totp(app, call.origin(), user, &code).await?;
    Ok(Answer::ok(BackupCodes::of(&codes)))
}

async fn remove(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let proof = call.body::<Prove>()?.into_proof();
    flows::remove_totp(app, call.origin(), user, &proof).await?;
    Ok(Answer::Empty)
}

async fn remake(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let proof = call.body::<Prove>()?.into_proof();
    let codes = flows::remake_backup_codes(app, call.origin(), user, &proof).await?;
    Ok(Answer::created(BackupCodes::of(&codes)))
}

impl Prove {
    fn into_proof(self) -> Proof {
        let code = Code::typed(self.code.expose().as_str());
        Proof { password: self.password.into_sensitive(), code, kind: self.code_type.unwrap_or_default() }
    }
}

impl BackupCodes {
    fn of(codes: &[BackupCode]) -> Self {
        Self { backup_codes: codes.iter().map(|code| Shown::new(code.shown().expose())).collect() }
    }
}
