//! Events that no gateway sends: the authorizer never panics and lets nobody in.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::app::App;
use shared::config::HttpApiAnswer;

use crate::authorizer_events::{app_like, credentials};
use crate::harness::Stack;
use crate::harness::gateways::{INVOCATION, Kind, Verdict, ask};

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, nth| if nth % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

/// Values of every type and size.
fn junk() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("Bearer"),
        json!("Bearer junk"),
        json!("\u{1f511}".repeat(100)),
        json!("x".repeat(1 << 16)),
        json!([]),
        json!([null]),
        json!(["x", 1]),
        json!({}),
        json!({"": null}),
        json!({"a": {"b": []}}),
        nested(100),
    ]
}

/// The judgement, and whether it was reached without a panic.
async fn calmly(app: &Arc<App>, event: Value) -> Verdict {
    let app = Arc::clone(app);
    // In a task of its own a panic ends there, and is told.
    tokio::spawn(async move { ask(&app, event).await }).await.expect("the authorizer panicked")
}

async fn both_apps(stack: &Stack) -> [Arc<App>; 2] {
    [stack.app(), Arc::new(app_like(stack, |config| config.http_api_answer = HttpApiAnswer::Policy))]
}

#[tokio::test]
async fn an_event_that_is_none_lets_nobody_in() {
    let stack = Stack::start().await;
    for app in both_apps(&stack).await {
        let typed = |kind: Value| json!({"type": kind});
        let mut events = junk();
        events.extend(junk().into_iter().map(typed));
        events.extend(junk().into_iter().map(|version| json!({"version": version})));
        events.extend(
            ["TOKEN", "REQUEST", "token", "1.0", "2.0", "3.0"]
                .map(|text| json!({"type": text, "version": text})),
        );
        for event in events {
            let shown: String = event.to_string().chars().take(200).collect();
            let verdict = calmly(&app, event).await;
            assert!(!matches!(verdict, Verdict::Allowed(_)), "{shown}: {verdict:?}");
        }
    }
}

/// Every path through an event, as JSON pointers.
fn pointers(value: &Value, here: &str, all: &mut Vec<String>) {
    let mut go = |name: String, inner: &Value| {
        let pointer = format!("{here}/{name}");
        all.push(pointer.clone());
        pointers(inner, &pointer, all);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| go(name.clone(), inner)),
        Value::Array(values) => values.iter().enumerate().for_each(|(nth, inner)| go(nth.to_string(), inner)),
        _ => {}
    }
}

/// Without the credential nobody is let in. (Of a REST API's two maps of headers one is enough; who asks has a test of its own.)
fn decides(kind: Kind, pointer: &str) -> bool {
    match kind {
        Kind::RestToken => ["/type", "/authorizationToken", "/methodArn"].contains(&pointer),
        Kind::RestRequest => pointer == "/methodArn",
        Kind::Http1 => ["/headers", "/headers/Authorization", "/methodArn"].contains(&pointer),
        Kind::Http2 => ["/headers", "/headers/authorization"].contains(&pointer),
    }
}

#[tokio::test]
async fn every_part_of_an_event_replaced_by_junk_or_missing() {
    let stack = Stack::start().await;
    let (owner, key) = credentials(&stack).await;
    let mut failed = Vec::new();
    let mut tried = 0;
    for app in both_apps(&stack).await {
        for kind in Kind::ALL {
            for credential in [&owner.access, &key] {
                let event = kind.event(&format!("Bearer {credential}"));
                let mut all = Vec::new();
                pointers(&event, "", &mut all);
                for pointer in &all {
                    let replaced = junk().into_iter().map(|value| {
                        let mut event = event.clone();
                        *event.pointer_mut(pointer).unwrap() = value;
                        event
                    });
                    for event in replaced.chain([without(&event, pointer)]) {
                        tried += 1;
                        let verdict = calmly(&app, event.clone()).await;
                        if decides(kind, pointer) && matches!(verdict, Verdict::Allowed(_)) {
                            let now: String =
                                event.pointer(pointer).map(Value::to_string).unwrap_or_default();
                            failed.push(format!(
                                "{kind:?} {pointer} = {}: allowed",
                                now.chars().take(40).collect::<String>()
                            ));
                        }
                    }
                }
            }
        }
    }
    eprintln!("{tried} events");
    failed.sort();
    failed.dedup();
    assert!(failed.is_empty(), "{} cases:\n  {}", failed.len(), failed.join("\n  "));
}

/// The event without one member.
fn without(event: &Value, pointer: &str) -> Value {
    let mut event = event.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match event.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(name)),
        Some(Value::Array(values)) => drop(values.remove(name.parse().unwrap())),
        _ => {}
    }
    event
}

/// Texts that name no API, or that a wildcard could widen; and what is no text.
fn no_arns() -> Vec<Value> {
    let texts = [
        "garbage",
        "",
        "*",
        "arn",
        "arn:aws:execute-api",
        "arn:aws:execute-api:::",
        "arn:aws:execute-api:eu-west-1:1:abc",
        "arn:aws:execute-api:eu-west-1:1:/prod/GET/",
        "arn:aws:execute-api:eu-west-1:1:*/*/GET/",
        "arn:aws:execute-api:*:1:abc/prod/GET/",
        "arn:aws:execute-api:eu-west-1:*:abc/prod/GET/",
        "arn:*:execute-api:eu-west-1:1:abc/prod/GET/",
        "arn:aws:execute-api:eu-west-1:1:ab?/prod/GET/",
        "arn:aws:execute-api:eu-west-1:1:abc/pr*d/GET/",
        "arn:aws:s3:::bucket/key",
        "arn:aws:lambda:eu-west-1:1:function:x/y/z",
        "ARN:AWS:EXECUTE-API:eu-west-1:1:abc/prod/GET/",
        " arn:aws:execute-api:eu-west-1:1:abc/prod/GET/",
        "arn:aws:execute-api:eu-west-1:1:abc/\u{0}/GET/",
        "arn:aws:execute-api:eu-west-1:1:abc/${stage}/GET/",
        "https://abc.execute-api.eu-west-1.amazonaws.com/prod/GET/",
    ];
    texts.iter().map(|text| json!(text)).chain(junk()).collect()
}

/// Every kind of gateway, in both forms, with a good credential and an ARN that is none: what it is answered.
async fn answers_without_an_arn() -> Vec<(String, Result<Value, String>)> {
    let stack = Stack::start().await;
    let (owner, _) = credentials(&stack).await;
    let mut answers = Vec::new();
    for (app, form) in both_apps(&stack).await.iter().zip(["simple", "policy"]) {
        for kind in Kind::ALL {
            for arn in no_arns() {
                let mut event = kind.event(&format!("Bearer {}", owner.access));
                let shown: String = arn.to_string().chars().take(60).collect();
                event["methodArn"] = arn.clone();
                event["routeArn"] = arn;
                let answer =
                    authorizer::handle(app, event, INVOCATION).await.map_err(|error| error.to_string());
                answers.push((format!("{form} {kind:?} {shown}"), answer));
            }
        }
    }
    answers
}

#[tokio::test]
async fn an_arn_that_is_none_gets_no_allow() {
    let mut failed = Vec::new();
    for (name, answer) in answers_without_an_arn().await {
        if answer.is_ok_and(|answer| answer["isAuthorized"] == true || answer.to_string().contains("Allow")) {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{} were let in:\n  {}", failed.len(), failed.join("\n  "));
}

/// A policy has to name something. The one that names everything is a denial.
#[tokio::test]
async fn a_policy_for_everything_denies() {
    let (mut failed, mut denials) = (Vec::new(), 0);
    for (name, answer) in answers_without_an_arn().await {
        let Ok(statements) = answer.map(|answer| answer["policyDocument"]["Statement"].clone()) else {
            continue;
        };
        for statement in statements.as_array().into_iter().flatten() {
            denials += 1;
            if statement["Resource"] != json!(["*"]) || statement["Effect"] != "Deny" {
                failed.push(format!("{name}: {statement}"));
            }
        }
    }
    assert!(denials > 0 && failed.is_empty(), "{} of {denials}:\n  {}", failed.len(), failed.join("\n  "));
}

/// Fields that AWS may add one day break nothing.
#[tokio::test]
async fn a_field_nobody_knows_changes_nothing() {
    let stack = Stack::start().await;
    let (owner, _) = credentials(&stack).await;
    for kind in Kind::ALL {
        let mut event = kind.event(&format!("Bearer {}", owner.access));
        event["newAwsField"] = json!({"x": nested(50)});
        event["requestContext"]["newAwsField"] = json!([1, null]);
        assert!(matches!(calmly(&stack.app(), event).await, Verdict::Allowed(_)), "{kind:?}");
    }
}
