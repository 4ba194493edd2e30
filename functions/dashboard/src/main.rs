//! The `dashboard` function.

use std::convert::Infallible;

use dashboard::Site;
use lambda_http::{Error, Request, service_fn};
use shared::config::logs;
use shared::http::serve;
use shared::panics;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    panics::hush();
    // No table, no secret, no client: a start has nothing to wait for.
    let site = Site::new()?;
    let site = &site;
    serve(service_fn(|request: Request| async move {
        Ok::<_, Infallible>(dashboard::handle(site, request).await)
    }))
    .await
}
