//! `/secret-scanning/github`: reports of API keys that were found where anybody can read them. docs/adr/0028-last-use-and-leaks.md

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::flows;
use shared::http::{self, Answer, Call, Problem, read_report, single_header};
use shared::leaks;

/// The header that names the key a report is signed with.
pub const KEY_IDENTIFIER: &str = "github-public-key-identifier";
/// The header that holds its signature.
pub const SIGNATURE: &str = "github-public-key-signature";

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match call.route() {
        (&Method::POST, _) => report(app, call).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn report(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    // The bytes as they came are what is signed: nothing is read out of them before.
    let body = call.report_body()?;
    let signature = single_header(call, SIGNATURE).unwrap_or_default();
    let identifier = single_header(call, KEY_IDENTIFIER).unwrap_or_default();
    flows::check_report(app, call.origin(), identifier, signature, body).await?;
    let found = leaks::read(read_report(body)?).ok_or(Problem::InvalidReport)?;
    Ok(Answer::bare(flows::report_leaks(app, call.origin(), &found).await?))
}
