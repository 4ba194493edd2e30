//! AWS, as a function sees it whose table is all but empty and takes no write: every request is answered at once, in the process.

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

/// What there is: items by partition key, secrets by name.
#[derive(Debug, Clone, Default)]
pub struct Canned {
    pub items: BTreeMap<String, Value>,
    pub secrets: BTreeMap<String, String>,
}

impl Canned {
    /// Puts an item, given as plain JSON.
    pub fn put(&mut self, pk: &str, sk: &str, item: &Value) {
        let mut members: Map<String, Value> =
            item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        members.extend(
            [("pk", json!(pk)), ("sk", json!(sk)), ("v", json!(1))]
                .map(|(name, value)| (name.to_owned(), attribute(&value))),
        );
        self.items.insert(pk.to_owned(), Value::Object(members));
    }

    /// The HTTP client whose other side this is.
    pub fn client(self) -> SharedHttpClient {
        SharedHttpClient::new(self)
    }

    fn answer(&self, operation: &str, asked: &Value) -> (u16, Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let answer = match operation {
            "GetItem" => match self.items.get(&text(&asked["Key"]["pk"]["S"])) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "BatchGetItem" => json!({"Responses": {}, "UnprocessedKeys": {}}),
            "TransactGetItems" => {
                let asked = asked["TransactItems"].as_array().map_or(0, Vec::len);
                json!({"Responses": vec![json!({}); asked]})
            }
            "Query" => json!({"Items": [], "Count": 0, "ScannedCount": 0}),
            "GetSecretValue" => match self.secrets.get(&text(&asked["SecretId"])) {
                Some(secret) => json!({"Name": asked["SecretId"], "SecretString": secret}),
                None => return (400, json!({"__type": "ResourceNotFoundException"})),
            },
            // An answer that the SDK does not try again: a target never waits.
            _ => return (400, json!({"__type": "com.amazon.coral.validate#ValidationException"})),
        };
        (200, answer)
    }
}

/// A value in DynamoDB's JSON.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({ "S": text }),
        Value::Array(items) => json!({"L": items.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), attribute(value)));
            json!({"M": members.collect::<Map<_, _>>()})
        }
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let (status, body) = self.answer(operation, &serde_json::from_slice(body).unwrap_or_default());
        HttpConnectorFuture::ready(response(status, &body))
    }
}

fn response(status: u16, body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}
