//! F15: an authorizer that fails, is too late, or answers nonsense: 503, and the function behind it is not called.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::{Json, Router, routing::post};
use defences::{Place, owner};
use devstack::engines::recorder::Fault;
use devstack::{Devstack, Options};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api_keys::{Env, PlainKey};
use shared::rng::SystemRng;

const ME: &str = "/api/v1/organizations/me";

/// What the authorizer answers, and who was called.
#[derive(Default)]
struct Lambda {
    answer: Value,
    called: Vec<String>,
}

async fn invoke(State(lambda): State<Arc<Mutex<Lambda>>>, Path(function): Path<String>) -> Json<Value> {
    let mut lambda = lambda.lock().unwrap();
    lambda.called.push(function.clone());
    Json(match function.as_str() {
        "authorizer" => lambda.answer.clone(),
        _ => json!({"statusCode": 200, "body": "{}"}),
    })
}

fn answer(effect: &str, change: impl FnOnce(&mut Value)) -> Value {
    let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"});
    let mut answer = json!({
        "principalId": "usr_1", "context": {"role": "owner"},
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    });
    change(&mut answer);
    answer
}

#[tokio::test]
async fn an_authorizer_that_answers_nonsense_lets_nobody_through() {
    let lambda = Arc::new(Mutex::new(Lambda::default()));
    let path = "/2015-03-31/functions/{function}/invocations";
    let router = Router::new().route(path, post(invoke)).with_state(Arc::clone(&lambda));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let devstack = Devstack::start(Options { invoke_at: Some(url), ..Options::default() }).await.unwrap();
    let key = PlainKey::generate(Env::Test, &SystemRng);
    let ask = async |answer: Value| {
        *lambda.lock().unwrap() = Lambda { answer, called: Vec::new() };
        let request =
            reqwest::Client::new().get(format!("{}{ME}", devstack.base_url)).bearer_auth(key.expose());
        let response = request.send().await.unwrap();
        let told = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        (told, lambda.lock().unwrap().called.clone())
    };

    let (told, called) = ask(answer("Allow", |_| {})).await;
    assert_eq!((told.0, called), (200, vec!["authorizer".to_owned(), "organizations".to_owned()]));
    let nonsense = [
        // Lambda's own words for a time-out, a crash and an environment that did not start.
        json!({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 7.00 seconds"}),
        json!({"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: Runtime exited"}),
        json!({"errorType": "Unavailable", "errorMessage": "the credential could not be checked"}),
        Value::Null,
        json!({}),
        json!([]),
        json!("Allow"),
        json!({"isAuthorized": true}),
        answer("Allow", |it| it["principalId"] = Value::Null),
        answer("Allow", |it| it["policyDocument"] = Value::Null),
        answer("Allow", |it| it["policyDocument"]["Statement"][0]["Resource"] = Value::Null),
        answer("allow", |_| {}),
        answer("Allow", |it| it["context"] = json!({"role": {"name": "owner"}})),
        answer("Allow", |it| it["context"] = json!(["owner"])),
    ];
    for answer in nonsense {
        let (told, called) = ask(answer.clone()).await;
        assert_eq!((told, called), ((503, true), vec!["authorizer".to_owned()]), "{answer}");
    }
    for (answer, status) in [
        (json!({"errorType": "Unauthorized", "errorMessage": "Unauthorized"}), 401),
        (answer("Deny", |_| {}), 403),
    ] {
        let (told, called) = ask(answer).await;
        assert_eq!((told.0, called), (status, vec!["authorizer".to_owned()]));
    }
}

#[tokio::test]
async fn an_authorizer_without_its_table_lets_nobody_through_whatever_is_wrong_with_it() {
    let place = Place::new().await;
    let by = place.login(owner()).await;
    let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&by.access_token);
    let (_, made) = place.send(request.json(&json!({"key_name": "k"}))).await;
    let key = made["data"]["key"].as_str().unwrap();
    let reads_a_key = |it: &devstack::engines::recorder::Recorded| {
        it.body["Key"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("KEYHASH#"))
    };
    for fault in [
        Fault::Silence,
        Fault::NotSent,
        Fault::HalfAnswer,
        Fault::Answer(
            200,
            json!({"Item": {"pk": {"S": "KEYHASH#"}, "sk": {"S": "KEYHASH"}, "v": {"N": "2"}}}),
        ),
        Fault::Answer(
            200,
            json!({"Item": {"pk": {"S": "KEYHASH#"}, "sk": {"S": "KEYHASH"}, "v": {"N": "1"}}}),
        ),
    ] {
        place.devstack.requests.take();
        let met = fault.clone();
        place.devstack.requests.inject(move |it| reads_a_key(it).then(|| met.clone()));
        let response = place.request(Method::GET, ME).bearer_auth(key).send().await.unwrap();
        let told = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        assert_eq!(told, (503, true), "{fault:?}");
        let asked = place.devstack.requests.take();
        assert!(!asked.is_empty() && asked.iter().all(reads_a_key), "{fault:?}: the function was called");
        place.devstack.requests.heal();
    }
    let (status, _) = place.send(place.request(Method::GET, ME).bearer_auth(key)).await;
    assert_eq!(status, 200);
}
