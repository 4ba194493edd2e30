//! The `docs` function.

use std::convert::Infallible;

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
        serve(service_fn(|request: Request| async move { Ok::<_, Infallible>(docs::handle(request).await) }))
            .await
    })
    .await
}
