//! `/_devstack/…`.

use devstack::seed::{ACORN, BIRCH};
use reqwest::Method;
use serde_json::{Value, json};
use shared::clock::Clock;

use super::client::{devstack, get, log_in, post, send};

#[tokio::test]
async fn the_mailbox_can_be_read_by_address() {
    let devstack = devstack().await;
    log_in(&devstack, ACORN.owner).await;
    log_in(&devstack, BIRCH.owner).await;
    let all: Value = get(&devstack, "/_devstack/mailbox", None).await.json().await.unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["to"], BIRCH.owner.email, "newest first");
    let path = format!("/_devstack/mailbox?to={}", ACORN.owner.email);
    let one: Value = get(&devstack, &path, None).await.json().await.unwrap();
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["code"].as_str(), devstack.mailbox.code(ACORN.owner.email).as_deref());
    assert!(one[0]["text"].as_str().unwrap().contains(one[0]["code"].as_str().unwrap()));
}

#[tokio::test]
async fn the_clock_is_moved_for_everybody() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let before = devstack.clock.now_seconds();
    let moved = post(&devstack, "/_devstack/clock/advance", None, json!({"seconds": 15 * 60 + 60})).await;
    assert_eq!(moved["seconds"], before + 16 * 60);
    let clock: Value = get(&devstack, "/_devstack/clock", None).await.json().await.unwrap();
    assert_eq!(clock, moved);
    let expired = get(&devstack, "/api/v1/organizations/me", Some(&tokens.access)).await;
    assert_eq!(expired.status(), 401);
}

#[tokio::test]
async fn an_operators_changes_reach_the_system() {
    let devstack = devstack().await;
    let id = ACORN.id;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let me = || async {
        let answer = get(&devstack, "/api/v1/organizations/me", Some(&tokens.access)).await;
        answer.json::<Value>().await.unwrap()
    };
    let operator = "/_devstack/operator";
    let onboarding = json!({
        "action": "set_onboarding", "org_id": id, "onboarding_status": "COMPLETED", "payments_status": "ENABLED",
    });
    post(&devstack, operator, None, onboarding).await;
    assert_eq!(me().await["data"]["payments_status"], "ENABLED");

    let member = format!("/_devstack/organizations/{id}/members/{}", ACORN.owner.user_id);
    post(&devstack, &member, None, json!({"role": "viewer"})).await;
    let key = json!({"key_name": "Mine"});
    let refused = send(&devstack, Method::POST, "/api/v1/auth/api-keys", Some(&tokens.access), key).await;
    assert_eq!(refused.status(), 403);

    post(&devstack, operator, None, json!({"action": "suspend_organization", "org_id": id})).await;
    assert_eq!(me().await["error"]["code"], "organization_suspended");
    post(&devstack, operator, None, json!({"action": "reinstate_organization", "org_id": id})).await;
    assert_eq!(me().await["success"], true);
}

#[tokio::test]
async fn mistakes_are_answered_with_a_sentence() {
    let devstack = devstack().await;
    let nobody =
        "/_devstack/organizations/org_01J00000000000000000000000/members/usr_01J00000000000000000000000";
    for (method, path, body, status) in [
        (Method::GET, "/_devstack/nothing", Value::Null, 404),
        (Method::POST, "/_devstack/clock/advance", json!({"seconds": "1"}), 400),
        (Method::POST, "/_devstack/clock/advance", json!({"seconds": i64::MAX}), 400),
        (Method::POST, nobody, json!({"role": "viewer"}), 404),
        (Method::POST, "/_devstack/organizations/x/members/y", json!({"role": "viewer"}), 404),
    ] {
        let answer = send(&devstack, method, path, None, body).await;
        assert_eq!(answer.status(), status, "{path}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["error"].as_str().unwrap().len() > 10, "{answer}");
    }
}

#[tokio::test]
async fn table_and_logs_are_shown_without_a_secret_in_the_log() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let table: Value = get(&devstack, "/_devstack/table", None).await.json().await.unwrap();
    let is_session = |item: &Value| item["pk"].as_str().unwrap().starts_with("SESSION#");
    assert_eq!(table.as_array().unwrap().iter().filter(|item| is_session(item)).count(), 1);

    let logs: Value = get(&devstack, "/_devstack/logs", None).await.json().await.unwrap();
    let logs = logs.as_array().unwrap();
    assert!(logs.iter().any(|line| line["action"] == "login" && line["outcome"] == "ok"), "{logs:?}");
    let access = |line: &&Value| line["route"] == "/api/v1/auth/login" && line["status"] == "200";
    assert_eq!(logs.iter().filter(access).count(), 1, "the gateway's access log: {logs:?}");
    let text = devstack.logs.text();
    let code = devstack.mailbox.code(ACORN.owner.email).unwrap();
    for secret in [&tokens.access, &tokens.refresh, &code, &devstack::seed::PASSWORD.to_owned()] {
        assert!(!text.contains(secret.as_str()));
    }
}
