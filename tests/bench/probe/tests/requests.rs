//! The probe asks the table what the functions ask it, to the letter: only values differ. And how it is asked.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use devstack::clock::DevClock;
use devstack::engines::recorder::{Recorded, plain_http};
use devstack::seed::{BIRCH, PASSWORD};
use devstack::{Devstack, Options};
use probe::Asked;
use serde_json::{Value, json};
use shared::api_keys::PlainKey;
use shared::config::aws;
use shared::tokens::access_token::{Claims, verify};

#[expect(clippy::unwrap_used, reason = "tests only: what is not answered fails the test")]
async fn post(devstack: &Devstack, path: &str, body: Value, bearer: &str) -> Value {
    let request = reqwest::Client::new().post(format!("{}/api/v1/auth/{path}", devstack.base_url));
    let answer: Value = request.bearer_auth(bearer).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["success"], true, "{path}: {answer}");
    answer["data"].clone()
}

/// What was sent, every value and the name of the transaction left out.
fn asked(devstack: &Devstack) -> Vec<(String, Value)> {
    let shape = |Recorded { operation, body }| (operation, without_values(body));
    devstack.requests.take().into_iter().map(shape).collect()
}

fn without_values(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let is_value = name.starts_with(':') || name == "ClientRequestToken";
                    let kind = value.as_object().and_then(|it| it.keys().next().cloned());
                    let value = if is_value { json!(kind) } else { without_values(value) };
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(without_values).collect()),
        plain => plain,
    }
}

#[tokio::test]
async fn the_probe_asks_what_the_functions_ask() {
    let devstack =
        Devstack::start(Options { clock: DevClock::running(), ..Options::default() }).await.unwrap();
    let app = &devstack.app;
    let challenge =
        post(&devstack, "login", json!({"email": BIRCH.owner.email, "password": PASSWORD}), "").await;
    let code = devstack.mailbox.code(BIRCH.owner.email).unwrap();
    let step = json!({"challenge_id": challenge["challenge_id"], "code": code});
    let tokens = post(&devstack, "login/2fa/verify", step, "").await;
    let access = tokens["access_token"].as_str().unwrap();
    let made = post(&devstack, "api-keys", json!({"key_name": "probe"}), access).await;
    let key = PlainKey::parse(made["key"].as_str().unwrap()).unwrap();
    let keyring = app.key_sets.current().await.unwrap();
    let Claims { sid, org, sub, .. } =
        verify(access, &keyring, &app.audience, app.clock.now_seconds()).unwrap();

    devstack.requests.take();
    post(&devstack, "refresh", json!({"refresh_token": tokens["refresh_token"]}), "").await;
    let refresh = asked(&devstack);
    app.store.key_credential(&key.hash()).await.unwrap();
    let check = asked(&devstack);
    assert_eq!((refresh.len(), check.len()), (2, 1));

    let client = aws::dynamodb(&devstack.config, devstack.requests.wrap(plain_http()));
    let table = &devstack.config.table;
    let rotation = Asked::Refresh { session: sid, org, user: sub };
    for _ in 0..2 {
        probe::ask(&client, table, &rotation).await.unwrap();
        assert_eq!(asked(&devstack), refresh);
    }
    probe::ask(&client, table, &Asked::Key { key_hash: key.hash() }).await.unwrap();
    assert_eq!(asked(&devstack), check);
}

/// Keeps the names of a request's headers, and answers nothing.
#[derive(Debug, Clone, Default)]
struct Headers(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Headers {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Ok(mut names) = self.0.lock() {
            *names = request.headers().iter().map(|(name, _)| name.to_owned()).collect();
        }
        HttpConnectorFuture::ready(Err(ConnectorError::user("kept".into())))
    }
}

/// What the SDK would say of itself costs a twentieth of a key's check.
#[tokio::test]
async fn a_request_is_signed_and_says_nothing_of_what_sends_it() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let kept = Headers::default();
    let connector = SharedHttpConnector::new(kept.clone());
    let client = aws::dynamodb(&devstack.config, http_client_fn(move |_, _| connector.clone()));
    let asked = Asked::Key { key_hash: "0".repeat(64) };
    probe::ask(&client, "table", &asked).await.unwrap_err();
    let names = kept.0.lock().unwrap().clone();
    let has = |name: &str| names.iter().any(|it| it == name);
    assert!(has("authorization") && has("x-amz-target"), "{names:?}");
    assert!(!has("user-agent") && !has("x-amz-user-agent"), "{names:?}");
}
