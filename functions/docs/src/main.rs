//! The `docs` function.

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};
use shared::config::logs;
use shared::http::serve;
use shared::panics;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    panics::hush();
    serve(service_fn(|request: Request| async move { Ok::<_, Infallible>(docs::handle(request).await) }))
        .await
}
