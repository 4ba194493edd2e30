//! What `tests/rehearsal/rehearse.py` needs of our own code.
//!
//! - `rehearsal first-writes ISSUER`: an operator's first two writes to a new stack, the signing secret and its public half. Told by
//!   the variables of a function (`TABLE_NAME`, `SIGNING_SECRET`, `AWS_…`) where they belong.
//! - `rehearsal search BOOTSTRAP…`: fails when a program that ships holds anything of the devstack or the tests.

mod back_door;

use std::error::Error;
use std::process::ExitCode;

use shared::app::{App, Outside};
use shared::config::{Config, aws};
use shared::secrets::generate;
use shared::tokens::key_set::KeySet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["first-writes", issuer] => first_writes(issuer).await,
        ["search", bootstraps @ ..] if !bootstraps.is_empty() => search(bootstraps),
        _ => Err("rehearsal first-writes ISSUER, or rehearsal search BOOTSTRAP…".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn first_writes(issuer: &str) -> Result<(), Box<dyn Error>> {
    let config = Config::from_environment(["SIGNING_SECRET"].into_iter())?;
    let app = App::new(&config, Outside::real())?;
    let secret = generate::signing(app.rng.as_ref())?;
    let key = generate::public_key(&secret).ok_or("the new secret cannot be read")?;
    let client = aws::clients(&config, None)?.secretsmanager;
    client.put_secret_value().secret_id(&config.signing_secret).secret_string(&secret).send().await?;
    let set = KeySet { issuer: issuer.to_owned(), keys: vec![key] };
    app.store.put_key_set(&set).await?;
    Ok(())
}

fn search(bootstraps: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut doors = String::new();
    for path in bootstraps {
        let program = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        for trace in back_door::find(&program) {
            doors += &format!("{path} holds {trace:?}\n");
        }
    }
    if doors.is_empty() { Ok(()) } else { Err(doors.trim_end().into()) }
}
