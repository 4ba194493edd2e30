//! The authorizer's log group: what CloudWatch Logs does with a subscription filter, by hand. It picks the lines that the template's filter
//! picks, and calls `key_usage` with them, compressed and in base64, again and again until it has taken them.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use shared::clock::Clock;
use tokio::sync::Mutex;

use super::Running;
use crate::gateway::invoke::Functions;
use crate::logs::Logs;

/// The template's `FilterPattern`.
pub const PATTERN: &str = r#"{ ($.action = "authorize") && ($.outcome = "ok") && ($.actor = "key_*") }"#;

/// How many lines one call brings.
const BATCH: usize = 500;

/// A reader of the log.
pub struct LogGroup {
    logs: Logs,
    clock: Arc<dyn Clock>,
    waiting: Mutex<Vec<String>>,
}

impl LogGroup {
    /// A reader that begins with what is logged from now on.
    pub fn new(logs: Logs, clock: Arc<dyn Clock>) -> Self {
        logs.pick(is_picked);
        Self { logs, clock, waiting: Mutex::default() }
    }

    /// Gives the function everything there is, in order.
    ///
    /// # Errors
    /// What the function says; what was not taken is given to it again the next time.
    pub async fn deliver(&self, functions: &Functions) -> Result<(), String> {
        let mut waiting = self.waiting.lock().await;
        waiting.extend(self.logs.picked());
        while !waiting.is_empty() {
            let many = waiting.len().min(BATCH);
            let event = event(&waiting[..many], self.clock.now_seconds())?;
            functions.event("key_usage", event).await.map_err(|error| error.to_string())?;
            waiting.drain(..many);
        }
        Ok(())
    }

    /// Does so again and again, until what it gives is dropped.
    pub fn deliver_every(self: &Arc<Self>, every: std::time::Duration, functions: Functions) -> Running {
        let group = Arc::clone(self);
        Running::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            loop {
                ticks.tick().await;
                // The function says in its log why it took not everything.
                let _ = group.deliver(&functions).await;
            }
        })
    }
}

/// The event that brings these lines, as Lambda is given it.
///
/// # Errors
/// Nothing that can happen.
pub fn event(lines: &[String], at: i64) -> Result<Value, String> {
    let log_event = |(nth, line): (usize, &String)| json!({"id": nth.to_string(), "timestamp": at * 1_000, "message": line});
    let batch = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/syncgram-pay/devstack/authorizer",
        "logStream": "devstack",
        "subscriptionFilters": ["KeyUsage"],
        "logEvents": lines.iter().enumerate().map(log_event).collect::<Vec<_>>(),
    });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(batch.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let data = STANDARD.encode(encoder.finish().map_err(|error| error.to_string())?);
    Ok(json!({ "awslogs": { "data": data } }))
}

/// What [`PATTERN`] says.
fn is_picked(line: &str) -> bool {
    let Ok(line) = serde_json::from_str::<Value>(line) else {
        return false;
    };
    line["action"] == "authorize"
        && line["outcome"] == "ok"
        && line["actor"].as_str().is_some_and(|actor| actor.starts_with("key_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What this stands in for is what deploys.
    #[test]
    fn the_pattern_is_the_templates() {
        let template = std::fs::read_to_string(crate::template_path()).unwrap();
        assert!(template.contains(&format!("FilterPattern: '{PATTERN}'")), "{PATTERN}");
    }

    #[test]
    fn keys_that_were_let_in_are_picked() {
        assert!(is_picked(r#"{"action": "authorize", "outcome": "ok", "actor": "key_1"}"#));
        for other in [
            "",
            "authorize ok key_1",
            r#"{"action": "authorize", "outcome": "refused", "actor": "key_1"}"#,
            r#"{"action": "authorize", "outcome": "ok", "actor": "usr_1"}"#,
            r#"{"action": "key.create", "outcome": "ok", "actor": "key_1"}"#,
        ] {
            assert!(!is_picked(other), "{other}");
        }
    }
}
