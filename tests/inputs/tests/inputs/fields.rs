//! Every field of every route: missing, null, empty, and of every wrong type.

use devstack::seed::ACORN;
use serde_json::{Value, json};

use crate::harness::{Cases, Refusal, Response, Stack};
use crate::routes::{self, Field, Route, Takes};

/// Values of every type.
fn junk() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(1e2),
        json!(123_456),
        json!(""),
        json!("3"),
        json!([]),
        json!(["test"]),
        json!([null]),
        json!({}),
        json!({"$gt": ""}),
        json!({"S": "test"}),
    ]
}

fn takes(field: &Field, value: &Value) -> bool {
    match field.takes {
        Takes::Text => value == "3",
        Takes::Form => false,
        Takes::Days => value.as_i64().is_some_and(|days| (1..=3650).contains(&days)),
        Takes::List => value == &json!([]),
    }
}

#[tokio::test]
async fn a_wrong_type_is_named_and_not_coerced() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        for field in &route.fields {
            let wrong = junk().into_iter().filter(|value| !takes(field, value));
            // Null in an optional field has a test of its own.
            for value in wrong.filter(|value| field.required || !value.is_null()) {
                let name = format!("{}: {} is {value}", route.name, field.name);
                let request = route.request.clone().json(&route.with(field.name, value));
                cases.refused(name, request, &Refusal::invalid(&[field.name])).await;
            }
        }
    }
    cases.finish();
}

/// Typed clients write what they leave out as null.
#[tokio::test]
async fn null_in_an_optional_field_is_its_absence() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut tried = 0;
    for route in routes::with_bodies(&stack, &owner) {
        for field in route.fields.iter().filter(|field| !field.required) {
            let mut without = route.good.clone();
            without.as_object_mut().unwrap().remove(field.name);
            let with_null = route.request.clone().json(&route.with(field.name, Value::Null));
            let (absent, null) =
                (stack.send(&route.request.clone().json(&without)).await, stack.send(&with_null).await);
            let said = |answer: &Response| answer.json()["error"]["fields"].to_string();
            assert!(!said(&null).contains(field.name), "{}: {null:?}", route.name);
            assert!(!said(&absent).contains(field.name), "{}: {absent:?}", route.name);
            tried += 1;
        }
    }
    assert!(tried >= 4, "{tried} fields");
}

#[tokio::test]
async fn everything_that_is_missing_or_wrong_is_told_at_once() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        let required: Vec<_> = route.fields.iter().filter(|it| it.required).map(|it| it.name).collect();
        let all: Vec<_> = route.fields.iter().map(|it| it.name).collect();
        let say = |what: &str| format!("{}: {what}", route.name);
        let send = |body: &Value| route.request.clone().json(body);
        for name in &required {
            cases
                .refused(
                    say(&format!("without {name}")),
                    send(&route.without(name)),
                    &Refusal::invalid(&[name]),
                )
                .await;
        }
        cases.refused(say("without anything"), send(&json!({})), &Refusal::invalid(&required)).await;
        let nulls: Value = required.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        cases.refused(say("all null"), send(&nulls), &Refusal::invalid(&required)).await;
        let wrong: Value = all.iter().map(|name| ((*name).to_owned(), json!([1]))).collect();
        cases.refused(say("all wrong"), send(&wrong), &Refusal::invalid(&all)).await;
        // Names are compared exactly.
        let shouted: Value =
            all.iter().map(|name| (name.to_uppercase(), route.good[*name].clone())).collect();
        cases.refused(say("names in capitals"), send(&shouted), &Refusal::invalid(&required)).await;
    }
    cases.finish();
}

#[tokio::test]
async fn unknown_fields_have_no_effect() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let unknown = json!({
        "is_admin": true, "role": "owner", "org_id": "org_01J0B1RCH00000000000000000", "mfa": "skip", "user_id": 1, "created_by": [],
        "__proto__": {"x": 1}, "constructor": null, "": "", "pk": "KEYSET", "v": 9, "expires_at": 0, "key": "x", "current_env": "live",
    });
    for route in routes::with_bodies(&stack, &owner) {
        let mut body = route.good.as_object().unwrap().clone();
        let known = |name: &str| route.fields.iter().any(|field| field.name == name);
        body.extend(unknown.as_object().unwrap().clone().into_iter().filter(|(name, _)| !known(name)));
        let answer = cases.accepted(route.name, route.request.clone().json(&body.into()), route.status).await;
        let plain = !answer.body.contains("org_01J0B1RCH") && !answer.body.contains("live");
        cases.judge(route.name, if plain { Ok(()) } else { Err(answer.body) });
    }
    let organization = stack.me(&owner.access).await;
    assert_eq!((&organization["id"], &organization["current_env"]), (&json!(ACORN.id), &json!("test")));
    cases.finish();
}

#[tokio::test]
async fn the_good_bodies_are_good() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        cases.accepted(route.name, route.request.clone().json(&route.good), route.status).await;
    }
    cases.finish();
}

#[tokio::test]
async fn an_environment_is_one_of_two_words_to_the_letter() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let routes = routes::with_bodies(&stack, &owner);
    let with_env = routes.iter().filter(|route| route.fields.iter().any(|field| field.name == "env"));
    for route in with_env {
        for word in [
            "prod",
            "LIVE",
            "Test",
            " test",
            "test ",
            "test\n",
            "Live\u{200b}",
            "l\u{456}ve",
            "te\u{17f}t",
            "test\u{0}",
            "t",
            "test,live",
        ] {
            let name = format!("{}: {word:?}", route.name);
            let request = route.request.clone().json(&route.with("env", json!(word)));
            cases.refused(name, request, &Refusal::invalid(&["env"])).await;
        }
    }
    for word in ["PRIMARY", "Backup", "totp", "primary ", "email_otp"] {
        let takes_it = |route: &&Route| route.fields.iter().any(|field| field.name == "code_type");
        for route in routes.iter().filter(takes_it) {
            let request = route.request.clone().json(&route.with("code_type", json!(word)));
            let name = format!("{}: code_type {word:?}", route.name);
            cases.refused(name, request, &Refusal::invalid(&["code_type"])).await;
        }
    }
    cases.finish();
}
