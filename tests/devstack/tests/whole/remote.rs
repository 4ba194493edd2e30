//! Functions behind Lambda's `Invoke` API, as `cargo lambda watch` serves it: here a stand-in that plays both parts.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use devstack::{Devstack, Options};
use serde_json::{Value, json};

use super::client::{get, send};

/// What was invoked: path and event.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

async fn lambda(State(calls): State<Calls>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1_000_000).await.unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let answer = match path.as_str() {
        "/2015-03-31/functions/authorizer/invocations" => match event["authorizationToken"].as_str() {
            Some("Bearer eyJh.unknown.x") => Err(json!({"errorType": "E", "errorMessage": "Unauthorized"})),
            Some("Bearer eyJh.broken.x") => {
                Err(json!({"errorType": "E", "errorMessage": "the table is away"}))
            }
            _ => Ok(json!({
                "principalId": "usr_1",
                "policyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
                ]},
                "context": {"role": "owner"},
            })),
        },
        "/2015-03-31/functions/organizations/invocations" => Ok(json!({
            "statusCode": 200, "headers": {"x-from": "afar"}, "body": event["requestContext"]["authorizer"].to_string(),
        })),
        _ => Ok(json!({"neither": "fish nor fowl"})),
    };
    calls.lock().unwrap().push((path, event));
    match answer {
        Ok(value) => Response::new(Body::from(value.to_string())),
        Err(error) => {
            let response = Response::builder().header("x-amz-function-error", "Unhandled");
            response.body(Body::from(error.to_string())).unwrap()
        }
    }
}

#[tokio::test]
async fn functions_in_other_processes_are_invoked_by_name() {
    let calls = Calls::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(lambda).with_state(Arc::clone(&calls));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = Options { invoke_at: Some(url), ..Options::default() };
    let devstack = Devstack::start(options).await.unwrap();

    let me = get(&devstack, "/api/v1/organizations/me", Some("eyJh.known.x")).await;
    assert_eq!((me.status().as_u16(), me.headers()["x-from"].to_str().unwrap()), (200, "afar"));
    let context: Value = me.json().await.unwrap();
    assert_eq!((&context["role"], &context["principalId"]), (&json!("owner"), &json!("usr_1")));
    let event = calls.lock().unwrap()[0].1.clone();
    assert_eq!(event["type"], "TOKEN");
    assert!(event["methodArn"].as_str().unwrap().ends_with("/GET/api/v1/organizations/me"), "{event}");

    let status = |path: &'static str, bearer: &'static str| {
        let answer = get(&devstack, path, Some(bearer));
        async { answer.await.status().as_u16() }
    };
    assert_eq!(status("/api/v1/organizations/me", "eyJh.unknown.x").await, 401);
    assert_eq!(status("/api/v1/organizations/me", "eyJh.broken.x").await, 503);
    assert_eq!(status("/nowhere", "x").await, 503, "an answer that is no response");

    let clock = json!({"seconds": 1});
    let advance = send(&devstack, reqwest::Method::POST, "/_devstack/clock/advance", None, clock).await;
    assert_eq!(advance.status(), 409, "the clock does not reach the functions");
}
