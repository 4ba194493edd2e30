//! The public documents: `/.well-known/jwks.json` and `/.well-known/openid-configuration`. It also answers whatever no other route
//! knows, being the function that costs least and reads no secret.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::json;
use shared::app::App;
use shared::flows::{self, Refusal};
use shared::http::{self, Answer, Call, Problem};

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

/// RFC 7517 section 5.
async fn key_set(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let keyring = flows::published_keys(app, call.origin()).await?;
    Ok(Answer::Public(json!({ "keys": keyring.published })))
}

/// OpenID Connect Discovery 1.0 section 3, as far as it is about us: who issues, and where the keys are.
async fn metadata(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let keyring = flows::published_keys(app, call.origin()).await?;
    let issuer = &keyring.issuer;
    Ok(Answer::Public(json!({
        "issuer": issuer,
        "jwks_uri": format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')),
        "id_token_signing_alg_values_supported": ["ES256"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
    })))
}
