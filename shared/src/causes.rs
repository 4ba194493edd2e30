//! An error in one line, for the log.

use std::error::Error;

/// The error and what caused it, the cause of that, and so on. No error type of ours quotes a secret.
pub fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the table cannot be reached")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_is_told() {
        let line = causes(&Outer(std::io::Error::other("connection refused")));
        assert_eq!(line, "the table cannot be reached: connection refused");
    }
}
