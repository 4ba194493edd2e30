//! What is lost on the way: answers that never came, a table that is busy, a table that is away.

use defences::{Place, Session, owner, session};
use devstack::engines::recorder::Fault;
use reqwest::Method;
use serde_json::{Value, json};

use crate::faults::{cancelled, refused, times};

async fn refresh(place: &Place, from: &Session) -> (u16, Value) {
    place.post("refresh", json!({"refresh_token": from.refresh_token})).await
}

async fn create(place: &Place, by: &Session) -> (u16, Value) {
    let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&by.access_token);
    place.send(request.json(&json!({"key_name": "k"}))).await
}

#[tokio::test]
async fn a_refresh_whose_first_answer_is_lost_rotates_once() {
    let place = Place::new().await;
    let first = place.login(owner()).await;
    times(&place, 1, "TransactWriteItems", Fault::AnswerLost);
    let (status, body) = refresh(&place, &first).await;
    assert_eq!(status, 200, "{body}");
    place.devstack.requests.heal();
    assert_eq!(place.items("SESSION#", "").await[0]["generation"], 1);
    assert_eq!(refresh(&place, &session(&body)).await.0, 200);
}

#[tokio::test]
async fn a_creation_whose_first_answer_is_lost_makes_one_key_that_its_maker_has() {
    let place = Place::new().await;
    let by = place.login(owner()).await;
    times(&place, 1, "TransactWriteItems", Fault::AnswerLost);
    let (status, body) = create(&place, &by).await;
    assert_eq!(status, 201, "{body}");
    let key = body["data"]["key"].as_str().unwrap();
    let (status, _) =
        place.send(place.request(Method::GET, "/api/v1/organizations/me").bearer_auth(key)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_conflict_with_another_transaction_is_tried_again_under_the_same_token() {
    let place = Place::new().await;
    let first = place.login(owner()).await;
    place.devstack.requests.take();
    times(&place, 1, "TransactWriteItems", cancelled(&["TransactionConflict", "None", "None"]));
    assert_eq!(refresh(&place, &first).await.0, 200);
    let tokens: Vec<Value> = place
        .devstack
        .requests
        .take()
        .into_iter()
        .filter(|request| request.operation == "TransactWriteItems")
        .map(|request| request.body["ClientRequestToken"].clone())
        .collect();
    assert_eq!(tokens.len(), 2);
    assert!(tokens[0].is_string() && tokens[0] == tokens[1], "{tokens:?}");
}

#[tokio::test]
async fn a_table_that_stays_busy_is_a_503_that_says_when_to_come_back() {
    let place = Place::new().await;
    let by = place.login(owner()).await;
    for fault in [
        refused("ProvisionedThroughputExceededException"),
        cancelled(&["TransactionConflict", "None", "None"]),
        Fault::NotSent,
    ] {
        let met = fault.clone();
        place.devstack.requests.inject(move |_| Some(met.clone()));
        for (path, body) in [
            ("refresh", json!({"refresh_token": by.refresh_token})),
            ("login", json!({"email": owner().email, "password": devstack::seed::PASSWORD})),
        ] {
            let response = place
                .request(Method::POST, &format!("/api/v1/auth/{path}"))
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status().as_u16(), 503, "{path} {fault:?}");
            assert!(response.headers().contains_key("retry-after"));
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["error"]["code"], "service_unavailable");
        }
        // Neither allowed nor told that it is wrong: a client that hears 401 throws its key away.
        let key = shared::api_keys::PlainKey::generate(shared::api_keys::Env::Live, &shared::rng::SystemRng);
        let (status, _) = place
            .send(place.request(Method::GET, "/api/v1/organizations/me").bearer_auth(key.expose()))
            .await;
        assert_eq!(status, 503, "{fault:?}");
    }
    place.devstack.requests.heal();
    assert_eq!(refresh(&place, &by).await.0, 200, "the session survived");
}

#[tokio::test]
async fn a_black_hole_is_a_503_within_three_seconds() {
    let place = Place::new().await;
    let by = place.login(owner()).await;
    place.devstack.requests.inject(|_| Some(Fault::Silence));
    let answer = tokio::time::timeout(std::time::Duration::from_secs(3), refresh(&place, &by)).await;
    assert_eq!(answer.expect("an answer within three seconds").0, 503);
}
