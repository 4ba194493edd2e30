//! The queue of webhooks: what SQS does with a standard queue and its dead-letter queue, by the devstack's clock. Over the wire it knows what
//! our functions ask for; receiving and deleting is Lambda's, and so [`super::webhooks`]'.
//!
//! It keeps nothing: webhooks that were under way when a devstack ends are gone, as no SQS would have it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::crypto::new_name;
use shared::rng::SystemRng;
use winterbaume_core::MockResponse;

use crate::gateway::yaml::{at, scalar};
use crate::{StartError, template};

/// The queue's URL: where it is, the endpoint says.
pub const URL: &str = "http://sqs.invalid/000000000000/webhooks";
/// How many messages Lambda takes at once: the template's `BatchSize`.
pub const BATCH: usize = 10;

/// The queue.
#[derive(Clone)]
pub struct Queue {
    clock: Arc<dyn Clock>,
    /// Seconds for which a message is hidden that was received.
    hidden: i64,
    /// How often a message is received at most.
    receives: u32,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    dead: Vec<Message>,
}

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// How often it was received.
    pub receives: u32,
    /// What the latest receiver deletes or hides it by.
    receipt: String,
    /// From then on it can be received. Seconds since the epoch.
    visible_at: i64,
}

impl Queue {
    /// An empty queue, as the template has it.
    ///
    /// # Errors
    /// When the template has none.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let template = template()?;
        let number = |path: &[&str]| {
            let properties = at(template, &["Resources", "WebhooksQueue", "Properties"]);
            let said = properties.and_then(|it| at(it, path)).and_then(scalar);
            said.and_then(|it| it.parse().ok())
                .ok_or_else(|| StartError::engine("SQS", &format!("WebhooksQueue has no {path:?}")))
        };
        let receives = u32::try_from(number(&["RedrivePolicy", "maxReceiveCount"])?).unwrap_or(u32::MAX);
        Ok(Self { clock, hidden: number(&["VisibilityTimeout"])?, receives, state: Arc::default() })
    }

    /// Answers a request.
    pub fn handle(&self, headers: &HeaderMap, body: &Bytes) -> MockResponse {
        let operation = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
        let operation = operation.and_then(|it| it.rsplit('.').next()).unwrap_or_default();
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        match operation {
            "SendMessageBatch" => {
                let entries = input["Entries"].as_array().into_iter().flatten();
                let put = entries.map(|entry| {
                    let id = self.put(entry["MessageBody"].as_str().unwrap_or_default());
                    json!({"Id": entry["Id"], "MessageId": id, "MD5OfMessageBody": ""})
                });
                let successful: Vec<Value> = put.collect();
                MockResponse::json(200, json!({"Successful": successful, "Failed": []}).to_string())
            }
            "ChangeMessageVisibility" => {
                let seconds = input["VisibilityTimeout"].as_i64().unwrap_or_default();
                match self.hide(input["ReceiptHandle"].as_str().unwrap_or_default(), seconds) {
                    true => MockResponse::json(200, "{}".to_owned()),
                    false => refuse("ReceiptHandleIsInvalid"),
                }
            }
            _ => refuse("UnsupportedOperation"),
        }
    }

    /// Puts a message into it; gives its id.
    pub fn put(&self, body: &str) -> String {
        let id = new_name(&SystemRng);
        let visible_at = self.clock.now_seconds();
        let (body, receipt) = (body.to_owned(), String::new());
        self.lock().messages.push(Message { id: id.clone(), body, receives: 0, receipt, visible_at });
        id
    }

    /// Receives what can be, as Lambda gives it to a function. What was received too often is put aside instead.
    pub fn receive(&self) -> Vec<Value> {
        let now = self.clock.now_seconds();
        let mut state = self.lock();
        let messages = std::mem::take(&mut state.messages);
        let is_spent = |it: &Message| it.visible_at <= now && it.receives >= self.receives;
        let (dead, messages): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_spent);
        state.dead.extend(dead);
        state.messages = messages;
        let visible = state.messages.iter_mut().filter(|it| it.visible_at <= now).take(BATCH);
        visible.map(|it| it.received(now + self.hidden)).collect()
    }

    /// Deletes a message that was received.
    pub fn delete(&self, receipt: &str) {
        self.lock().messages.retain(|it| it.receipt != receipt);
    }

    /// Lets a message that was received be visible again at once, as if its receiver's time had passed.
    pub fn let_go(&self) {
        let now = self.clock.now_seconds();
        self.lock().messages.iter_mut().for_each(|it| it.visible_at = now);
    }

    /// What is in it.
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    /// What was put aside.
    pub fn dead(&self) -> Vec<Message> {
        self.lock().dead.clone()
    }

    fn hide(&self, receipt: &str, seconds: i64) -> bool {
        let now = self.clock.now_seconds();
        let mut state = self.lock();
        let received = state.messages.iter_mut().find(|it| !receipt.is_empty() && it.receipt == receipt);
        received.map(|it| it.visible_at = now + seconds).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Message {
    fn received(&mut self, hidden_until: i64) -> Value {
        self.receives += 1;
        self.visible_at = hidden_until;
        self.receipt = new_name(&SystemRng);
        json!({
            "messageId": self.id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": self.receives.to_string()},
            "eventSource": "aws:sqs",
        })
    }
}

fn refuse(kind: &str) -> MockResponse {
    let kind = format!("com.amazonaws.sqs#{kind}");
    MockResponse::json(400, json!({"__type": kind, "message": "no"}).to_string())
}
