//! What can happen to a request, and putting it in the place of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devstack::engines::recorder::{Fault, Recorded, Recorder};
use serde_json::{Value, json};

/// A fault, whatever the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Refused for now.
    Throttled,
    /// Somebody else writes the same item.
    Conflict,
    /// The connection breaks before it is sent.
    NotSent,
    /// The connection breaks after it was carried out.
    AnswerLost,
    /// 500, and it was not carried out.
    Error,
    /// 500, and it was carried out.
    ErrorAfter,
    /// Half an answer.
    HalfAnswer,
    /// A black hole.
    Silence,
    /// Carried out, and then a black hole.
    SilenceAfter,
}

/// All of them.
pub const ALL: [Kind; 9] = [
    Kind::Throttled,
    Kind::Conflict,
    Kind::NotSent,
    Kind::AnswerLost,
    Kind::Error,
    Kind::ErrorAfter,
    Kind::HalfAnswer,
    Kind::Silence,
    Kind::SilenceAfter,
];

/// How often it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// To one request; the SDK's next try of it is answered.
    Once,
    /// To that request and every one after it.
    FromThenOn,
}

impl Kind {
    /// Whether it means something else for this request than another kind does: a read that is carried out or not is the same.
    pub fn fits(self, request: &Recorded) -> bool {
        let reads_a_secret = ["GetSecretValue", "DescribeSecret"].contains(&request.operation.as_str());
        let writes = !request.is_read() && !reads_a_secret;
        writes || !matches!(self, Self::Conflict | Self::AnswerLost | Self::ErrorAfter | Self::SilenceAfter)
    }

    /// What the recorder is told to do to this request.
    pub fn of(self, request: &Recorded) -> Fault {
        let error = json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"});
        match self {
            Self::Throttled if request.operation == "SendEmail" => {
                Fault::Answer(429, json!({"__type": "TooManyRequestsException"}))
            }
            Self::Throttled => refused("ThrottlingException"),
            Self::Conflict if request.operation == "TransactWriteItems" => {
                cancelled(&vec!["TransactionConflict"; request.items()])
            }
            Self::Conflict => refused("TransactionConflictException"),
            Self::NotSent => Fault::NotSent,
            Self::AnswerLost => Fault::AnswerLost,
            Self::Error => Fault::Answer(500, error),
            Self::ErrorAfter => Fault::AnswerInstead(500, error),
            Self::HalfAnswer => Fault::HalfAnswer,
            Self::Silence => Fault::Silence,
            Self::SilenceAfter => Fault::SilenceAfter,
        }
    }
}

/// Gives every request to `hook` with its number, whichever service it goes to.
pub fn numbered(
    requests: &Recorder,
    hook: impl Fn(usize, &Recorded) -> Option<Fault> + Send + Sync + 'static,
) {
    let (count, hook) = (Arc::new(AtomicUsize::new(0)), Arc::new(hook));
    let (same_count, same_hook) = (Arc::clone(&count), Arc::clone(&hook));
    requests.inject(move |request| hook(count.fetch_add(1, Ordering::SeqCst), request));
    requests.inject_elsewhere(move |request| same_hook(same_count.fetch_add(1, Ordering::SeqCst), request));
}

/// The `nth` request meets this fault.
pub fn inject(requests: &Recorder, nth: usize, kind: Kind, span: Span) {
    numbered(requests, move |at, request| {
        let met = at == nth || (span == Span::FromThenOn && at > nth);
        (met && (kind.fits(request) || at == nth)).then(|| kind.of(request))
    });
}

/// An exception of DynamoDB's.
pub fn refused(kind: &str) -> Fault {
    Fault::Answer(
        400,
        json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "injected"}),
    )
}

/// A cancelled transaction, with the reason for each of its writes.
pub fn cancelled(reasons: &[&str]) -> Fault {
    let reasons: Vec<Value> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    Fault::Answer(
        400,
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled",
            "CancellationReasons": reasons,
        }),
    )
}

/// Whether every combination is wanted.
#[expect(clippy::disallowed_methods, reason = "a test is told how much to do by its environment")]
pub fn whole() -> bool {
    std::env::var("FAULTS").is_ok_and(|it| it == "whole")
}
