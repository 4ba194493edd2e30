//! Answers that the gateway makes on its own: the `GatewayResponses` of the template.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};

use super::variables::{self, Variables};

/// Why the gateway answers instead of a function. The names are API Gateway's gateway response types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No route for this path and method.
    MissingAuthenticationToken,
    /// No credential, one that the validation expression refuses, or an authorizer that said `Unauthorized`.
    Unauthorized,
    /// The policy denies, or nothing in it allows.
    AccessDenied,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The authorizer answered something that is no policy.
    AuthorizerConfigurationError,
    /// The function failed, or answered something that is no response.
    FunctionFailure,
    /// The method ARN would be longer than 1600 bytes.
    PathTooLong,
    /// The request breaks off, or is no HTTP.
    BadRequest,
    /// More than 10 MB.
    RequestTooLarge,
}

impl Refusal {
    /// The gateway response type. `FunctionFailure`, `PathTooLong` and `BadRequest` have none of their own and take the
    /// default.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::AuthorizerFailure => "AUTHORIZER_FAILURE",
            Self::AuthorizerConfigurationError => "AUTHORIZER_CONFIGURATION_ERROR",
            Self::FunctionFailure => "DEFAULT_5XX",
            Self::PathTooLong | Self::BadRequest => "DEFAULT_4XX",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
        }
    }

    /// The status when the template sets none.
    fn status(self) -> StatusCode {
        match self {
            Self::MissingAuthenticationToken | Self::AccessDenied => StatusCode::FORBIDDEN,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::AuthorizerFailure | Self::AuthorizerConfigurationError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::FunctionFailure => StatusCode::BAD_GATEWAY,
            Self::PathTooLong => StatusCode::URI_TOO_LONG,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    /// API Gateway's own text, for `$context.error.message`. (The real one quotes a bearer in some of them.)
    fn message(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "Missing Authentication Token",
            Self::Unauthorized => "Unauthorized",
            Self::AccessDenied => "User is not authorized to access this resource",
            Self::AuthorizerFailure | Self::AuthorizerConfigurationError | Self::FunctionFailure => {
                "Internal server error"
            }
            Self::PathTooLong => "URI too long",
            Self::BadRequest => "Bad Request",
            Self::RequestTooLarge => "Request Too Long",
        }
    }

    /// What API Gateway names it in the `x-amzn-ErrorType` header.
    fn error_type(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::Unauthorized => "UnauthorizedException",
            Self::AccessDenied => "AccessDeniedException",
            Self::AuthorizerFailure => "AuthorizerFailureException",
            Self::AuthorizerConfigurationError => "AuthorizerConfigurationException",
            Self::FunctionFailure => "InternalServerErrorException",
            Self::PathTooLong => "RequestURITooLongException",
            Self::BadRequest => "BadRequestException",
            Self::RequestTooLarge => "RequestTooLargeException",
        }
    }
}

/// One gateway response of the template.
#[derive(Debug, Clone, Default)]
pub struct GatewayResponse {
    /// The status, where the template sets one.
    pub status: Option<StatusCode>,
    /// Header name and the mapping expression for its value: `'text'` or `context.requestId`.
    pub headers: Vec<(HeaderName, String)>,
    /// Content type and body, with `$context.…` in it.
    pub body: Option<(String, String)>,
}

/// What a response may name. The others are refused when the template is read: a variable that is not known here
/// would be empty in the answer.
const KNOWN: [&str; 5] =
    ["requestId", "error.message", "error.messageString", "error.responseType", "authorizer.code"];

impl GatewayResponse {
    /// Says what this response uses that the devstack does not know.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, expression) in &self.headers {
            if literal(expression).is_none() && !is_known(expression.strip_prefix("context.")) {
                return Err(format!(
                    "the header {name} has the value {expression}: 'text' or context.requestId"
                ));
            }
        }
        let body = self.body.as_ref().map_or("", |(_, body)| body);
        match variables::names(body).into_iter().find(|name| !KNOWN.contains(name)) {
            Some(unknown) => {
                Err(format!("the body uses $context.{unknown}, which the devstack does not know"))
            }
            None => Ok(()),
        }
    }
}

fn is_known(variable: Option<&str>) -> bool {
    variable.is_some_and(|name| KNOWN.contains(&name))
}

/// The text of a static mapping expression: what stands in single quotes.
fn literal(expression: &str) -> Option<&str> {
    expression.strip_prefix('\'')?.strip_suffix('\'')
}

/// The gateway responses of the template, by type.
#[derive(Debug, Default)]
pub struct GatewayResponses(pub BTreeMap<String, GatewayResponse>);

impl GatewayResponses {
    /// Renders the answer for `refusal`: its own response, else the default for its class, else API Gateway's.
    pub fn render(&self, refusal: Refusal, variables: &Variables) -> Response {
        let mut variables = variables.clone();
        variables.set("error.message", refusal.message());
        variables.set("error.messageString", format!("\"{}\"", refusal.message()));
        variables.set("error.responseType", refusal.name());

        let class = if refusal.status().is_server_error() { "DEFAULT_5XX" } else { "DEFAULT_4XX" };
        let fallback = GatewayResponse::default();
        let shape = match refusal {
            // The one answer that no template changes.
            Refusal::RequestTooLarge => &fallback,
            _ => self.0.get(refusal.name()).or_else(|| self.0.get(class)).unwrap_or(&fallback),
        };

        let (content_type, body) = match &shape.body {
            Some((content_type, body)) => (content_type.as_str(), body.as_str()),
            None => ("application/json", r#"{"message":$context.error.messageString}"#),
        };
        let mut response = Response::new(Body::from(variables.fill_in(body, "")));
        *response.status_mut() = shape.status.unwrap_or(refusal.status());
        let headers = response.headers_mut();
        headers.insert(
            HeaderName::from_static("x-amzn-errortype"),
            HeaderValue::from_static(refusal.error_type()),
        );
        if let Ok(content_type) = HeaderValue::from_str(content_type) {
            headers.insert(http::header::CONTENT_TYPE, content_type);
        }
        for (name, expression) in &shape.headers {
            if let Ok(value) = HeaderValue::from_str(&mapped(expression, &variables)) {
                headers.insert(name.clone(), value);
            }
        }
        response
    }
}

/// The value of a mapping expression.
fn mapped(expression: &str, variables: &Variables) -> String {
    match (literal(expression), expression.strip_prefix("context.")) {
        (Some(text), _) => text.to_owned(),
        (None, Some(name)) => variables.get(name).unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn shape(status: Option<u16>, headers: &[(&'static str, &str)], body: &str) -> GatewayResponse {
        GatewayResponse {
            status: status.map(|status| StatusCode::from_u16(status).unwrap()),
            headers: headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), (*value).to_owned()))
                .collect(),
            body: Some(("application/json".to_owned(), body.to_owned())),
        }
    }

    fn request() -> Variables {
        let mut variables = Variables::default();
        variables.set("requestId", "r-1");
        variables
    }

    #[tokio::test]
    async fn a_response_of_the_template_is_rendered() {
        let headers = [("www-authenticate", "'Bearer realm=\"x\"'"), ("x-request-id", "context.requestId")];
        let unauthorized = shape(None, &headers, r#"{"id":"$context.requestId"}"#);
        assert_eq!(unauthorized.check(), Ok(()));
        let responses = GatewayResponses(BTreeMap::from([("UNAUTHORIZED".to_owned(), unauthorized)]));

        let answer = responses.render(Refusal::Unauthorized, &request());
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"x\"");
        assert_eq!(answer.headers()["x-request-id"], "r-1");
        assert_eq!(answer.headers()["x-amzn-errortype"], "UnauthorizedException");
        assert_eq!(body(answer).await, r#"{"id":"r-1"}"#);
    }

    #[tokio::test]
    async fn the_default_of_the_class_stands_in_and_then_api_gateways_own() {
        let responses = GatewayResponses(BTreeMap::from([
            ("DEFAULT_5XX".to_owned(), shape(Some(503), &[], "five")),
            ("DEFAULT_4XX".to_owned(), shape(None, &[], "four")),
        ]));
        let failure = responses.render(Refusal::AuthorizerFailure, &request());
        assert_eq!(failure.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body(failure).await, "five");
        let unknown = responses.render(Refusal::MissingAuthenticationToken, &request());
        assert_eq!(unknown.status(), StatusCode::FORBIDDEN, "the default sets no status: its own stays");
        assert_eq!(body(unknown).await, "four");

        let bare = GatewayResponses::default().render(Refusal::AccessDenied, &request());
        assert_eq!(bare.status(), StatusCode::FORBIDDEN);
        assert_eq!(body(bare).await, r#"{"message":"User is not authorized to access this resource"}"#);
    }

    #[test]
    fn what_the_devstack_cannot_render_is_refused() {
        assert!(shape(None, &[("x-a", "method.request.header.X")], "").check().is_err());
        let unknown = shape(None, &[], "$context.authorizer.word").check();
        assert!(unknown.unwrap_err().contains("$context.authorizer.word"));
    }
}
