//! The envelope, and the headers every answer carries.

use lambda_http::http::{HeaderValue, Response, StatusCode, header};
use lambda_http::{Body, Error};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{FieldProblem, Problem};
use crate::deadline;
use crate::sensitive::Sensitive;

/// From how many bytes on the gateway compresses what is not compressed yet: `MinimumCompressionSize` of `infra/template.yaml`.
pub const COMPRESSED_FROM: usize = 8192;

/// What a handler answers when it did what it was asked.
#[derive(Debug)]
pub enum Answer {
    /// 200 in the envelope.
    Ok(Value),
    /// 200 in the envelope, with the session's cookie.
    Session(Value, Sensitive<String>),
    /// 201 in the envelope.
    Created(Value),
    /// 204.
    Empty,
    /// 200 outside the envelope, and kept by nobody: in the form of whoever asked.
    Bare(Value),
    /// 200, a public document as it is, outside the envelope, kept by caches for five minutes.
    Public(Value),
}

impl Answer {
    /// 200 in the envelope.
    pub fn ok(data: impl Serialize) -> Self {
        Self::Ok(json!(data))
    }

    /// 200 in the envelope, with the session's cookie.
    pub fn session(data: impl Serialize, cookie: Sensitive<String>) -> Self {
        Self::Session(json!(data), cookie)
    }

    /// 201 in the envelope.
    pub fn created(data: impl Serialize) -> Self {
        Self::Created(json!(data))
    }

    /// 200 outside the envelope.
    pub fn bare(data: impl Serialize) -> Self {
        Self::Bare(json!(data))
    }

    /// 200, a public document.
    pub fn public(document: impl Serialize) -> Self {
        Self::Public(json!(document))
    }
}

/// The envelope of an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Answer")]
pub struct Success<T> {
    #[schemars(extend("const" = true))]
    success: bool,
    data: T,
}

impl<T> Success<T> {
    /// Around what was asked for.
    pub fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

/// The envelope of a problem.
#[derive(Serialize, JsonSchema)]
pub struct Failure {
    #[schemars(extend("const" = false))]
    success: bool,
    error: FailureError,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct FailureError {
    /// Stable.
    #[schemars(extend("pattern" = "^[a-z_]+$"))]
    code: &'static str,
    /// For people.
    #[schemars(length(min = 1))]
    message: &'static str,
    /// The request's id, as in `X-Request-Id`.
    request_id: String,
    /// What is not what it must be, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<FieldProblem>", length(min = 1))]
    fields: Option<Vec<FieldProblem>>,
}

impl Failure {
    /// Around what is wrong.
    pub fn of(request_id: &str, problem: &Problem) -> Self {
        let fields = match problem {
            Problem::Invalid(fields) => Some(fields.clone()),
            _ => None,
        };
        let (code, message) = (problem.code(), problem.message());
        Self {
            success: false,
            error: FailureError { code, message, request_id: request_id.to_owned(), fields },
        }
    }
}

/// Runs a call under its deadline, and puts its answer or its problem into the envelope.
pub async fn respond(
    request_id: &str,
    call: impl Future<Output = Result<Answer, Problem>>,
) -> Response<Body> {
    let result = deadline::call(call).await;
    build(request_id, &result).unwrap_or_else(|_| {
        // Nothing we put into a header can fail to be one; were it so, the client is told no more than that.
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    })
}

fn build(request_id: &str, result: &Result<Answer, Problem>) -> Result<Response<Body>, Error> {
    let (status, body, cache) = match result {
        Ok(Answer::Ok(data) | Answer::Session(data, _)) => (StatusCode::OK, success(data)?, "no-store"),
        Ok(Answer::Created(data)) => (StatusCode::CREATED, success(data)?, "no-store"),
        Ok(Answer::Bare(data)) => (StatusCode::OK, serde_json::to_string(data)?, "no-store"),
        Ok(Answer::Empty) => (StatusCode::NO_CONTENT, String::new(), "no-store"),
        Ok(Answer::Public(document)) => {
            (StatusCode::OK, serde_json::to_string(document)?, "public, max-age=300")
        }
        Err(problem) => {
            let failure = serde_json::to_string(&Failure::of(request_id, problem))?;
            (problem.status(), failure, "no-store")
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CACHE_CONTROL, cache)
        .header("x-request-id", HeaderValue::from_str(request_id)?)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Ok(Answer::Session(_, cookie)) = result {
        let mut cookie = HeaderValue::from_str(cookie.expose())?;
        cookie.set_sensitive(true);
        response = response.header(header::SET_COOKIE, cookie);
    }
    if let Err(problem) = result {
        if let Some(seconds) = problem.retry_after() {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        if let Problem::MethodNotAllowed(allow) = problem {
            response = response.header(header::ALLOW, *allow);
        }
        if problem.code() == "unauthorized" {
            response = response.header(header::WWW_AUTHENTICATE, r#"Bearer realm="syncgram""#);
        }
    }
    if body.is_empty() {
        return Ok(response.body(Body::Empty)?);
    }
    if body.len() >= COMPRESSED_FROM {
        // What is compressed has a length that depends on what it says (docs/adr/0016-dashboard.md). The gateway leaves alone what
        // has a coding.
        response = response.header(header::CONTENT_ENCODING, "identity");
    }
    Ok(response.header(header::CONTENT_TYPE, "application/json").body(Body::Text(body))?)
}

/// The same for a function that answers no gateway: the envelope alone.
pub async fn envelope(request_id: &str, call: impl Future<Output = Result<Value, Problem>>) -> Value {
    match deadline::call(call).await {
        Ok(data) => json!(Success::of(data)),
        Err(problem) => json!(Failure::of(request_id, &problem)),
    }
}

/// Written at once: a tree of the whole answer would be another copy, and writing one out takes three times as long.
fn success(data: &Value) -> serde_json::Result<String> {
    serde_json::to_string(&Success::of(data))
}
