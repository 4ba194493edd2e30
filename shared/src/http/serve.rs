//! Events as they come from Lambda, on their way to a handler.

use std::task::{Context, Poll};

use lambda_http::lambda_runtime::{self, Diagnostic};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, IntoResponse, LambdaEvent, Request, Service};

/// Serves HTTP events for as long as the execution environment lives; `lambda_http::run`, but for [`with_every_header`].
pub async fn serve<'a, R, S, E>(handler: S) -> Result<(), Error>
where
    S: Service<Request, Response = R, Error = E>,
    S::Future: Send + 'a,
    R: IntoResponse,
    E: std::fmt::Debug + Into<Diagnostic>,
{
    lambda_runtime::run(EveryHeader(Adapter::from(handler))).await
}

/// A REST event has its headers twice: once with every value, once with the last one only. `lambda_http` lets the second win, and so
/// hides that a header came twice. Where every value is known, the last ones are dropped.
pub fn with_every_header(event: LambdaRequest) -> LambdaRequest {
    match event {
        LambdaRequest::ApiGatewayV1(mut event) => {
            if !event.multi_value_headers.is_empty() {
                event.headers.clear();
            }
            LambdaRequest::ApiGatewayV1(event)
        }
        other => other,
    }
}

struct EveryHeader<S>(S);

impl<S: Service<LambdaEvent<LambdaRequest>>> Service<LambdaEvent<LambdaRequest>> for EveryHeader<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, event: LambdaEvent<LambdaRequest>) -> S::Future {
        self.0.call(LambdaEvent { payload: with_every_header(event.payload), context: event.context })
    }
}
