//! From a batch of a stream's records to messages in the queue.
//!
//! A batch may come twice and be half done: a message that is there already is put there once more, under the same id, and its receiver
//! knows it by that. Nothing is ever lost for it.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::api_keys::KeyRecord;
use crate::app::App;
use crate::audit::{Chain, Deed, Event};
use crate::batches::{BatchError, Inserted, again, inserted};
use crate::causes::causes;
use crate::deadline;
use crate::ids::{KeyId, OrgId};
use crate::queue::{AT_ONCE, QueueError};
use crate::store::{event_of, stands_among_events};
use crate::webhooks::{Message, Subject, Webhook};

/// An event that is told, and the record that brought it.
struct Arrived {
    sequence: String,
    org: OrgId,
    event: Event,
    subject: Subject,
}

impl Arrived {
    fn key(&self) -> Option<(OrgId, KeyId)> {
        Some((self.org.clone(), Message::key_of(&self.event, self.subject)?))
    }
}

/// Queues what a batch brings for those who want to be told; the answer names the records that have to come again.
///
/// # Errors
/// When the batch or the webhooks cannot be read: all of it has to come again.
pub async fn gather(app: &App, records: &[Value], invocation: &str) -> Result<Value, BatchError> {
    let failed = deadline::call(queue_all(app, sort(records, invocation)?, invocation)).await?;
    Ok(again(failed.iter().map(String::as_str)))
}

/// The events of a batch that are told of an organization.
fn sort(records: &[Value], invocation: &str) -> Result<Vec<Arrived>, BatchError> {
    let mut told = Vec::new();
    for record in records {
        let Some(Inserted { sequence, image, .. }) = inserted(record)? else { continue };
        let Some(event) = event_of(&image) else {
            // No write of ours: it is never told, and must not hold up what is.
            if stands_among_events(&image) {
                line("", &sequence, invocation).log("failed", "not_an_event", None);
            }
            continue;
        };
        if let (Chain::Organization(org), Some(subject)) =
            (event.chain.clone(), Subject::of(&event.action, &event.reason))
        {
            told.push(Arrived { sequence, org, event, subject });
        }
    }
    Ok(told)
}

/// Queues them, in order, and stops at the first that the queue did not take: the records from there on have to come again.
async fn queue_all(app: &App, mut told: Vec<Arrived>, invocation: &str) -> Result<Vec<String>, BatchError> {
    let orgs: BTreeSet<OrgId> = told.iter().map(|it| it.org.clone()).collect();
    let webhooks: HashMap<OrgId, Webhook> = app.store.webhooks(&orgs).await?;
    told.retain(|it| webhooks.get(&it.org).is_some_and(|webhook| webhook.wants(it.subject)));
    let keys: BTreeSet<(OrgId, KeyId)> = told.iter().filter_map(Arrived::key).collect();
    let records: HashMap<(OrgId, KeyId), KeyRecord> = app.store.key_records(&keys).await?;
    for (nth, some) in told.chunks(AT_ONCE).enumerate() {
        let message =
            |it: &Arrived| Message::of(&it.event, it.subject, it.key().and_then(|key| records.get(&key)));
        let messages: Vec<Message> = some.iter().filter_map(message).collect();
        let queued = put(app, &messages, invocation).await;
        for (message, _) in messages.iter().zip(&queued).filter(|(_, is_there)| **is_there) {
            line(message.org_id.as_str(), message.event_id.as_str(), invocation).log("ok", "", None);
        }
        if let Some(first) = queued.iter().position(|is_there| !is_there) {
            let left = told.get(nth * AT_ONCE + first..).unwrap_or_default();
            return Ok(left.iter().map(|it| it.sequence.clone()).collect());
        }
    }
    Ok(Vec::new())
}

/// Which of them the queue is known to hold.
async fn put(app: &App, messages: &[Message], invocation: &str) -> Vec<bool> {
    match app.queue.put(messages).await {
        Ok(queued) => queued,
        Err(error) => {
            tell(&error, invocation);
            vec![false; messages.len()]
        }
    }
}

fn tell(error: &QueueError, invocation: &str) {
    tracing::error!(request_id = invocation, cause = causes(error), "failed");
    line("", "", invocation).log("failed", "service_unavailable", None);
}

/// The line of a webhook, or of a record.
fn line<'a>(org: &'a str, target: &'a str, request_id: &'a str) -> Deed<'a> {
    Deed { action: "webhook.queue", org, target, request_id, ..Deed::default() }
}
