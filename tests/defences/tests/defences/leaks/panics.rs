//! A panic quotes nothing: neither to whoever called, nor in the log. In processes of their own, under Lambda's own runtime.

use std::convert::Infallible;
use std::process::Command;

use defences::Place;
use devstack::bootstrap::{Bootstrap, Init};
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::{Body, Error, Request, RequestExt as _, Response, service_fn};
use serde_json::{Value, json};
use shared::http::serve;
use shared::init::{Uses, start};
use shared::panics::caught;

use super::search::Canary;

const SECRET: &str = "a-secret-that-was-at-hand-when-it-panicked";

/// Which of the functions below a process is.
#[expect(clippy::disallowed_methods, reason = "a process is told by its environment which function it is")]
fn which() -> Option<String> {
    std::env::var("PANICKING_FUNCTION").ok()
}

/// Runs in a process of its own: a function that panics over whatever it is sent, as they all start and serve.
#[tokio::test]
async fn panicking_function() {
    let Some(which) = which() else { return };
    start(Uses { key_set: true, ..Uses::default() }).await.unwrap();
    match which.as_str() {
        "http" => serve(service_fn(http)).await.unwrap(),
        "event" => lambda_runtime::run(caught(service_fn(event))).await.unwrap(),
        _ => lambda_runtime::run(caught(service_fn(at_once))).await.unwrap(),
    }
}

async fn http(request: Request) -> Result<Response<Body>, Infallible> {
    // Lambda's context is there as for every function.
    let _ = request.lambda_context_ref();
    match request.body() {
        Body::Text(text) if text.contains(SECRET) => panic!("this is no JSON: {text}"),
        _ => Ok(Response::new(Body::from("well"))),
    }
}

async fn event(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let text = event.payload.to_string();
    if text.contains(SECRET) {
        // On another thread, which nobody waits for, and here.
        let elsewhere = text.clone();
        let _ = tokio::task::spawn_blocking(move || panic!("elsewhere, {elsewhere}")).await;
        std::panic::panic_any(text);
    }
    Ok(json!("well"))
}

fn at_once(event: LambdaEvent<Value>) -> std::future::Ready<Result<Value, Error>> {
    let text = event.payload.to_string();
    assert!(!text.contains(SECRET), "{text}");
    std::future::ready(Ok(json!("well")))
}

/// A call that panics, and one that does not: both answers, and all that the process said.
async fn called(place: &Place, which: &str, events: [Value; 2]) -> ([Value; 2], String) {
    let mut environment = place.devstack.environment.clone();
    environment.push(("PANICKING_FUNCTION", which.to_owned()));
    environment.push(("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()));
    environment.push(("RUST_BACKTRACE", "full".to_owned()));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "leaks::panics::panicking_function", "--nocapture"]);
    let mut running = match Bootstrap::run(command, &environment).await.unwrap() {
        Init::Started(running) => running,
        Init::Failed(said) => panic!("{said}"),
    };
    let [ill, well] = events;
    let answers = [running.invoke(ill).await.unwrap(), running.invoke(well).await.unwrap()];
    (answers, running.end().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_quotes_nothing_and_the_environment_goes_on() {
    let place = Place::new().await;
    let secret = Canary::new("a secret", SECRET);
    let mut request: Value = serde_json::from_str(include_str!("../../../../events/login.json")).unwrap();
    request["body"] = "{}".into();
    let mut panicking = request.clone();
    panicking["body"] = format!("{{\"password\": {SECRET}").into();
    let events = || [json!({"password": SECRET}), json!({})];
    for (which, events) in [("http", [panicking, request]), ("event", events()), ("at once", events())] {
        let ([ill, well], said) = called(&place, which, events).await;
        assert_eq!(ill, json!({"errorType": "Panicked", "errorMessage": "the function panicked"}), "{which}");
        let body = if which == "http" { &well["body"] } else { &well };
        assert_eq!(body, "well", "{which}: the same process answers the next call");
        let line =
            said.lines().find(|line| line.contains("\"panicked\"")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains("leaks/panics.rs:"), "{which}: {line}");
        for line in said.lines() {
            assert!(secret.found_in(line).is_none(), "{which}: {line}");
        }
    }
}
