//! The `leaks` function.

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};
use shared::http::serve;
use shared::init::{MAIL, Uses, start};

// One environment serves one event at a time: a second thread would only cost its switches.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = start(Uses { key_set: true, mail: MAIL, ..Uses::default() }).await?;
    let app = &app;
    serve(service_fn(
        |request: Request| async move { Ok::<_, Infallible>(leaks::handle(app, request).await) },
    ))
    .await
}
