//! Events as they come from Lambda, on their way to a handler.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::TryFutureExt;
use futures::future::MapOk;
use lambda_http::http::{HeaderMap, header};
use lambda_http::lambda_runtime::{self, Diagnostic};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, Error, IntoResponse, LambdaEvent, Request, Response, Service};

use crate::panics::caught;

/// The longest query that is passed on, in bytes. The gateway's limit for a request line and all headers is 10 KiB.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// Serves HTTP events for as long as the execution environment lives; `lambda_http::run`, but for [`settled`], [`caught`] and [`AsItIs`].
pub async fn serve<'a, S, E>(handler: S) -> Result<(), Error>
where
    S: Service<Request, Response = Response<Body>, Error = E>,
    S::Future: Send + 'a,
    E: std::fmt::Debug + Into<Diagnostic> + 'a,
{
    lambda_runtime::run(caught(Settled(Adapter::from(Whole(handler))))).await
}

/// An answer whose body goes out as it is. `lambda_http` takes whatever has a `Content-Encoding` for binary, `identity` too, and sends it as
/// base64: a gateway without binary types passes that on to the client.
struct AsItIs(Response<Body>);

impl IntoResponse for AsItIs {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

/// A handler whose answers go out as they are.
struct Whole<S>(S);

impl<S: Service<Request, Response = Response<Body>>> Service<Request> for Whole<S> {
    type Response = AsItIs;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response<Body>) -> AsItIs>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(request).map_ok(AsItIs as fn(Response<Body>) -> AsItIs)
    }
}

/// An event with what `lambda_http` would trip over settled.
///
/// A REST event has its headers twice: once with every value, once with the last one only. `lambda_http` lets the second win, and so
/// hides that a header came twice. Where every value is known, the last ones are dropped.
///
/// `lambda_http` also puts a URI together from stage, host, forwarded scheme, path and query, and panics when that is none: a client can
/// choose a scheme or a query that makes it so. No handler looks at the URI (routes and parameters are the event's own), so it becomes
/// `/` and the query.
pub fn settled(event: LambdaRequest) -> LambdaRequest {
    match event {
        LambdaRequest::ApiGatewayV1(mut event) => {
            if !event.multi_value_headers.is_empty() {
                event.headers.clear();
            }
            forget_address(&mut event.headers);
            forget_address(&mut event.multi_value_headers);
            event.path = None;
            (event.request_context.stage, event.request_context.domain_name) = (None, None);
            for query in [&mut event.query_string_parameters, &mut event.multi_value_query_string_parameters]
            {
                if query.to_query_string().len() > MAX_QUERY_BYTES {
                    *query = Default::default();
                }
            }
            readable(&mut event.body, event.is_base64_encoded);
            LambdaRequest::ApiGatewayV1(event)
        }
        LambdaRequest::ApiGatewayV2(mut event) => {
            forget_address(&mut event.headers);
            event.raw_path = None;
            (event.request_context.stage, event.request_context.domain_name) = (None, None);
            event.raw_query_string = event
                .raw_query_string
                .map(|query| query_of_a_uri(&query))
                .filter(|query| query.len() <= MAX_QUERY_BYTES);
            readable(&mut event.body, event.is_base64_encoded);
            LambdaRequest::ApiGatewayV2(event)
        }
        other => other,
    }
}

fn forget_address(headers: &mut HeaderMap) {
    headers.remove(header::HOST);
    headers.remove("x-forwarded-proto");
}

/// A body that is said to be base64, and is none, is nothing: `lambda_http` would panic.
fn readable(body: &mut Option<String>, is_base64_encoded: bool) {
    if is_base64_encoded && body.as_ref().is_some_and(|text| BASE64_STANDARD.decode(text).is_err()) {
        *body = None;
    }
}

/// Percent-encodes what cannot stand in the query of a URI (RFC 3986 section 3.4). What is encoded already stays as it is.
fn query_of_a_uri(query: &str) -> String {
    let mut encoded = String::with_capacity(query.len());
    for byte in query.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~%&=+!$'()*,;:@/?".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

struct Settled<S>(S);

impl<S: Service<LambdaEvent<LambdaRequest>>> Service<LambdaEvent<LambdaRequest>> for Settled<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, event: LambdaEvent<LambdaRequest>) -> S::Future {
        self.0.call(LambdaEvent { payload: settled(event.payload), context: event.context })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_has_a_coding_is_still_text() {
        let response = || {
            let response = Response::builder().header(header::CONTENT_ENCODING, "identity");
            response
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::Text("[]".to_owned()))
                .unwrap()
        };
        assert_eq!(AsItIs(response()).into_response().await.body(), &Body::Text("[]".to_owned()));
        let by_itself = response().into_response().await;
        assert!(matches!(by_itself.body(), Body::Binary(_)), "lambda_http keeps it as text: AsItIs can go");
    }
}
