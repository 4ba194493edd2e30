//! From the queue to the receiver: at least once, until it is taken or given up.
//!
//! What is not taken stays in the queue, hidden for longer each time. Where it goes and what signs it is looked up at each try: a webhook
//! that was withdrawn meanwhile is told nothing more, and one whose address was set right gets what waits.

use std::error::Error;

use futures::future::join_all;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::audit::Deed;
use crate::batches::{BatchError, again};
use crate::causes::causes;
use crate::courier::NotDelivered;
use crate::deadline;
use crate::failure::Failure;
use crate::webhooks::{FailedTry, Message, Subject, TRIES, Webhook, WebhookSecret, pause_after, signature};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    /// A number, written as text.
    approximate_receive_count: String,
}

impl Record {
    /// The how many-th time it is received.
    fn tries(&self) -> u32 {
        self.attributes.approximate_receive_count.parse().unwrap_or(1)
    }
}

/// What became of a message.
enum Fate {
    /// It arrived.
    Taken,
    /// Nobody wants it any more; the word says why.
    Unwanted(&'static str),
    /// It did not arrive, as far as is known.
    NotTaken(Box<Webhook>, NotDelivered),
}

/// Sends what a batch brings, all at once; the answer names the messages that have to come again.
///
/// # Errors
/// When the batch cannot be read: all of it comes again.
pub async fn send(app: &App, records: &[Value], invocation: &str) -> Result<Value, BatchError> {
    let records = records.iter().map(Record::deserialize).collect::<Result<Vec<Record>, _>>();
    let records = records.map_err(|_| BatchError::UnknownEvent)?;
    let taken =
        join_all(records.iter().map(|record| deadline::call(send_one(app, record, invocation)))).await;
    let left = records.iter().zip(taken).filter(|(_, taken)| !taken);
    Ok(again(left.map(|(record, _)| record.message_id.as_str())))
}

/// Whether the message is done with.
async fn send_one(app: &App, record: &Record, invocation: &str) -> bool {
    let Ok(message) = serde_json::from_str::<Message>(&record.body) else {
        // Nothing of ours: it comes again until the queue puts it aside, where somebody looks.
        line("", &record.message_id, invocation).log("failed", "not_a_message", None);
        return false;
    };
    let line = line(message.org_id.as_str(), message.event_id.as_str(), invocation);
    let started = app.clock.now();
    let fate = deliver(app, &message).await;
    let took = Some(app.clock.now() - started);
    let noted = match &fate {
        Ok(Fate::Taken) => {
            line.log("ok", "", took);
            return true;
        }
        Ok(Fate::Unwanted(why)) => {
            line.log("ok", why, took);
            return true;
        }
        Ok(Fate::NotTaken(webhook, why)) => {
            line.log("refused", why.word(), took);
            app.store.note_failed_try(webhook, &failed_try(app, &message, *why, record.tries())).await
        }
        Err(error) => {
            tell(&line, error);
            Ok(())
        }
    };
    // Neither of these is needed for its coming again: the queue brings it after its own time.
    noted.unwrap_or_else(|error| tell(&line, &error));
    let put_off = app.queue.put_off(&record.receipt_handle, pause_after(record.tries())).await;
    put_off.unwrap_or_else(|error| tell(&line, &error));
    false
}

fn tell(line: &Deed<'_>, error: &dyn Error) {
    tracing::error!(request_id = line.request_id, cause = causes(error), "failed");
    line.log("failed", "service_unavailable", None);
}

async fn deliver(app: &App, message: &Message) -> Result<Fate, Failure> {
    let Some(webhook) = app.store.webhook(&message.org_id).await? else {
        return Ok(Fate::Unwanted("no_webhook"));
    };
    if !Subject::parse(&message.subject).is_some_and(|subject| webhook.wants(subject)) {
        return Ok(Fate::Unwanted("not_wanted"));
    }
    let now = app.clock.now_seconds();
    let signed = signature(&secrets(app, &webhook, now).await?, now, &message.body);
    Ok(
        match app
            .courier
            .as_ref()
            .ok_or(Failure::NoCourier)?
            .deliver(&webhook.url, &message.body, &signed)
            .await
        {
            Ok(()) => Fate::Taken,
            Err(why) => Fate::NotTaken(Box::new(webhook), why),
        },
    )
}

/// What signs: the secret of now, and those before it that still sign along.
async fn secrets(app: &App, webhook: &Webhook, now: i64) -> Result<Vec<WebhookSecret>, Failure> {
    let keys = app.secrets.webhooks().await?;
    let sealed = [&webhook.secret].into_iter().chain(webhook.signing_along(now).map(|it| &it.secret));
    sealed.map(|it| it.open(&keys.all(), &webhook.org_id).map_err(|_| Failure::Sealing)).collect()
}

/// What its owner can see of a try that did not arrive.
fn failed_try(app: &App, message: &Message, why: NotDelivered, tries: u32) -> FailedTry {
    FailedTry {
        event_id: message.event_id.clone(),
        subject: message.subject.clone(),
        at: app.clock.now_seconds(),
        reason: why.word().to_owned(),
        status: why.status(),
        tries,
        given_up: tries >= TRIES,
    }
}

/// The line of a try.
fn line<'a>(org: &'a str, target: &'a str, request_id: &'a str) -> Deed<'a> {
    Deed { action: "webhook.send", org, target, request_id, ..Deed::default() }
}
