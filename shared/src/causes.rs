//! An error in one line, for the log; and what is wrong for good.

use std::error::Error;
use std::fmt;

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

/// What an SDK said, and why: the line alone. The error itself holds the answer, which holds items and secrets, and its `Debug` prints
/// them.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    /// Of any error.
    pub fn of(error: &dyn Error) -> Self {
        Self(causes(error))
    }
}

/// What is wrong with a thing that is read, and stays wrong however often it is tried: somebody has to set it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incurable {
    /// There is no such thing.
    Absent,
    /// The role does not allow it.
    Denied,
    /// It holds something that we do not write.
    Unusable,
}

impl Incurable {
    /// What an AWS service says by an error's code, if that is one of these. The codes are those of DynamoDB's and Secrets Manager's
    /// API references; `AccessDeniedException` is modelled for no operation of theirs.
    pub fn of(code: Option<&str>) -> Option<Self> {
        match code {
            Some("ResourceNotFoundException") => Some(Self::Absent),
            Some("AccessDeniedException") => Some(Self::Denied),
            _ => None,
        }
    }
}

impl fmt::Display for Incurable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Absent => "is not there",
            Self::Denied => "may not be read: the role does not allow it",
            Self::Unusable => "holds nothing usable",
        })
    }
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
