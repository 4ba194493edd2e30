//! What DynamoDB can answer that the embedded engine never does.

mod invariants;
pub mod kinds;
mod matrix;
pub mod stage;
mod ways_on;

use std::sync::atomic::{AtomicUsize, Ordering};

use defences::Place;
use devstack::engines::recorder::Fault;
use serde_json::{Value, json};

/// The first `count` requests of `operation` meet `fault`; those after them are answered.
pub fn times(place: &Place, count: usize, operation: &'static str, fault: Fault) {
    let met = AtomicUsize::new(0);
    place.devstack.requests.inject(move |request| {
        let early = request.operation == operation && met.fetch_add(1, Ordering::SeqCst) < count;
        early.then(|| fault.clone())
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
