//! Each change of a webhook, of where a key is good, of whose reports are believed, and each leak, leaves one audit event in its own
//! transaction; what changes nothing leaves none. See `audit_events`.

use std::collections::BTreeSet;

use defences::{Place, owner};
use devstack::seed::BIRCH;
use e2e::reporter::{Reporter, found};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use super::audit_people::news;

const WEBHOOK: &str = "/api/v1/organizations/{id}/webhook";

#[tokio::test]
async fn what_is_set_is_written_down_once_with_its_change() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let ask = async |method: Method, path: &str, body: Value| {
        let request =
            place.request(method, &path.replace("{id}", BIRCH.id)).bearer_auth(&session.access_token);
        place.send(if body.is_null() { request } else { request.json(&body) }).await
    };
    let (_, made) = ask(Method::POST, "/api/v1/auth/api-keys", json!({"key_name": "k"})).await;
    let (id, key) = (made["data"]["api_key_id"].as_str().unwrap(), made["data"]["key"].as_str().unwrap());
    let key_path = format!("/api/v1/auth/api-keys/{id}");
    let [secret, test] = ["secret", "test"].map(|part| format!("{WEBHOOK}/{part}"));
    let url = |url: &str| json!({ "url": url });
    let list = |ranges: &[&str]| json!({ "allowed_addresses": ranges });
    let mut seen = BTreeSet::new();
    news(&place, &mut seen).await;
    place.devstack.requests.take();
    let mut changes = 0;
    for (method, path, body, status, event) in [
        (Method::DELETE, WEBHOOK, Value::Null, 204, None),
        (Method::PUT, WEBHOOK, url("https://hooks.birch.example/"), 201, Some(["webhook.set", "added", ""])),
        (Method::PUT, WEBHOOK, url("https://127.0.0.1/"), 400, None),
        (Method::PUT, WEBHOOK, url("https://hooks.birch.example/2"), 200, Some(["webhook.set", "", ""])),
        (Method::POST, &secret, Value::Null, 200, Some(["webhook.rotate_secret", "", ""])),
        (Method::POST, &test, Value::Null, 200, Some(["webhook.test", "", ""])),
        (Method::POST, &test, Value::Null, 429, None),
        (Method::GET, WEBHOOK, Value::Null, 200, None),
        (Method::DELETE, WEBHOOK, Value::Null, 204, Some(["webhook.remove", "", ""])),
        (Method::DELETE, WEBHOOK, Value::Null, 204, None),
        (Method::PATCH, &key_path, list(&["192.0.2.1"]), 200, Some(["key.set_addresses", "", id])),
        (Method::PATCH, &key_path, list(&["192.0.2.1/32"]), 200, None),
        (Method::PATCH, &key_path, list(&["192.0.2.1/24"]), 400, None),
        (Method::PATCH, &key_path, list(&[]), 200, Some(["key.set_addresses", "", id])),
    ] {
        let (answered, answer) = ask(method.clone(), path, body.clone()).await;
        assert_eq!(answered, status, "{method} {path} {body}: {answer}");
        let expected: Vec<[&str; 4]> =
            event.iter().map(|[action, reason, target]| [BIRCH.id, *action, *reason, *target]).collect();
        assert_eq!(news(&place, &mut seen).await, expected, "{method} {path} {body}");
        changes += expected.len();
    }

    // Whoever reports belongs to no organization; the leak is the key's organization's.
    let reporter = Reporter::stranger();
    let distrust = json!({"action": "distrust_leak_reporter", "key_identifier": reporter.identifier});
    let operate = async |order: &Value| {
        let done = place.devstack.functions.event("operator", order.clone()).await.unwrap();
        assert_eq!(done["success"], true, "{done}");
    };
    let told = |action: &str| vec![["platform", action, "", &reporter.identifier].map(str::to_owned)];
    for expected in [told("operator.trust_leak_reporter"), vec![]] {
        operate(&reporter.order()).await;
        assert_eq!(news(&place, &mut seen).await, expected);
        changes += expected.len();
    }
    place.devstack.clock.advance(Duration::seconds(1));
    let body = json!([found(key)]).to_string();
    for expected in [vec![[BIRCH.id, "key.leaked", "", id].map(str::to_owned)], vec![]] {
        let request = place.request(Method::POST, "/api/v1/secret-scanning/github");
        let request = request.header("content-type", "application/json").body(body.clone());
        let request =
            reporter.headers(&body).into_iter().fold(request, |it, (name, value)| it.header(name, value));
        assert_eq!(place.send(request).await.0, 200);
        assert_eq!(news(&place, &mut seen).await, expected);
        changes += expected.len();
    }
    for expected in [told("operator.distrust_leak_reporter"), vec![]] {
        operate(&distrust).await;
        assert_eq!(news(&place, &mut seen).await, expected);
        changes += expected.len();
    }
    // Each in the transaction of its change: there is no write without one.
    let writes: Vec<_> = place.devstack.requests.take().into_iter().filter(|it| !it.is_read()).collect();
    let told = |body: &Value| body["TransactItems"].to_string().matches(r#""pk":{"S":"AUDIT#"#).count();
    assert!(writes.iter().all(|it| it.body.to_string().contains("AUDIT#")), "{writes:?}");
    let committed = writes.iter().filter(|it| told(&it.body) == 1).count();
    assert!(committed >= changes && changes == 10, "{committed} writes, {changes} changes");
}
