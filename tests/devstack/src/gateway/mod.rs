//! A REST API of API Gateway, as far as `infra/template.yaml` describes one.
//!
//! What it follows: routes and their precedence, `TOKEN` authorizers with a validation expression and without a cache,
//! IAM policies, gateway responses, the proxy event, compression, the access log. What it cannot show: throttling, WAF, timeouts,
//! usage plans, request validation, TLS, and HTTP/2.

pub mod authorizer;
mod compression;
pub mod event;
pub mod invoke;
pub mod responses;
pub mod routes;
pub mod template;
pub mod variables;
pub(crate) mod yaml;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, request};
use http_body_util::BodyExt as _;
use shared::clock::Clock;
use shared::rng::{self, Rng};

use crate::logs::Logs;
use authorizer::{Context, Denied};
use invoke::Functions;
use responses::Refusal;
use routes::Matched;
use template::Api;
use variables::Variables;

/// The account in every ARN.
const ACCOUNT: &str = "123456789012";
/// The API's id in every ARN and event.
const API_ID: &str = "devstack";
/// The most that a REST API takes, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// A method ARN may be this long, in bytes.
const MAX_ARN: usize = 1600;

/// The gateway.
pub struct Gateway {
    /// What the template says.
    pub api: Api,
    /// Where functions run.
    pub functions: Functions,
    /// The region in every ARN.
    pub region: String,
    /// Where access log lines go.
    pub logs: Logs,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for request ids.
    pub rng: Arc<dyn Rng>,
}

impl Gateway {
    /// Answers one request that came from `source`.
    pub async fn answer(&self, source: IpAddr, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let method = overridden_method(&parts);
        parts.method = method;
        let mut variables = self.variables(source, &parts);
        let request_id = variables.get("requestId").unwrap_or_default().to_owned();

        let answered = match read_all(body).await {
            Ok(body) => self.route(source, &parts, body, &mut variables).await,
            Err(refusal) => Err(Denied::new(refusal, "")),
        };
        let mut response = match answered {
            Ok(response) => rename_challenge(response),
            Err(Denied { refusal, .. }) => {
                variables.set("error.responseType", refusal.name());
                self.api.responses.render(refusal, &variables)
            }
        };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), value);
        }
        let response = compression::compress(response, &parts.headers, self.api.compressed_from).await;
        self.write_access_log(variables, &response);
        response
    }

    /// Finds the route, asks its authorizer, calls its function.
    async fn route(
        &self,
        source: IpAddr,
        parts: &request::Parts,
        body: Bytes,
        variables: &mut Variables,
    ) -> Result<Response, Denied> {
        let refused = |refusal, reason: &str| Denied::new(refusal, reason);
        let (path, method) = (parts.uri.path(), parts.method.as_str());
        let matched = self.api.routes.find(path, method);
        let matched = matched.ok_or_else(|| refused(Refusal::MissingAuthenticationToken, "no route"))?;
        variables.set("resourcePath", matched.resource);
        let context = self.authorize(parts, &matched, variables).await?;

        let event = event::build(&event::Incoming {
            resource: matched.resource,
            path,
            query: parts.uri.query(),
            method,
            headers: &parts.headers,
            parameters: &matched.parameters,
            authorizer: context.as_ref(),
            body: &body,
            source_ip: &source.to_string(),
            request_id: variables.get("requestId").unwrap_or_default(),
            api_id: API_ID,
            stage: &self.api.stage,
            now: self.clock.now_seconds(),
        });
        let called = self.functions.http(&matched.target.function, event).await;
        called.map_err(|error| {
            self.logs.note(
                "function failed",
                &[("function", &matched.target.function), ("error", &error.to_string())],
            );
            variables.set("integrationErrorMessage", error.to_string());
            refused(Refusal::FunctionFailure, "the function failed")
        })
    }

    /// Asks the route's authorizer who the caller is; `None` on a public route.
    async fn authorize(
        &self,
        parts: &request::Parts,
        matched: &Matched<'_>,
        variables: &mut Variables,
    ) -> Result<Option<Context>, Denied> {
        let named = matched.target.authorizer.as_ref().and_then(|name| self.api.authorizers.get(name));
        let Some(authorizer) = named else {
            return Ok(None);
        };
        let arn = self.method_arn(&parts.method, parts.uri.path());
        if arn.len() > MAX_ARN {
            return Err(Denied::new(Refusal::PathTooLong, "method ARN too long"));
        }
        let judged = match authorizer.token(&parts.headers) {
            Ok(token) => {
                let answer =
                    self.functions.authorizer(&authorizer.function, authorizer::event(&token, &arn)).await;
                authorizer::judge(answer, &arn)
            }
            Err(denied) => Err(denied),
        };
        match judged {
            Ok(context) => {
                for (name, value) in authorizer::as_variables(&context) {
                    variables.set(&name, value);
                }
                Ok(Some(context))
            }
            Err(denied) => {
                for (name, value) in authorizer::as_variables(&denied.context) {
                    variables.set(&name, value);
                }
                variables.set("authorizer.error", &denied.reason);
                Err(denied)
            }
        }
    }

    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
    fn method_arn(&self, method: &Method, path: &str) -> String {
        let (region, stage) = (&self.region, &self.api.stage);
        format!(
            "arn:aws:execute-api:{region}:{ACCOUNT}:{API_ID}/{stage}/{method}/{}",
            path.trim_start_matches('/')
        )
    }

    fn variables(&self, source: IpAddr, parts: &request::Parts) -> Variables {
        let mut variables = Variables::default();
        let request_id = request_id(self.rng.as_ref());
        variables.set("extendedRequestId", &request_id);
        variables.set("requestId", request_id);
        variables.set("requestTime", shared::clock::rfc3339(self.clock.now_seconds()));
        variables.set("identity.sourceIp", source.to_string());
        variables.set("httpMethod", parts.method.as_str());
        variables.set("path", parts.uri.path());
        variables.set("protocol", "HTTP/1.1");
        variables.set("stage", &self.api.stage);
        variables.set("apiId", API_ID);
        variables
    }

    fn write_access_log(&self, mut variables: Variables, response: &Response) {
        variables.set("status", response.status().as_str());
        if let Some(length) = response.body().size_hint().exact() {
            variables.set("responseLength", length.to_string());
        }
        if let Some(format) = &self.api.access_log {
            self.logs.line(&variables.fill_in(format, "-"));
        }
    }
}

/// The whole body.
///
/// What is too much is read all the same, up to a point: a client that is still sending would not see the answer.
async fn read_all(mut body: Body) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::BadRequest)?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= MAX_BODY {
            whole.extend_from_slice(&data);
        } else if length > 4 * MAX_BODY {
            break;
        }
    }
    if length > MAX_BODY { Err(Refusal::RequestTooLarge) } else { Ok(whole.freeze()) }
}

/// A REST API takes the method from this header when it is there.
fn overridden_method(parts: &request::Parts) -> Method {
    let named = parts.headers.get("x-http-method-override");
    named.and_then(|name| Method::from_bytes(name.as_bytes()).ok()).unwrap_or_else(|| parts.method.clone())
}

/// A REST API does not let a function's `WWW-Authenticate` through under its own name.
fn rename_challenge(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(challenge) = headers.remove(http::header::WWW_AUTHENTICATE) {
        headers.insert(HeaderName::from_static("x-amzn-remapped-www-authenticate"), challenge);
    }
    response
}

/// A random UUID (RFC 9562 version 4), the form of API Gateway's request ids.
fn request_id(rng: &dyn Rng) -> String {
    let mut bytes: [u8; 16] = rng::bytes(rng);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_random_uuids() {
        let id = request_id(&shared::rng::SystemRng);
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert_ne!(id, request_id(&shared::rng::SystemRng));
    }

    #[tokio::test]
    async fn ten_megabytes_and_no_byte_more() {
        assert_eq!(read_all(Body::from("abc")).await.unwrap(), "abc");
        assert!(read_all(Body::from(vec![0; MAX_BODY])).await.is_ok());
        assert_eq!(read_all(Body::from(vec![0; MAX_BODY + 1])).await, Err(Refusal::RequestTooLarge));
    }

    #[test]
    fn a_functions_challenge_is_renamed() {
        let mut response = Response::new(Body::empty());
        response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
        let response = rename_challenge(response);
        assert!(!response.headers().contains_key("www-authenticate"));
        assert_eq!(response.headers()["x-amzn-remapped-www-authenticate"], "Bearer");
    }

    #[test]
    fn the_method_can_be_overridden() {
        let with = |value: &str| {
            let request = http::Request::get("/").header("X-HTTP-Method-Override", value);
            overridden_method(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(with("DELETE"), Method::DELETE);
        assert_eq!(with("not a method"), Method::GET);
    }
}
