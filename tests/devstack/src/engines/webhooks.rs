//! What Lambda and EventBridge do around webhooks: the stream's events that the template's filter lets through go to `webhook_queue`, the
//! queue's messages to `webhook_send`, and `key_expiry` runs once an hour. All by the devstack's clock.

use std::sync::Arc;

use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use shared::clock::Clock;
use tokio::sync::Mutex;

use super::Running;
use super::queue::Queue;
use super::stream::Stream;
use crate::gateway::invoke::Functions;
use crate::gateway::yaml::{at, scalar};
use crate::{StartError, template};

/// How many seconds lie between two runs of `key_expiry`: the template's schedule, `rate(1 hour)`.
const EVERY: i64 = 3600;

/// All of it.
pub struct Webhooks {
    /// The queue.
    pub queue: Queue,
    stream: Arc<Stream>,
    patterns: Vec<Value>,
    clock: Arc<dyn Clock>,
    /// When `key_expiry` last ran.
    ran_at: Mutex<i64>,
}

impl Webhooks {
    /// As the template has it.
    ///
    /// # Errors
    /// When the template has no filter before `webhook_queue`.
    pub fn new(queue: Queue, stream: Arc<Stream>, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let template = template()?;
        let filters = ["Resources", "WebhookQueueMapping", "Properties", "FilterCriteria", "Filters"];
        let filters = at(template, &filters).and_then(Yaml::as_sequence).into_iter().flatten();
        let pattern = |filter: &Yaml| serde_json::from_str(&scalar(at(filter, &["Pattern"])?)?).ok();
        let patterns: Option<Vec<Value>> = filters.map(pattern).collect();
        let patterns = patterns.filter(|it| !it.is_empty());
        let patterns =
            patterns.ok_or_else(|| StartError::engine("Lambda", &"WebhookQueueMapping has no filter"))?;
        let ran_at = Mutex::new(clock.now_seconds());
        Ok(Self { queue, stream, patterns, clock, ran_at })
    }

    /// Whether the filter before `webhook_queue` lets a record through.
    pub fn lets_through(&self, record: &Value) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, record))
    }

    /// Delivers again and again, until what it gives is dropped.
    pub fn deliver_every(self: &Arc<Self>, every: std::time::Duration, functions: Functions) -> Running {
        let webhooks = Arc::clone(self);
        Running::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            loop {
                ticks.tick().await;
                // The functions say in their logs what went wrong.
                let _ = webhooks.deliver(&functions).await;
            }
        })
    }

    /// Runs `key_expiry` if its hour has come, then brings everything as far as it comes now.
    ///
    /// # Errors
    /// What the engine or a function says.
    pub async fn deliver(&self, functions: &Functions) -> Result<(), String> {
        let failed = |error: crate::gateway::invoke::InvokeError| error.to_string();
        let now = self.clock.now_seconds();
        let mut ran_at = self.ran_at.lock().await;
        if now - *ran_at >= EVERY {
            functions.event("key_expiry", json!({"source": "aws.scheduler"})).await.map_err(failed)?;
            *ran_at = now;
        }
        let wanted = |record: &Value| self.lets_through(record);
        self.stream.deliver_to("webhook_queue", &wanted, functions).await?;
        loop {
            let records = self.queue.receive();
            if records.is_empty() {
                return Ok(());
            }
            let answer =
                functions.event("webhook_send", json!({ "Records": records })).await.map_err(failed)?;
            let failed = answer["batchItemFailures"].as_array().cloned().unwrap_or_default();
            let is_done =
                |record: &&Value| !failed.iter().any(|it| it["itemIdentifier"] == record["messageId"]);
            for record in records.iter().filter(is_done) {
                self.queue.delete(record["receiptHandle"].as_str().unwrap_or_default());
            }
        }
    }
}

/// Lambda's filter patterns, as far as the template uses them: members, lists of texts, and prefixes.
fn matches(pattern: &Value, record: &Value) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, pattern)| matches(pattern, &record[name])),
        Value::Array(any) => any.iter().any(|one| match one["prefix"].as_str() {
            Some(prefix) => record.as_str().is_some_and(|text| text.starts_with(prefix)),
            None => one == record,
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_all_its_members_and_one_of_a_list() {
        let pattern = json!({"a": ["x", "y"], "b": {"c": [{"prefix": "p#"}]}});
        for (record, lets_through) in [
            (json!({"a": "y", "b": {"c": "p#1"}, "d": 1}), true),
            (json!({"a": "z", "b": {"c": "p#1"}}), false),
            (json!({"a": "x", "b": {"c": "q#1"}}), false),
            (json!({"a": "x"}), false),
        ] {
            assert_eq!(matches(&pattern, &record), lets_through, "{record}");
        }
    }
}
