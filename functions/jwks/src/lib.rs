//! The public documents: `/.well-known/jwks.json` and `/.well-known/openid-configuration`. It also answers whatever no other route
//! knows, being the function that costs least and reads no secret.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, Refusal};
use shared::http::{self, Answer, Call, Problem};
use shared::tokens::key_set::{ALGORITHM, PublicKey};

/// The public signing keys (RFC 7517 section 5).
#[derive(Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct KeySet {
    /// The one that signs, the next one, and those whose last token has not expired.
    pub keys: Vec<PublicKey>,
}

/// OpenID Connect Discovery 1.0 section 3, as far as it is about us: who issues, and where the keys are.
#[derive(Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct Metadata {
    /// `iss` of every access token.
    pub issuer: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// How tokens are signed.
    #[schemars(extend("items" = schemars::json_schema!({ "const": ALGORITHM })))]
    pub id_token_signing_alg_values_supported: [&'static str; 1],
    /// Nothing is asked for in the address bar.
    pub response_types_supported: [&'static str; 1],
    /// Everybody sees one `sub` for one person.
    pub subject_types_supported: [&'static str; 1],
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::GET | &Method::HEAD, "/.well-known/jwks.json") => key_set(app, call).await,
        (&Method::GET | &Method::HEAD, "/.well-known/openid-configuration") => metadata(app, call).await,
        (_, path) if path.starts_with("/.well-known/") => Err(Problem::MethodNotAllowed("GET, HEAD")),
        _ => Err(Refusal::NotFound.into()),
    }
}

async fn key_set(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let keyring = flows::published_keys(app, call.origin()).await?;
    Ok(Answer::public(KeySet { keys: keyring.published.clone() }))
}

async fn metadata(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let keyring = flows::published_keys(app, call.origin()).await?;
    Ok(Answer::public(Metadata::of(&keyring.issuer)))
}

impl Metadata {
    /// Of an issuer.
    pub fn of(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            jwks_uri: format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')),
            id_token_signing_alg_values_supported: [ALGORITHM],
            response_types_supported: ["token"],
            subject_types_supported: ["public"],
        }
    }
}
