//! A small HTTP client.

use devstack::seed::{PASSWORD, Person};
use devstack::{Devstack, Options};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// A devstack in memory.
pub async fn devstack() -> Devstack {
    Devstack::start(Options::default()).await.unwrap()
}

/// Sends a request with a JSON body, or with none for `null`.
pub async fn send(
    devstack: &Devstack,
    method: Method,
    path: &str,
    bearer: Option<&str>,
    body: Value,
) -> Response {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", devstack.base_url));
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    request.send().await.unwrap()
}

/// `GET`, without a credential or with one.
pub async fn get(devstack: &Devstack, path: &str, bearer: Option<&str>) -> Response {
    send(devstack, Method::GET, path, bearer, Value::Null).await
}

/// `POST` of JSON; the answer's JSON, which is to be a success.
pub async fn post(devstack: &Devstack, path: &str, bearer: Option<&str>, body: Value) -> Value {
    let answer = send(devstack, Method::POST, path, bearer, body).await;
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// An access and a refresh token.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Both steps of a login.
pub async fn log_in(devstack: &Devstack, person: Person) -> Tokens {
    let login = json!({"email": person.email, "password": PASSWORD});
    let login = post(devstack, "/api/v1/auth/login", None, login).await;
    let code = devstack.mailbox.code(person.email).unwrap();
    let second = json!({"challenge_id": login["data"]["challenge_id"], "code": code});
    let verified = post(devstack, "/api/v1/auth/login/2fa/verify", None, second).await;
    let token = |name: &str| verified["data"][name].as_str().unwrap().to_owned();
    Tokens { access: token("access_token"), refresh: token("refresh_token") }
}
