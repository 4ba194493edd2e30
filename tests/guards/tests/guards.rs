//! `make guards` runs this. It is a test by its form only, so that it is built from what `make test` has built: nothing is compiled a
//! second time for it.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    guards::run(std::env::args().skip(1)).await
}
