//! A header that comes twice: nobody can say which one counts, and whoever looks at the request on its way may see the other.

use devstack::seed::ACORN;
use serde_json::json;

use crate::harness::{Cases, Refusal, Request, Stack};
use crate::routes;

#[tokio::test]
async fn two_content_types_are_none() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        for (one, two) in [
            ("text/plain", "application/json"),
            ("application/json", "text/plain"),
            ("application/json", "application/json"),
            ("application/json", "application/json; charset=utf-16"),
            ("application/json; charset=utf-16", "application/json"),
        ] {
            let request = route.request.clone().body(route.good.to_string());
            let request = request.header("Content-Type", one).header("content-type", two);
            let name = format!("{}: {one} and {two}", route.name);
            cases.refused(name, request, &Refusal::not_said_json()).await;
        }
    }
    cases.finish();
}

#[tokio::test]
async fn two_idempotency_keys_are_none() {
    let stack = Stack::start().await;
    let session = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let refusal = Refusal::invalid(&["Idempotency-Key"]);
    for (name, one, two) in [
        ("one and an empty one", "0123456789abcdef", ""),
        ("one and one that is none", "0123456789abcdef", "short"),
        ("one that is none and one", "short", "0123456789abcdef"),
        ("two", "0123456789abcdef", "fedcba9876543210"),
        ("the same twice", "0123456789abcdef", "0123456789abcdef"),
    ] {
        let request = Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": session.refresh}));
        let request = request.header("Idempotency-Key", one).header("idempotency-key", two);
        cases.refused(name, request, &refusal).await;
    }
    stack.refresh(&session).await;
    cases.finish();
}
