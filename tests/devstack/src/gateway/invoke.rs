//! Calls a function: in this process, or where `cargo lambda watch` serves it.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dashboard::Site;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use shared::app::App;
use tracing::instrument::WithSubscriber as _;

use crate::roles::called_as;

/// Why a function gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function returned an error; its message is what Lambda reports as `errorMessage`.
    #[error("{0}")]
    Function(String),
    /// The function panicked. Its environment survives, as on Lambda.
    #[error("the function panicked")]
    Panicked,
    /// There is no function of that name.
    #[error("there is no function {0}")]
    Unknown(String),
    /// The function answered something that is no response of the proxy integration.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// The place where functions run did not answer.
    #[error("cannot reach the functions: {0}")]
    Unreachable(String),
}

/// Where functions run.
#[derive(Clone)]
pub enum Functions {
    /// In this process, all with one `App`, but for those behind the stream, the queue, the schedule and the logs, which have the second: what
    /// they ask for is in no caller's budget. Their
    /// log lines go to the subscriber.
    InProcess(Arc<App>, Arc<App>, tracing::Dispatch),
    /// Behind Lambda's `Invoke` API at this URL.
    Remote(reqwest::Client, String),
}

impl Functions {
    /// Calls the HTTP function `name` with a proxy event.
    pub async fn http(&self, name: &str, event: Value) -> Result<Response, InvokeError> {
        match self {
            Self::InProcess(app, _, log) => {
                let call = http_in_process(Arc::clone(app), name.to_owned(), event);
                let call = called_as(name, call);
                // A task of its own: a panic ends there, and a client that hangs up does not stop the function.
                tokio::spawn(call.with_subscriber(log.clone())).await.map_err(|_| InvokeError::Panicked)?
            }
            Self::Remote(client, url) => proxy_response(&remote(client, url, name, &event).await?),
        }
    }

    /// Calls the authorizer `name`.
    pub async fn authorizer(&self, name: &str, event: Value) -> Result<Value, InvokeError> {
        match self {
            Self::InProcess(app, _, log) => {
                if name != "authorizer" {
                    return Err(InvokeError::Unknown(name.to_owned()));
                }
                let app = Arc::clone(app);
                // The runtime's name for this call.
                let invocation = shared::ids::new_token_id(app.clock.as_ref(), app.rng.as_ref());
                let call = called_as(name, async move { authorizer::handle(&app, event, &invocation).await });
                tokio::spawn(call.with_subscriber(log.clone()))
                    .await
                    .map_err(|_| InvokeError::Panicked)?
                    .map_err(|error| InvokeError::Function(error.to_string()))
            }
            Self::Remote(client, url) => remote(client, url, name, &event).await,
        }
    }
}

impl Functions {
    /// Calls a function that no gateway leads to, as `aws lambda invoke` does.
    pub async fn event(&self, name: &str, event: Value) -> Result<Value, InvokeError> {
        let (app, chainer, log) = match self {
            Self::InProcess(app, chainer, log) => (Arc::clone(app), Arc::clone(chainer), log.clone()),
            Self::Remote(client, url) => return remote(client, url, name, &event).await,
        };
        let invocation = shared::ids::new_token_id(app.clock.as_ref(), app.rng.as_ref());
        let named = name.to_owned();
        let call = async move {
            match named.as_str() {
                "operator" => Ok(operator::handle(&app, event, &invocation).await),
                "audit_chain" => audit_chain::handle(&chainer, event, &invocation)
                    .await
                    .map_err(|error| InvokeError::Function(error.to_string())),
                "webhook_queue" => webhook_queue::handle(&chainer, event, &invocation)
                    .await
                    .map_err(|error| InvokeError::Function(error.to_string())),
                "webhook_send" => webhook_send::handle(&chainer, event, &invocation)
                    .await
                    .map_err(|error| InvokeError::Function(error.to_string())),
                "key_expiry" => key_expiry::handle(&chainer, event, &invocation)
                    .await
                    .map_err(|error| InvokeError::Function(error.message())),
                "key_usage" => key_usage::handle(&chainer, &event, &invocation)
                    .await
                    .map_err(|error| InvokeError::Function(error.to_string())),
                _ => Err(InvokeError::Unknown(named)),
            }
        };
        tokio::spawn(called_as(name, call).with_subscriber(log)).await.map_err(|_| InvokeError::Panicked)?
    }
}

async fn http_in_process(app: Arc<App>, name: String, event: Value) -> Result<Response, InvokeError> {
    let (parts, body) = handle(&app, &name, &event).await?.into_parts();
    Ok(Response::from_parts(parts, Body::from(body.to_vec())))
}

/// Calls the HTTP function `name`, here and now: whoever drops the call stops the function.
///
/// # Errors
/// [`InvokeError::Function`] for an event that the Lambda runtime cannot read; [`InvokeError::Unknown`].
pub async fn handle(
    app: &App,
    name: &str,
    event: &Value,
) -> Result<lambda_http::Response<lambda_http::Body>, InvokeError> {
    // What the Lambda runtime does with an event that it cannot read: an error, and no call.
    let event: lambda_http::request::LambdaRequest =
        serde_json::from_str(&event.to_string()).map_err(|error| InvokeError::Function(error.to_string()))?;
    let request = lambda_http::Request::from(shared::http::settled(event));
    Ok(match name {
        "login" => login::handle(app, request).await,
        "verify" => verify::handle(app, request).await,
        "register" => register::handle(app, request).await,
        "password" => password::handle(app, request).await,
        "refresh" => refresh::handle(app, request).await,
        "logout" => logout::handle(app, request).await,
        "keys" => keys::handle(app, request).await,
        "sessions" => sessions::handle(app, request).await,
        "factors" => factors::handle(app, request).await,
        "organizations" => organizations::handle(app, request).await,
        "leaks" => leaks::handle(app, request).await,
        "members" => members::handle(app, request).await,
        "invitations" => invitations::handle(app, request).await,
        "webhooks" => webhooks::handle(app, request).await,
        "jwks" => jwks::handle(app, request).await,
        "dashboard" => dashboard::handle(&site()?, request).await,
        "docs" => docs::handle(request).await,
        _ => return Err(InvokeError::Unknown(name.to_owned())),
    })
}

/// The app, which the function's program puts together once.
fn site() -> Result<Site, InvokeError> {
    Site::new().map_err(|error| InvokeError::Function(error.to_string()))
}

/// Lambda's `Invoke` API, `RequestResponse`.
async fn remote(
    client: &reqwest::Client,
    url: &str,
    name: &str,
    event: &Value,
) -> Result<Value, InvokeError> {
    let away = |error: reqwest::Error| InvokeError::Unreachable(error.to_string());
    let url = format!("{}/2015-03-31/functions/{name}/invocations", url.trim_end_matches('/'));
    let answer = client.post(url).json(event).send().await.map_err(away)?;
    let status = answer.status();
    let failed = answer.headers().contains_key("x-amz-function-error");
    let body = answer.bytes().await.map_err(away)?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| InvokeError::Unreachable(format!("{status}: {}", String::from_utf8_lossy(&body))))?;
    match body.get("errorMessage").and_then(Value::as_str) {
        Some(message) if failed || !status.is_success() || body.get("errorType").is_some() => {
            Err(InvokeError::Function(message.to_owned()))
        }
        _ if failed || !status.is_success() => Err(InvokeError::Unreachable(format!("{status}: {body}"))),
        _ => Ok(body),
    }
}

/// Reads the answer of a proxy integration: `statusCode`, `headers`, `multiValueHeaders`, `body`, `isBase64Encoded`.
fn proxy_response(answer: &Value) -> Result<Response, InvokeError> {
    let malformed = |what: &str| InvokeError::Malformed(what.to_owned());
    let status = answer.get("statusCode").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status =
        status.and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(|| malformed("statusCode"))?;
    let body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            STANDARD.decode(text).map_err(|_| malformed("body is no base64"))?
        }
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return Err(malformed("body is no text")),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let multi = answer.get("multiValueHeaders").and_then(Value::as_object);
    for (name, values) in multi.into_iter().flatten() {
        for value in values.as_array().ok_or_else(|| malformed("multiValueHeaders"))? {
            append(&mut response, name, value)?;
        }
    }
    let single = answer.get("headers").and_then(Value::as_object);
    for (name, value) in single.into_iter().flatten() {
        // A header in both maps: the one with all its values counts.
        if !multi.is_some_and(|multi| multi.contains_key(name)) {
            append(&mut response, name, value)?;
        }
    }
    Ok(response)
}

fn append(response: &mut Response, name: &str, value: &Value) -> Result<(), InvokeError> {
    let malformed = || InvokeError::Malformed(format!("header {name}"));
    let value = value.as_str().ok_or_else(malformed)?;
    let value = HeaderValue::from_str(value).map_err(|_| malformed())?;
    response.headers_mut().append(name.parse::<HeaderName>().map_err(|_| malformed())?, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_proxy_answer_becomes_a_response() {
        let response = proxy_response(&json!({
            "statusCode": 201,
            "headers": {"A": "single", "B": "only"},
            "multiValueHeaders": {"A": ["1", "2"]},
            "body": "aGk=",
            "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(response.status(), 201);
        let values: Vec<_> = response.headers().get_all("a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(response.headers()["b"], "only");
        assert_eq!(axum::body::to_bytes(response.into_body(), 10).await.unwrap(), "hi");
    }

    #[test]
    fn a_malformed_proxy_answer_is_refused() {
        for bad in [
            json!(null),
            json!({"body": "no status"}),
            json!({"statusCode": 99}),
            json!({"statusCode": "200"}),
            json!({"statusCode": 200, "body": {"a": 1}}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": {"bad name": "x"}}),
            json!({"statusCode": 200, "multiValueHeaders": {"a": "x"}}),
        ] {
            assert!(matches!(proxy_response(&bad), Err(InvokeError::Malformed(_))), "{bad}");
        }
    }
}
