//! Chains the audit events that the table's stream brings, and verifies chains: it alone may read the key that both take.
//!
//! An event is a batch of the stream (`Records`), answered with the records that have to come again; or
//! `{"verify": {"chain": "org_…" or "platform", "cursor": …}}`, answered in the API's envelope, page by page.

use serde_json::{Value, json};
use shared::app::App;
use shared::audit::Chain;
pub use shared::batches::BatchError;
use shared::chaining::{self, Cursor, Verified};
use shared::clock::rfc3339;
use shared::flows::Refusal;
use shared::http::{self, Fields, Problem};

/// Answers one event. `invocation` is Lambda's id of this call.
///
/// # Errors
/// When a batch was not chained: the stream then brings it again.
pub async fn handle(app: &App, mut event: Value, invocation: &str) -> Result<Value, BatchError> {
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        return chaining::extend(app, records, invocation).await;
    }
    match event.get_mut("verify").map(Value::take) {
        Some(asked) => Ok(http::envelope(invocation, verify(app, asked, invocation)).await),
        None => Err(BatchError::UnknownEvent),
    }
}

async fn verify(app: &App, asked: Value, invocation: &str) -> Result<Value, Problem> {
    let mut fields = Fields::of(asked)?;
    let chain = fields.required("chain", |value| {
        let chain = value.as_str().and_then(|text| Chain::parse(text).ok());
        chain.ok_or_else(|| "must be the id of an organization, or `platform`".to_owned())
    });
    let cursor = fields.optional("cursor", |value| {
        let cursor = value.as_str().and_then(Cursor::parse);
        cursor.ok_or_else(|| "must be what an answer gave as `next`".to_owned())
    });
    let Some(chain) = chain.filter(|_| fields.are_right()) else {
        return Err(fields.problem());
    };
    let verified = chaining::verify(app, &chain, cursor.as_ref(), invocation).await;
    Ok(view(&chain, &verified.map_err(Refusal::Failed)?))
}

fn view(chain: &Chain, verified: &Verified) -> Value {
    let Verified { links, last, checkpoint, unchained, findings, next } = verified;
    let checkpoint = checkpoint.map(|(number, at)| json!({"number": number, "at": rfc3339(at)}));
    json!({
        "chain": chain,
        "links": links,
        "last": last,
        "checkpoint": checkpoint,
        "unchained": unchained,
        "findings": findings,
        "next": next.as_ref().map(Cursor::to_string),
    })
}
