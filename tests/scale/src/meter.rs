//! Stands between the functions and the engine, and counts what each request to DynamoDB costs there.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use devstack::engines::dynamodb::DynamoDb;
use devstack::engines::recorder::plain_http;
use serde_json::{Value, json};

use crate::units;

/// The prefix of DynamoDB's operations.
const TARGET: &str = "DynamoDB_20120810.";

/// What one request cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cost {
    /// `GetItem`, `TransactWriteItems`, …; `GetSecretValue` and `SendEmail` of the other services, which cost no unit here.
    pub operation: String,
    /// The items that it names.
    pub items: usize,
    /// Read request units.
    pub read_units: usize,
    /// Write request units.
    pub write_units: usize,
    /// The bytes that read units were counted for.
    pub bytes_read: usize,
    /// The bytes that write units were counted for.
    pub bytes_written: usize,
    /// By how much the table grew, in bytes.
    pub bytes_kept: i64,
    /// The audit events among what was written.
    pub events: usize,
}

/// Counts; clones share the counting.
#[derive(Clone, Default)]
pub struct Meter {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    engine: OnceLock<Arc<DynamoDb>>,
    costs: Mutex<Vec<Cost>>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Meter").finish_non_exhaustive()
    }
}

/// An item that a request names.
struct Named {
    table: String,
    key: Value,
    /// Its partition is that of events, and it is put.
    is_event: bool,
}

impl Meter {
    /// The client whose requests are counted.
    pub fn connections(&self) -> SharedHttpClient {
        SharedHttpClient::new(Metered { inner: plain_http(), meter: self.clone() })
    }

    /// From now on there is an engine to ask how large items are; nothing is counted before. The first one stays.
    pub fn ask_at(&self, engine: Arc<DynamoDb>) {
        let _ = self.state.engine.set(engine);
    }

    /// The costs since the last call, oldest first.
    pub fn take(&self) -> Vec<Cost> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cost>> {
        self.state.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How large each of these items is now; 0 for one that is not there.
    async fn sizes(&self, engine: &DynamoDb, named: &[Named]) -> Vec<usize> {
        let mut sizes = Vec::with_capacity(named.len());
        for item in named {
            let wanted = json!({"TableName": item.table, "Key": item.key});
            let answer = engine.ask(&format!("{TARGET}GetItem"), &wanted).await.unwrap_or_default();
            sizes.push(units::item_size(&answer["Item"]));
        }
        sizes
    }
}

#[derive(Debug)]
struct Metered {
    inner: SharedHttpClient,
    meter: Meter,
}

impl HttpClient for Metered {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, meter: self.meter.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    meter: Meter,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(engine) = self.meter.state.engine.get().cloned() else {
            return self.inner.call(request);
        };
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let Some(operation) = target.strip_prefix(TARGET).map(str::to_owned) else {
            let operation = target.strip_prefix("secretsmanager.").unwrap_or("SendEmail").to_owned();
            self.meter.lock().push(Cost { operation, ..Cost::default() });
            return self.inner.call(request);
        };
        let body: Value =
            request.body().bytes().and_then(|it| serde_json::from_slice(it).ok()).unwrap_or_default();
        let (meter, inner) = (self.meter.clone(), self.inner.clone());
        HttpConnectorFuture::new(async move {
            let named = named(&operation, &body);
            let before = meter.sizes(&engine, &named).await;
            let queried = match operation.as_str() {
                "Query" | "Scan" => engine.ask(&target, &body).await.unwrap_or_default(),
                _ => Value::Null,
            };
            let answer = inner.call(request).await?;
            let cost = match operation.as_str() {
                "Query" | "Scan" => of_query(&queried),
                "GetItem" | "BatchGetItem" => of_read(&before),
                _ => {
                    let after = meter.sizes(&engine, &named).await;
                    of_write(&named, &before, &after, operation == "TransactWriteItems")
                }
            };
            meter.lock().push(Cost { operation, ..cost });
            Ok(answer)
        })
    }
}

/// The items of a request, in its order. A query names none.
fn named(operation: &str, body: &Value) -> Vec<Named> {
    match operation {
        "PutItem" => vec![of_put(body)],
        "GetItem" | "UpdateItem" | "DeleteItem" => vec![of_key(body)],
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().into_iter().flatten();
            let actions = actions.filter_map(|action| action.as_object()?.iter().next());
            actions.map(|(kind, it)| if kind == "Put" { of_put(it) } else { of_key(it) }).collect()
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let keys = tables.flat_map(|(table, wanted)| {
                wanted["Keys"].as_array().into_iter().flatten().map(move |key| (table, key))
            });
            keys.map(|(table, key)| Named { table: table.clone(), key: key.clone(), is_event: false })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_put(put: &Value) -> Named {
    let item = &put["Item"];
    let is_event = item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("AUDIT#"));
    Named { table: table_of(put), key: json!({"pk": item["pk"], "sk": item["sk"]}), is_event }
}

fn of_key(write: &Value) -> Named {
    Named { table: table_of(write), key: write["Key"].clone(), is_event: false }
}

fn table_of(request: &Value) -> String {
    request["TableName"].as_str().unwrap_or_default().to_owned()
}

/// A read of single items: each is rounded up by itself.
fn of_read(sizes: &[usize]) -> Cost {
    Cost {
        items: sizes.len(),
        read_units: sizes.iter().map(|bytes| units::read_units(*bytes)).sum(),
        bytes_read: sizes.iter().sum(),
        ..Cost::default()
    }
}

/// A query: its items are rounded up together. As an item counts what it was asked for, its partition.
fn of_query(answer: &Value) -> Cost {
    let bytes = answer["Items"].as_array().into_iter().flatten().map(units::item_size).sum();
    Cost { items: 1, read_units: units::read_units(bytes), bytes_read: bytes, ..Cost::default() }
}

/// A write. What a transaction only looks at costs as if it were written: Amazon says of no action that it costs less.
fn of_write(named: &[Named], before: &[usize], after: &[usize], in_transaction: bool) -> Cost {
    let mut cost = Cost { items: named.len(), ..Cost::default() };
    for ((item, before), after) in named.iter().zip(before).zip(after) {
        let larger = *before.max(after);
        cost.write_units += units::write_units(larger, in_transaction);
        cost.bytes_written += larger;
        cost.bytes_kept += i64::try_from(*after).unwrap_or(0) - i64::try_from(*before).unwrap_or(0);
        cost.events += usize::from(item.is_event && *after > *before);
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transactions_items_are_found_whatever_is_done_to_them() {
        let body = json!({"TransactItems": [
            {"Put": {"TableName": "t", "Item": {"pk": {"S": "AUDIT#x"}, "sk": {"S": "e"}, "more": {"N": "1"}}}},
            {"ConditionCheck": {"TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}},
        ]});
        let named = named("TransactWriteItems", &body);
        let keys: Vec<_> = named.iter().map(|it| it.key.to_string()).collect();
        assert_eq!(keys, [r#"{"pk":{"S":"AUDIT#x"},"sk":{"S":"e"}}"#, r#"{"pk":{"S":"a"},"sk":{"S":"b"}}"#]);
        let cost = of_write(&named, &[0, 100], &[1100, 100], true);
        let expected = Cost {
            items: 2,
            write_units: 2 * 2 + 2,
            bytes_written: 1200,
            bytes_kept: 1100,
            events: 1,
            ..Cost::default()
        };
        assert_eq!(cost, expected);
    }

    #[test]
    fn batches_round_up_each_item_and_queries_their_sum() {
        let body = json!({"RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]}}});
        assert_eq!(named("BatchGetItem", &body).len(), 2);
        assert_eq!((of_read(&[100, 0]).read_units, of_read(&[100, 0]).bytes_read), (2, 100));
        let items = json!({"Items": [{"pk": {"S": "a"}}, {"pk": {"S": "bc"}}]});
        assert_eq!((of_query(&items).read_units, of_query(&items).bytes_read), (1, 7));
    }
}
