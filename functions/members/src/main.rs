//! The `members` function.

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};
use shared::http::serve;
use shared::init::{MAIL, Uses, start};
use shared::task::in_a_task;

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    in_a_task(async {
        let app = start(Uses { key_set: true, mail: MAIL, ..Uses::default() }).await?;
        let app = &app;
        serve(service_fn(|request: Request| async move {
            Ok::<_, Infallible>(members::handle(app, request).await)
        }))
        .await
    })
    .await
}
