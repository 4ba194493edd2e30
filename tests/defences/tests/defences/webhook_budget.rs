//! What webhooks cost the table, and what they add to what was there.

use defences::{Place, owner};
use devstack::engines::recorder::Recorded;
use devstack::seed::BIRCH;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

/// Reads, writes, and the items both name; every read is consistent.
fn cost(requests: Vec<Recorded>) -> (usize, usize, usize) {
    for request in requests.iter().filter(|request| request.is_read()) {
        assert!(request.is_consistent(), "{} is not consistent: {}", request.operation, request.body);
    }
    let reads = requests.iter().filter(|request| request.is_read()).count();
    (reads, requests.len() - reads, requests.iter().map(Recorded::items).sum())
}

/// The item that every change writes besides.
const EVENT: usize = 1;

#[tokio::test]
async fn each_route_costs_one_read_and_a_change_one_transaction_more() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let ask = async |method: Method, part: &str, body: Value| {
        place.devstack.requests.take();
        let path = format!("/api/v1/organizations/{}/webhook{part}", BIRCH.id);
        let request = place.request(method, &path).bearer_auth(&session.access_token);
        let request = if body.is_null() { request } else { request.json(&body) };
        (place.send(request).await.0, cost(place.devstack.requests.take()))
    };
    let url = json!({"url": "https://hooks.birch.example/hook"});
    let changed = (1, 1, 4 + 4 + EVENT);
    assert_eq!(ask(Method::PUT, "", url.clone()).await, (201, changed));
    assert_eq!(ask(Method::PUT, "", url).await, (200, changed));
    assert_eq!(ask(Method::POST, "/secret", Value::Null).await, (200, changed));
    assert_eq!(ask(Method::POST, "/test", Value::Null).await, (200, changed));
    assert_eq!(ask(Method::POST, "/test", Value::Null).await, (429, (1, 0, 4)));
    assert_eq!(ask(Method::GET, "", Value::Null).await, (200, (1, 0, 4)));
    assert_eq!(ask(Method::DELETE, "", Value::Null).await, (204, changed));
    assert_eq!(
        ask(Method::DELETE, "", Value::Null).await,
        (204, (1, 0, 4)),
        "what is gone is not deleted again"
    );
}

#[tokio::test]
async fn a_key_that_expires_costs_an_item_more_and_no_call() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let mut costs = Vec::new();
    for body in [json!({"key_name": "k"}), json!({"key_name": "k", "expires_in_days": 30})] {
        // The authorizer looks into the key set once a minute: here, and not below.
        let list = place.request(Method::GET, "/api/v1/auth/api-keys").bearer_auth(&session.access_token);
        assert_eq!(place.send(list).await.0, 200);
        place.devstack.requests.take();
        let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&session.access_token);
        let (status, made) = place.send(request.json(&body)).await;
        assert_eq!(status, 201, "{made}");
        costs.push(cost(place.devstack.requests.take()));
        let path = format!("/api/v1/auth/api-keys/{}", made["data"]["api_key_id"].as_str().unwrap());
        place.send(place.request(Method::DELETE, &path).bearer_auth(&session.access_token)).await;
        place.devstack.clock.advance(Duration::seconds(61));
    }
    assert_eq!((costs[1].0, costs[1].1, costs[1].2), (costs[0].0, costs[0].1, costs[0].2 + 1));
}

#[tokio::test]
async fn telling_costs_two_reads_a_batch_and_one_a_try() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let receiver = e2e::Receiver::start().await;
    let path = format!("/api/v1/organizations/{}/webhook", BIRCH.id);
    let put = place.request(Method::PUT, &path).bearer_auth(&session.access_token);
    assert_eq!(place.send(put.json(&json!({ "url": receiver.url }))).await.0, 201);
    place.devstack.tell().await.unwrap();
    let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&session.access_token);
    assert_eq!(place.send(request.json(&json!({"key_name": "k"}))).await.0, 201);
    place.devstack.chain_requests.take();
    place.devstack.tell().await.unwrap();
    // The webhook and the key's record; then the webhook, for the try.
    assert_eq!(cost(place.devstack.chain_requests.take()), (3, 0, 3));
    assert_eq!(receiver.take().len(), 1);

    // A run of the schedule with nothing due: a query a day, and no write.
    place.devstack.functions.event("key_expiry", json!({})).await.unwrap();
    assert_eq!(cost(place.devstack.chain_requests.take()), (31, 0, 31));
}
