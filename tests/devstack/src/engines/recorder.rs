//! Listens to the requests that the system sends to DynamoDB, and can answer in its place, or in Secrets Manager's and SES's.
//!
//! The embedded engine does not miss a forgotten `ConsistentRead`, never throttles, and never loses an answer: tests
//! look at the requests for the first, and put in the others with [`Recorder::inject`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::{Value, json};

use crate::roles::{self, Roles};

/// An HTTP client without TLS: engines listen on loopback.
pub fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// One request to DynamoDB.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// `GetItem`, `TransactWriteItems`, …
    pub operation: String,
    /// The request's JSON.
    pub body: Value,
}

impl Recorded {
    /// Whether it reads.
    pub fn is_read(&self) -> bool {
        matches!(self.operation.as_str(), "GetItem" | "BatchGetItem" | "Query" | "Scan" | "TransactGetItems")
    }

    /// How many items it names: the actions of a transaction, the keys of a batch, else one.
    pub fn items(&self) -> usize {
        let length = |value: &Value| value.as_array().map_or(0, Vec::len);
        match self.operation.as_str() {
            "TransactWriteItems" | "TransactGetItems" => length(&self.body["TransactItems"]),
            "BatchGetItem" => self.tables().map(|table| length(&table["Keys"])).sum(),
            "BatchWriteItem" => self.tables().map(length).sum(),
            _ => 1,
        }
    }

    /// Whether it is a read that asks for the latest state of everything it reads.
    pub fn is_consistent(&self) -> bool {
        let asked = |value: &Value| value["ConsistentRead"] == Value::Bool(true);
        match self.operation.as_str() {
            "TransactGetItems" => true,
            "BatchGetItem" => self.tables().all(asked),
            _ => asked(&self.body),
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Value> {
        self.body["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values())
    }
}

/// What happens to a request instead of being answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It is not sent; this status and JSON come back, such as 400 and
    /// `{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}`.
    Answer(u16, Value),
    /// It is not sent; the connection breaks.
    NotSent,
    /// It is sent and carried out; the answer is lost.
    AnswerLost,
    /// It is sent and carried out; this status and JSON come back in place of its answer, such as 500.
    AnswerInstead(u16, Value),
    /// It is sent and carried out; the connection breaks in the middle of its answer.
    HalfAnswer,
    /// It is not sent, and no answer ever comes: a black hole.
    Silence,
    /// It is sent and carried out, and no answer ever comes.
    SilenceAfter,
    /// It is sent after this long, and answered.
    Late(Duration),
    /// It is not sent; after this long, this status and JSON come back.
    LateAnswer(Duration, u16, Value),
}

type Hook = Arc<dyn Fn(&Recorded) -> Option<Fault> + Send + Sync>;

#[derive(Default)]
struct State {
    requests: Vec<Recorded>,
    hook: Option<Hook>,
    elsewhere: Option<Hook>,
    roles: Option<Arc<Roles>>,
}

/// A handle on the recording; clones share it.
#[derive(Clone, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// More than any test sends. A devstack that runs for days forgets the oldest.
const KEPT: usize = 20_000;

impl Recorder {
    /// From now on functions may do what these roles allow.
    pub fn hold_to(&self, roles: Roles) {
        self.lock().roles = Some(Arc::new(roles));
    }

    /// The requests since the last call, oldest first. SDK retries are requests of their own.
    pub fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.lock().requests)
    }

    /// From now on `hook` sees every request before it is sent, and may put a fault in its place.
    pub fn inject(&self, hook: impl Fn(&Recorded) -> Option<Fault> + Send + Sync + 'static) {
        self.lock().hook = Some(Arc::new(hook));
    }

    /// The same for requests to Secrets Manager, SES and SQS, which are not recorded. Their operations are `GetSecretValue`, `SendEmail`,
    /// `SendMessageBatch` and `ChangeMessageVisibility`.
    pub fn inject_elsewhere(&self, hook: impl Fn(&Recorded) -> Option<Fault> + Send + Sync + 'static) {
        self.lock().elsewhere = Some(Arc::new(hook));
    }

    /// No more faults.
    pub fn heal(&self) {
        let mut state = self.lock();
        (state.hook, state.elsewhere) = (None, None);
    }

    /// A client that records what goes to DynamoDB and passes everything on to `inner`.
    pub fn wrap(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Client { inner, recorder: self.clone() })
    }

    /// IAM's answer to a request that the role of the function which makes it does not allow.
    fn judge(&self, request: &Recorded) -> Option<Fault> {
        let caller = roles::caller()?;
        let roles = self.lock().roles.clone()?;
        let refused = roles.refuse(&caller, request)?;
        // The function says 503, and not why.
        eprintln!("infra/template.yaml: the role of {caller} does not allow {refused:?}");
        Some(Fault::Answer(400, json!({"__type": "com.amazon.coral.service#AccessDeniedException"})))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request; the fault that takes its place.
    fn record(&self, request: Recorded) -> Option<Fault> {
        let hook = {
            let mut state = self.lock();
            if state.requests.len() == KEPT {
                state.requests.remove(0);
            }
            state.requests.push(request.clone());
            state.hook.clone()
        };
        // Not under the lock: a hook may look at the recording.
        hook.and_then(|hook| hook(&request))
    }
}

#[derive(Debug)]
struct Client {
    inner: SharedHttpClient,
    recorder: Recorder,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, recorder: self.recorder.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    recorder: Recorder,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let fault = match to_dynamodb(&request) {
            Some(recorded) => self.recorder.judge(&recorded).or_else(|| self.recorder.record(recorded)),
            None => elsewhere(&request).and_then(|request| {
                let hook = self.recorder.lock().elsewhere.clone();
                self.recorder.judge(&request).or_else(|| hook.and_then(|hook| hook(&request)))
            }),
        };
        match fault {
            None => self.inner.call(request),
            Some(Fault::Answer(status, body)) => HttpConnectorFuture::ready(answer(status, &body)),
            Some(Fault::NotSent) => HttpConnectorFuture::ready(Err(broken())),
            Some(Fault::AnswerLost) => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    sent.await?;
                    Err(broken())
                })
            }
            Some(Fault::AnswerInstead(status, body)) => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    sent.await?;
                    answer(status, &body)
                })
            }
            Some(Fault::HalfAnswer) => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move { half(sent.await?).await })
            }
            Some(Fault::Silence) => HttpConnectorFuture::new(std::future::pending()),
            Some(Fault::SilenceAfter) => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    sent.await?;
                    std::future::pending().await
                })
            }
            Some(Fault::LateAnswer(by, status, body)) => HttpConnectorFuture::new(async move {
                tokio::time::sleep(by).await;
                answer(status, &body)
            }),
            Some(Fault::Late(by)) => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    tokio::time::sleep(by).await;
                    sent.await
                })
            }
        }
    }
}

/// The request, when it is one to DynamoDB.
fn to_dynamodb(request: &HttpRequest) -> Option<Recorded> {
    let operation = request.headers().get("x-amz-target")?.strip_prefix("DynamoDB_20120810.")?;
    Some(Recorded { operation: operation.to_owned(), body: json_of(request) })
}

/// The request, when it is one to Secrets Manager, SES or SQS.
fn elsewhere(request: &HttpRequest) -> Option<Recorded> {
    let operation = match request.headers().get("x-amz-target") {
        Some(target) => target.strip_prefix("secretsmanager.").or(target.strip_prefix("AmazonSQS."))?,
        None => request.uri().ends_with("/v2/email/outbound-emails").then_some("SendEmail")?,
    };
    Some(Recorded { operation: operation.to_owned(), body: json_of(request) })
}

fn json_of(request: &HttpRequest) -> Value {
    request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
}

fn answer(status: u16, body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

/// The first half of an answer, and then an error where the rest should be.
async fn half(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
    let body = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
    let frames = [
        Ok(http_body::Frame::data(body.slice(..body.len() / 2))),
        Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)),
    ];
    *answer.body_mut() = SdkBody::from_body_1_x(StreamBody::new(futures::stream::iter(frames)));
    Ok(answer)
}

fn broken() -> ConnectorError {
    ConnectorError::io("the connection broke (injected)".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    fn recorded(operation: &str, body: Value) -> Recorded {
        Recorded { operation: operation.to_owned(), body }
    }

    #[test]
    fn items_and_consistency_are_read_from_the_request() {
        let batch = json!({"RequestItems": {"t": {"Keys": [{}, {}], "ConsistentRead": true}}});
        let batch = recorded("BatchGetItem", batch);
        assert_eq!((batch.items(), batch.is_consistent(), batch.is_read()), (2, true, true));
        let get = recorded("GetItem", json!({"Key": {}}));
        assert_eq!((get.items(), get.is_consistent()), (1, false));
        let write = recorded("TransactWriteItems", json!({"TransactItems": [{}, {}, {}]}));
        assert_eq!((write.items(), write.is_read()), (3, false));
    }

    #[tokio::test]
    async fn requests_are_recorded_and_faults_take_their_place() {
        let engine = super::super::dynamodb::DynamoDb::start(
            super::super::dynamodb::Engine::Memory,
            "table",
            "eu-west-1",
        )
        .await
        .unwrap();
        engine.create_table().await.unwrap();
        let recorder = Recorder::default();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(aws_sdk_dynamodb::config::Region::new("eu-west-1"))
            .endpoint_url(&engine.endpoint)
            .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("a", "b", None, None, "test"))
            .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
            .http_client(recorder.wrap(plain_http()))
            .build();
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        let put = |pk: &str| {
            let text = |value: &str| AttributeValue::S(value.to_owned());
            client.put_item().table_name("table").item("pk", text(pk)).item("sk", text("s")).send()
        };

        put("stored").await.unwrap();
        let requests = recorder.take();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].operation, "PutItem");
        assert_eq!(requests[0].body["Item"]["pk"]["S"], "stored");
        assert_eq!(recorder.take(), []);

        recorder.inject(|request| (request.operation == "PutItem").then_some(Fault::AnswerLost));
        put("stored, unknown to the caller").await.unwrap_err();
        recorder.inject(|_| Some(Fault::NotSent));
        put("never sent").await.unwrap_err();
        let throttled = json!({"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"});
        recorder.inject(move |_| Some(Fault::Answer(400, throttled.clone())));
        let error = put("throttled").await.unwrap_err();
        assert!(error.into_service_error().is_throttling_exception());

        recorder.heal();
        put("after").await.unwrap();
        let stored = engine.dump().await.unwrap();
        let mut stored: Vec<_> = stored.iter().filter_map(|item| item["pk"].as_str()).collect();
        stored.sort_unstable();
        assert_eq!(stored, ["after", "stored", "stored, unknown to the caller"]);
    }
}
