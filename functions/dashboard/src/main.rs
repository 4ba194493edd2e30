//! The `dashboard` function.

use std::convert::Infallible;

use dashboard::Site;
use lambda_http::{Error, Request, service_fn};
use shared::config::logs;
use shared::http::serve;
use shared::panics;
use shared::task::in_a_task;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    in_a_task(async {
        logs::init();
        panics::hush();
        // No table, no secret, no client: a start has nothing to wait for.
        let site = Site::new()?;
        let site = &site;
        serve(service_fn(|request: Request| async move {
            Ok::<_, Infallible>(dashboard::handle(site, request).await)
        }))
        .await
    })
    .await
}
