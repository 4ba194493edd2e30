//! What `tests/rehearsal/rehearse.py` needs of our own code.
//!
//! - `rehearsal search BOOTSTRAP…`: fails when a program that ships holds anything of the devstack or the tests.

mod back_door;

use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["search", bootstraps @ ..] if !bootstraps.is_empty() => search(bootstraps),
        _ => Err("rehearsal search BOOTSTRAP…".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
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
