//! `make keycheck`: tells from its form whether a text is one of our API keys, and asks nobody. The text comes on standard input,
//! where neither the list of processes nor a shell's history keeps it.

use std::io::{Read, Write};
use std::process::ExitCode;

use key_form::{KEY_LENGTH, LIVE_PREFIX, Prefix, TEST_PREFIX};

/// Nothing longer is worth reading: it is no key.
const LONGEST: u64 = 4096;

fn main() -> ExitCode {
    let mut text = String::new();
    let (said, code) = match std::io::stdin().take(LONGEST).read_to_string(&mut text) {
        Ok(_) => judge(text.trim_end_matches(['\r', '\n'])),
        Err(_) => ("No: it is not text in UTF-8.".to_owned(), ExitCode::FAILURE),
    };
    // Nobody who listens: the exit code has said it.
    let _ = writeln!(std::io::stdout(), "{said}");
    code
}

/// One sentence, which shows of a key what its owner knows it by (prefix and last four characters), and of anything else nothing.
fn judge(text: &str) -> (String, ExitCode) {
    let (prefix, environment) = match key_form::read(text) {
        Ok(Prefix::Test) => (TEST_PREFIX, "test"),
        Ok(Prefix::Live) => (LIVE_PREFIX, "LIVE"),
        Err(reason) => return (format!("No: {reason}."), ExitCode::FAILURE),
    };
    let last = text.get(KEY_LENGTH - 4..).unwrap_or_default();
    let said = format!(
        "Yes: {prefix}…{last} has the form of a key of the {environment} environment. Whether it is active, only a call tells."
    );
    (said, ExitCode::SUCCESS)
}
