//! DynamoDB: dynoxide, embedded, behind its own HTTP server; or an engine that runs already, such as Amazon's own DynamoDB Local.
//!
//! What it does not show: throttling, transaction conflicts, and the difference that `ConsistentRead` makes. Tests put
//! the first two in by hand and look at the requests for the third (see [`super::recorder`]).

use std::collections::HashMap;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType, TimeToLiveSpecification,
};
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use super::{Running, endpoint};
use crate::StartError;

/// The table's TTL attribute, in seconds since the epoch. Nothing is ever swept here: expiry is the code's own check.
pub const TTL_ATTRIBUTE: &str = "expires_at";

/// What the name of the table of checkpoints has behind the other's.
pub(crate) const CHECKPOINTS: &str = "-checkpoints";

/// Which engine.
#[derive(Debug, Clone, Copy)]
pub enum Engine<'a> {
    /// The embedded one, in memory.
    Memory,
    /// The embedded one, on this file.
    File(&'a Path),
    /// One that runs already, at this URL.
    Running(&'a str),
}

/// The engine, and a client that no recorder listens to.
pub struct DynamoDb {
    /// Where it listens.
    pub endpoint: String,
    /// The table.
    pub table: String,
    /// The table of checkpoints.
    pub checkpoints: String,
    client: Client,
    http: reqwest::Client,
    region: String,
    _server: Option<Running>,
}

/// A table's items, as they were.
#[derive(Debug, Clone)]
pub struct Photograph(Vec<HashMap<String, AttributeValue>>);

/// The access key that stands for all of AWS here. Nothing checks it.
pub(crate) const ACCESS_KEY: (&str, &str) = ("devstack", "devstack");

impl DynamoDb {
    /// Starts the engine, unless it runs already.
    pub async fn start(engine: Engine<'_>, table: &str, region: &str) -> Result<Self, StartError> {
        let database = match engine {
            Engine::Memory => dynoxide::Database::memory(),
            Engine::File(path) => dynoxide::Database::new(&path.to_string_lossy()),
            Engine::Running(url) => return Ok(Self::at(url.to_owned(), None, table, region)),
        };
        let database = database.map_err(|error| StartError::engine("DynamoDB", &error))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = endpoint(&listener)?;
        let server = Running::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self::at(endpoint, Some(server), table, region))
    }

    fn at(endpoint: String, server: Option<Running>, table: &str, region: &str) -> Self {
        let client = client(&endpoint, region);
        Self {
            endpoint,
            client,
            table: table.to_owned(),
            checkpoints: format!("{table}{CHECKPOINTS}"),
            http: reqwest::Client::new(),
            region: region.to_owned(),
            _server: server,
        }
    }

    /// Creates the tables. Says whether the first was missing.
    pub async fn create_table(&self) -> Result<bool, StartError> {
        self.create(&self.checkpoints, None).await?;
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewImage)
            .build()
            .map_err(|error| StartError::engine("DynamoDB", &error))?;
        if !self.create(&self.table, Some(stream.clone())).await? {
            self.switch_stream_on(stream).await?;
            return Ok(false);
        }
        let ttl = TimeToLiveSpecification::builder().attribute_name(TTL_ATTRIBUTE).enabled(true).build();
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(ttl.map_err(|error| StartError::engine("DynamoDB", &error))?)
            .send()
            .await
            .map_err(|error| StartError::engine("DynamoDB", &DisplayErrorContext(error)))?;
        Ok(true)
    }

    /// For a table from before there was a stream.
    async fn switch_stream_on(&self, stream: StreamSpecification) -> Result<(), StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::engine("DynamoDB", error);
        let described = self.client.describe_table().table_name(&self.table).send().await;
        let described = described.map_err(|error| failed(&DisplayErrorContext(error)))?;
        if described.table.is_some_and(|table| table.stream_specification.is_some_and(|it| it.stream_enabled))
        {
            return Ok(());
        }
        let update = self.client.update_table().table_name(&self.table).stream_specification(stream);
        update.send().await.map(|_| ()).map_err(|error| failed(&DisplayErrorContext(error)))
    }

    async fn create(&self, table: &str, stream: Option<StreamSpecification>) -> Result<bool, StartError> {
        let created = self
            .client
            .create_table()
            .table_name(table)
            .set_stream_specification(stream)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(vec![text_attribute("pk")?, text_attribute("sk")?]))
            .set_key_schema(Some(vec![key("pk", KeyType::Hash)?, key("sk", KeyType::Range)?]))
            .send()
            .await;
        match created {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(StartError::engine("DynamoDB", &DisplayErrorContext(error))),
        }
    }

    /// Asks the engine past all code of ours: an operation with its prefix (`DynamoDB_20120810.Scan`), in DynamoDB's own JSON.
    pub async fn ask(&self, target: &str, input: &Value) -> Result<Value, String> {
        let credential =
            format!("Credential={}/20260101/{}/dynamodb/aws4_request", ACCESS_KEY.0, self.region);
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
            )
            .header("x-amz-date", "20260101T000000Z")
            .body(input.to_string());
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let (status, body) = (answer.status(), answer.text().await.map_err(|error| error.to_string())?);
        match status.is_success() {
            true => serde_json::from_str(&body).map_err(|error| error.to_string()),
            false => Err(body),
        }
    }

    /// Every item of the table as plain JSON, for tests that check what must always hold.
    pub async fn dump(&self) -> Result<Vec<Value>, String> {
        let Photograph(items) = self.photograph().await?;
        let plain = |item: &HashMap<String, AttributeValue>| {
            Value::Object(item.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
        };
        Ok(items.iter().map(plain).collect())
    }

    /// The table as it is, to go back to.
    pub async fn photograph(&self) -> Result<Photograph, String> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let scan = self.client.scan().table_name(&self.table).set_exclusive_start_key(start);
            let page = scan.send().await.map_err(|error| DisplayErrorContext(error).to_string())?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(Photograph(items));
            }
        }
    }

    /// Makes the table what it was.
    pub async fn restore(&self, Photograph(before): &Photograph) -> Result<(), String> {
        let Photograph(after) = self.photograph().await?;
        for item in after.iter().filter(|item| !before.contains(item)) {
            let key = |name: &str| item.get(name).and_then(|it| it.as_s().ok()).cloned().unwrap_or_default();
            self.forget(&key("pk"), &key("sk")).await?;
        }
        for item in before.iter().filter(|item| !after.contains(item)) {
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item.clone()));
            put.send().await.map_err(|error| DisplayErrorContext(error).to_string())?;
        }
        Ok(())
    }

    /// Deletes an item, as no code of ours does.
    pub async fn forget(&self, pk: &str, sk: &str) -> Result<(), String> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let call = self.client.delete_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        call.send().await.map(|_| ()).map_err(|error| DisplayErrorContext(error).to_string())
    }
}

/// A client of the engine at `endpoint`.
fn client(endpoint: &str, region: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new(ACCESS_KEY.0, ACCESS_KEY.1, None, None, "devstack"))
        // Plain HTTP: the default client would look for the machine's trust store first.
        .http_client(super::recorder::plain_http())
        .build();
    Client::from_conf(config)
}

fn text_attribute(name: &str) -> Result<AttributeDefinition, StartError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(|error| StartError::engine("DynamoDB", &error))
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, StartError> {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
        .map_err(|error| StartError::engine("DynamoDB", &error))
}

/// An attribute without DynamoDB's type tags. Bytes become hexadecimal text.
fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or_else(|_| number.as_str().into()),
        AttributeValue::Bool(flag) => (*flag).into(),
        AttributeValue::B(bytes) => hex(bytes.as_ref()).into(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => texts.as_slice().into(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| Value::from(hex(blob.as_ref()))).collect(),
        AttributeValue::L(values) => values.iter().map(plain).collect(),
        AttributeValue::M(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>(),
        ),
        _ => Value::Null,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_table_is_made_once_and_outlives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.db");
        for made in [true, false] {
            let engine = DynamoDb::start(Engine::File(&path), "table", "eu-west-1").await.unwrap();
            assert_eq!(engine.create_table().await.unwrap(), made);
            if made {
                let put = engine.client.put_item().table_name("table");
                put.item("pk", AttributeValue::S("a".to_owned()))
                    .item("sk", AttributeValue::S("b".to_owned()))
                    .item("n", AttributeValue::N("7".to_owned()))
                    .item("m", AttributeValue::M([("x".to_owned(), AttributeValue::Null(true))].into()))
                    .send()
                    .await
                    .unwrap();
            }
            let expected = serde_json::json!({"pk": "a", "sk": "b", "n": 7, "m": {"x": null}});
            assert_eq!(engine.dump().await.unwrap(), [expected]);
        }
    }
}
