//! Secrets Manager: winterbaume's, with what it leaves out of AWS's rotation.
//!
//! As AWS documents it: `RotateSecret` stages a version without a value as `AWSPENDING`; a version never changes once it has a value; a
//! label is taken only from the version that carries it; the first value there is becomes `AWSCURRENT`. Nobody calls the rotation
//! function here: tests do, step by step.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use winterbaume_core::{MockRequest, MockResponse, MockService};
use winterbaume_secretsmanager::SecretsManagerService;

/// The engine.
pub struct SecretsManager {
    service: SecretsManagerService,
    /// By the secrets' ARNs. Held through every call, so that each is whole.
    rotations: Mutex<HashMap<String, Rotation>>,
    region: String,
}

#[derive(Default)]
struct Rotation {
    enabled: bool,
    /// The version that is `AWSPENDING` and has no value yet.
    empty: Option<String>,
}

const PENDING: &str = "AWSPENDING";
const CURRENT: &str = "AWSCURRENT";

impl SecretsManager {
    /// An engine without secrets.
    pub fn new(region: &str) -> Self {
        Self { service: SecretsManagerService::new(), rotations: Mutex::default(), region: region.to_owned() }
    }

    /// Answers a request.
    pub async fn handle(&self, headers: &HeaderMap, body: Bytes) -> MockResponse {
        let operation = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
        let operation = operation.and_then(|it| it.rsplit('.').next()).unwrap_or_default();
        let input: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut rotations = self.rotations.lock().await;
        let described = self.ask("DescribeSecret", &json!({"SecretId": input["SecretId"]})).await;
        let Some(secret) = described.filter(|_| operation != "CreateSecret") else {
            return self.send(operation, &input).await;
        };
        let rotation = rotations.entry(text(&secret["ARN"])).or_default();
        match operation {
            "RotateSecret" => rotate(rotation, &secret, &input),
            "CancelRotateSecret" => {
                rotation.enabled = false;
                self.send(operation, &input).await
            }
            "DescribeSecret" => describe(rotation, secret),
            "PutSecretValue" => self.put(rotation, &secret, input).await,
            "UpdateSecretVersionStage" => self.move_label(rotation, &secret, &input).await,
            _ => self.send(operation, &input).await,
        }
    }

    async fn put(&self, rotation: &mut Rotation, secret: &Value, mut input: Value) -> MockResponse {
        let version = json!({"SecretId": input["SecretId"], "VersionId": input["ClientRequestToken"]});
        if let Some(value) = self.ask("GetSecretValue", &version).await {
            return match value["SecretString"] == input["SecretString"] {
                true => ok(
                    &json!({"ARN": value["ARN"], "Name": value["Name"], "VersionId": version["VersionId"]}),
                ),
                false => {
                    refuse("ResourceExistsException", "A resource with the ID you requested already exists.")
                }
            };
        }
        if secret["VersionIdsToStages"].as_object().is_none_or(serde_json::Map::is_empty)
            && rotation.empty.is_none()
            && let Some(stages) = input["VersionStages"].as_array_mut()
        {
            stages.push(json!(CURRENT));
        }
        if input["VersionStages"].as_array().is_some_and(|stages| stages.contains(&json!(PENDING))) {
            rotation.empty = None;
        }
        self.send("PutSecretValue", &input).await
    }

    async fn move_label(&self, rotation: &mut Rotation, secret: &Value, input: &Value) -> MockResponse {
        let label = text(&input["VersionStage"]);
        let from = input["RemoveFromVersionId"].as_str();
        let carries = carrier(secret, &label).or(rotation.empty.clone().filter(|_| label == PENDING));
        if carries.as_deref() != from && (carries.is_some() || from.is_some()) {
            return refuse(
                "InvalidParameterException",
                "RemoveFromVersionId is not the version with this label.",
            );
        }
        if label == PENDING && carries == rotation.empty {
            rotation.empty = None;
            return ok(&json!({"ARN": secret["ARN"], "Name": secret["Name"]}));
        }
        self.send("UpdateSecretVersionStage", input).await
    }

    /// What winterbaume answers, if that is no error.
    async fn ask(&self, operation: &str, input: &Value) -> Option<Value> {
        let answer = self.send(operation, input).await;
        (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    async fn send(&self, operation: &str, input: &Value) -> MockResponse {
        let target = HeaderValue::from_str(&format!("secretsmanager.{operation}"));
        let target = target.unwrap_or(HeaderValue::from_static("secretsmanager.Unknown"));
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-amz-target"), target)]);
        // The service reads the region from the host name.
        let uri = format!("https://secretsmanager.{}.amazonaws.com/", self.region);
        let body = input.to_string().into();
        self.service.handle(MockRequest { method: "POST".to_owned(), uri, headers, body }).await
    }
}

fn rotate(rotation: &mut Rotation, secret: &Value, input: &Value) -> MockResponse {
    let pending = rotation.empty.clone().or_else(|| carrier(secret, PENDING));
    let token = text(&input["ClientRequestToken"]);
    if pending.is_some() && pending != carrier(secret, CURRENT) && pending.as_ref() != Some(&token) {
        return refuse("InvalidRequestException", "A previous rotation isn't complete.");
    }
    rotation.enabled = true;
    rotation.empty = Some(token.clone());
    ok(&json!({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}))
}

fn describe(rotation: &Rotation, mut secret: Value) -> MockResponse {
    secret["RotationEnabled"] = json!(rotation.enabled);
    if let Some(version) = &rotation.empty {
        // The label was elsewhere, on the version that a rotation finished with.
        for stages in secret["VersionIdsToStages"].as_object_mut().into_iter().flat_map(|it| it.values_mut())
        {
            stages.as_array_mut().into_iter().for_each(|it| it.retain(|stage| stage != PENDING));
        }
        secret["VersionIdsToStages"][version] = json!([PENDING]);
    }
    ok(&secret)
}

/// The version that carries a label.
fn carrier(secret: &Value, label: &str) -> Option<String> {
    let carries = |stages: &Value| stages.as_array().is_some_and(|it| it.iter().any(|stage| stage == label));
    let versions = secret["VersionIdsToStages"].as_object()?;
    versions.iter().find(|(_, stages)| carries(stages)).map(|(version, _)| version.clone())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn ok(body: &Value) -> MockResponse {
    MockResponse::json(200, body.to_string())
}

fn refuse(kind: &str, message: &str) -> MockResponse {
    MockResponse::json(400, json!({"__type": kind, "message": message}).to_string())
}
