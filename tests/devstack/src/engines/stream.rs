//! The table's stream: what Lambda's event source mappings do, by hand. It reads the engine's records, leaves out what the template's
//! filters leave out, and calls `audit_chain` and `webhook_queue` with the rest, again and again until they have taken everything.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::clock::Clock;
use tokio::sync::Mutex;

use super::Running;
use super::dynamodb::DynamoDb;
use crate::gateway::invoke::Functions;

/// How many records Lambda gives at once: the template's `BatchSize`.
pub const BATCH: usize = 100;

/// A reader of the stream.
pub struct Stream {
    dynamodb: Arc<DynamoDb>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where each shard is read on; `None` before the first time.
    iterators: Option<Vec<String>>,
    /// What was read and `audit_chain` has not taken yet.
    waiting: Vec<Value>,
    /// What was read and `webhook_queue` has not taken yet.
    told: Vec<Value>,
}

impl Stream {
    /// A reader that begins where the stream does.
    pub fn new(dynamodb: Arc<DynamoDb>, clock: Arc<dyn Clock>) -> Self {
        Self { dynamodb, clock, state: Mutex::default() }
    }

    /// The events' records since the last call, as Lambda gives them to a function: for tests that call it themselves.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn take(&self) -> Result<Vec<Value>, String> {
        let mut state = self.state.lock().await;
        self.read(&mut state).await?;
        Ok(std::mem::take(&mut state.waiting))
    }

    /// Gives `audit_chain` everything there is, in order.
    ///
    /// # Errors
    /// What the engine or the function says; what was not taken is given to it again the next time.
    pub async fn deliver(&self, functions: &Functions) -> Result<(), String> {
        let mut state = self.state.lock().await;
        self.read(&mut state).await?;
        give("audit_chain", &mut state.waiting, functions).await
    }

    /// Gives `webhook_queue` everything there is that its filter lets through, in order.
    ///
    /// # Errors
    /// As [`Stream::deliver`].
    pub async fn deliver_to(
        &self,
        function: &str,
        filter: &(dyn Fn(&Value) -> bool + Sync),
        functions: &Functions,
    ) -> Result<(), String> {
        let mut state = self.state.lock().await;
        self.read(&mut state).await?;
        state.told.retain(|record| filter(record));
        give(function, &mut state.told, functions).await
    }

    /// Does so again and again, until what it gives is dropped.
    pub fn deliver_every(self: &Arc<Self>, every: std::time::Duration, functions: Functions) -> Running {
        let stream = Arc::clone(self);
        Running::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            loop {
                ticks.tick().await;
                // The function says in its log why it took not everything.
                let _ = stream.deliver(&functions).await;
            }
        })
    }

    async fn read(&self, state: &mut State) -> Result<(), String> {
        if state.iterators.is_none() {
            state.iterators = Some(self.begin().await?);
        }
        for iterator in state.iterators.iter_mut().flatten() {
            loop {
                let page = self.ask("GetRecords", &json!({ "ShardIterator": iterator })).await?;
                let records = page["Records"].as_array().cloned().unwrap_or_default();
                let next = page["NextShardIterator"].as_str();
                if let Some(next) = next {
                    next.clone_into(iterator);
                }
                let empty = records.is_empty();
                let events = records.into_iter().filter(is_event).map(|it| self.as_now(it));
                for event in events {
                    state.told.push(event.clone());
                    state.waiting.push(event);
                }
                if empty || next.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// An iterator for each shard, from its beginning.
    async fn begin(&self) -> Result<Vec<String>, String> {
        let streams = self.ask("ListStreams", &json!({ "TableName": self.dynamodb.table })).await?;
        let arn = &streams["Streams"][0]["StreamArn"];
        let described = self.ask("DescribeStream", &json!({ "StreamArn": arn })).await?;
        let shards = described["StreamDescription"]["Shards"].as_array().cloned().unwrap_or_default();
        let mut iterators = Vec::new();
        for shard in shards {
            let asked = json!({
                "StreamArn": arn,
                "ShardId": shard["ShardId"],
                "ShardIteratorType": "TRIM_HORIZON",
            });
            let answer = self.ask("GetShardIterator", &asked).await?;
            iterators.extend(answer["ShardIterator"].as_str().map(str::to_owned));
        }
        Ok(iterators)
    }

    /// The engine writes by the machine's clock; here it is as late as the devstack's clock says.
    fn as_now(&self, mut record: Value) -> Value {
        record["dynamodb"]["ApproximateCreationDateTime"] = json!(self.clock.now_seconds());
        record
    }

    async fn ask(&self, operation: &str, input: &Value) -> Result<Value, String> {
        self.dynamodb.ask(&format!("DynamoDBStreams_20120810.{operation}"), input).await
    }
}

/// Gives a function what waits for it, batch by batch.
async fn give(function: &str, waiting: &mut Vec<Value>, functions: &Functions) -> Result<(), String> {
    while !waiting.is_empty() {
        let many = waiting.len().min(BATCH);
        let batch: Vec<Value> = waiting.iter().take(many).cloned().collect();
        let answer = functions.event(function, json!({ "Records": batch })).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let failed: Vec<&str> = answer["batchItemFailures"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["itemIdentifier"].as_str())
            .collect();
        // From the first that failed on, everything comes again.
        let is_failed = |record: &Value| {
            record["dynamodb"]["SequenceNumber"].as_str().is_some_and(|it| failed.contains(&it))
        };
        let taken = batch.iter().position(is_failed).unwrap_or(many);
        waiting.drain(..taken);
        if taken < many {
            return Err(format!("{function} did not take {} events", many - taken));
        }
    }
    Ok(())
}

/// What both of the template's filters ask for: new items among the events.
fn is_event(record: &Value) -> bool {
    record["eventName"] == "INSERT"
        && record["dynamodb"]["Keys"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("AUDIT#"))
}
