//! The authorizer: one Lambda in front of any API Gateway, REST or HTTP. It reads one table and nothing else.

use serde_json::Value;
pub use shared::authz::{Answer, AuthorizerError};

/// Decides about an authorizer event of any of the four kinds: an answer in that kind's form, or an error.
///
/// `invocation` is Lambda's id of this call. A `TOKEN` event holds no request id, so it is what leads from the gateway's access log
/// (`$context.authorizer.requestId`) to the reason in this function's log.
///
/// # Errors
/// `Unauthorized`, which a REST API answers with 401; any other text when the credential could not be checked.
pub async fn decide(
    app: &shared::app::App,
    event: Value,
    invocation: &str,
) -> Result<Answer, AuthorizerError> {
    shared::authz::decide(app, &event, invocation).await
}

/// [`decide`], as a gateway reads it.
///
/// # Errors
/// As [`decide`].
pub async fn handle(
    app: &shared::app::App,
    event: Value,
    invocation: &str,
) -> Result<Value, AuthorizerError> {
    decide(app, event, invocation).await.map(|answer| answer.to_value())
}
