//! Outages in the middle of a call: what was not answered must not have happened, or the client's next try is taken for something else.

use defences::{Place, owner, session};
use devstack::engines::recorder::{Fault, Recorded};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::faults::{cancelled, times};

fn asks_for(request: &Recorded, pk: &str) -> bool {
    request.operation == "GetItem" && request.body["Key"]["pk"]["S"] == pk
}

/// From now on the key set is too old and cannot be read; sessions and challenges can.
fn lose_the_key_set(place: &Place) {
    place.devstack.clock.advance(Duration::seconds(60));
    place.devstack.requests.inject(|request| asks_for(request, "KEYSET").then_some(Fault::NotSent));
}

async fn refresh(place: &Place, token: &str) -> (u16, Value) {
    place.post("refresh", json!({"refresh_token": token})).await
}

async fn log_out(place: &Place, access_token: &str) -> u16 {
    let request = place.request(Method::POST, "/api/v1/auth/logout").bearer_auth(access_token);
    place.send(request).await.0
}

#[tokio::test]
async fn a_refresh_that_cannot_be_answered_rotates_nothing() {
    let place = Place::new().await;
    let first = place.login(owner()).await;
    lose_the_key_set(&place);
    assert_eq!(refresh(&place, &first.refresh_token).await.0, 503);
    assert_eq!(place.items("SESSION#", "").await[0]["generation"], 0);
    place.devstack.requests.heal();
    assert_eq!(refresh(&place, &first.refresh_token).await.0, 200, "the retry is no theft");
}

#[tokio::test]
async fn a_code_that_cannot_be_answered_is_neither_counted_nor_used_up() {
    let place = Place::new().await;
    place.login(owner()).await;
    // Long enough ago that what was kept of the secrets is too old.
    place.devstack.clock.advance(Duration::hours(1));
    let (challenge_id, code) = place.challenge(owner()).await;
    let body = json!({"challenge_id": challenge_id, "code": code});
    let signing_is_away = |request: &Recorded| {
        let signing = request.body["SecretId"].as_str().is_some_and(|id| id.contains("signing"));
        (request.operation == "GetSecretValue" && signing).then_some(Fault::NotSent)
    };
    place.devstack.requests.inject_elsewhere(signing_is_away);
    assert_eq!(place.post("login/2fa/verify", body.clone()).await.0, 503);
    place.devstack.requests.heal();
    lose_the_key_set(&place);
    assert_eq!(place.post("login/2fa/verify", body.clone()).await.0, 503);
    assert_eq!(place.items(&format!("CHALLENGE#{challenge_id}"), "").await[0]["attempts"], 0);
    assert!(place.items("GUARD#", "CODES").await.is_empty());
    place.devstack.requests.heal();
    assert_eq!(place.post("login/2fa/verify", body).await.0, 200);
}

/// Of the writes that end a session: it, and the event.
fn session_is_held() -> Fault {
    cancelled(&["TransactionConflict", "None"])
}

#[tokio::test]
async fn a_session_is_ended_beside_a_transaction_that_holds_it() {
    let place = Place::new().await;
    let first_session = place.login(owner()).await;
    times(&place, 3, "TransactWriteItems", session_is_held());
    assert_eq!(log_out(&place, &first_session.access_token).await, 204);
    assert!(place.items("SESSION#", "").await[0]["revoked_at"].is_number());

    let place = Place::new().await;
    let stolen = place.login(owner()).await.refresh_token;
    let (_, body) = refresh(&place, &stolen).await;
    times(&place, 3, "TransactWriteItems", session_is_held());
    assert_eq!(refresh(&place, &stolen).await.0, 401);
    place.devstack.requests.heal();
    assert_eq!(refresh(&place, &session(&body).refresh_token).await.0, 401, "theft ends the session");
}

#[tokio::test]
async fn a_session_that_cannot_be_ended_is_not_said_to_be() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    times(&place, usize::MAX, "TransactWriteItems", session_is_held());
    assert_eq!(log_out(&place, &session.access_token).await, 503);
}

/// A creation's writes: session, organization, member, marker, rate, record, credential.
fn marker_is_taken_and_the_session_busy() -> Fault {
    cancelled(&["TransactionConflict", "None", "None", "ConditionalCheckFailed", "None", "None", "None"])
}

#[tokio::test]
async fn a_refusal_beside_a_conflict_is_not_believed_before_the_whole_is_judged() {
    let place = Place::new().await;
    let by = place.login(owner()).await;
    let create = || {
        let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&by.access_token);
        place.send(request.json(&json!({"key_name": "k"})))
    };
    times(&place, usize::MAX, "TransactWriteItems", marker_is_taken_and_the_session_busy());
    assert_eq!(create().await.0, 503, "nobody knows yet whether the session lives");
    times(&place, 2, "TransactWriteItems", marker_is_taken_and_the_session_busy());
    assert_eq!(create().await.0, 201);
}

#[tokio::test]
async fn what_a_batch_did_not_read_is_read_again() {
    let place = Place::new().await;
    let by = place.login(owner()).await;
    place.devstack.requests.take();
    let half = |request: &Recorded| {
        let (table, wanted) = request.body["RequestItems"].as_object()?.iter().next()?;
        let keys = wanted["Keys"].as_array()?;
        let left = json!({table: {"Keys": [keys.last()?], "ConsistentRead": true}});
        let answered = json!({table: []});
        (keys.len() > 1).then(|| Fault::Answer(200, json!({"Responses": answered, "UnprocessedKeys": left})))
    };
    place.devstack.requests.inject(half);
    // The membership alone is read the second time; session and organization were said not to be there.
    let path = format!("/api/v1/organizations/{}/environment", devstack::seed::BIRCH.id);
    let request = place.request(Method::PUT, &path).bearer_auth(&by.access_token);
    assert_eq!(place.send(request.json(&json!({"env": "live"}))).await.0, 401);
    let reads: Vec<Recorded> =
        place.devstack.requests.take().into_iter().filter(|it| it.operation == "BatchGetItem").collect();
    assert_eq!(reads.iter().map(Recorded::items).collect::<Vec<_>>(), [3, 1]);
    assert!(reads.iter().all(Recorded::is_consistent));
}
