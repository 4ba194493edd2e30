//! What a name and a trail cost the table.

use defences::{Place, Session, owner};
use devstack::seed::BIRCH;
use reqwest::Method;
use serde_json::{Value, json};

use crate::budget::{EVENT, cost, costs};

async fn rename(place: &Place, by: &Session, name: &str) -> u16 {
    let path = format!("/api/v1/organizations/{}", BIRCH.id);
    let request = place.request(Method::PATCH, &path).bearer_auth(&by.access_token);
    place.send(request.json(&json!({ "name": name }))).await.0
}

async fn audit(place: &Place, by: &Session, query: &str) -> Value {
    let path = format!("/api/v1/organizations/{}/audit{query}", BIRCH.id);
    let (status, body) = place.send(place.request(Method::GET, &path).bearer_auth(&by.access_token)).await;
    assert_eq!(status, 200, "{body}");
    body["data"].clone()
}

#[tokio::test]
async fn a_name_costs_one_read_and_one_transaction() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    cost(&place);
    assert_eq!(rename(&place, &session, "n").await, 200);
    assert_eq!(cost(&place), costs(1, 1, 3 + 3 + EVENT));
    assert_eq!(rename(&place, &session, "n").await, 200);
    assert_eq!(cost(&place), costs(1, 0, 3), "the name it has writes nothing");
}

#[tokio::test]
async fn a_page_of_the_trail_costs_who_one_is_and_one_query_a_hundred_events() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    cost(&place);
    audit(&place, &session, "").await;
    assert_eq!(cost(&place), costs(2, 0, 3 + 1));
    audit(&place, &session, "?action=verify&limit=1").await;
    assert_eq!(cost(&place), costs(2, 0, 3 + 1));
    for nth in 0..101 {
        assert_eq!(rename(&place, &session, &format!("n{nth}")).await, 200);
    }
    cost(&place);
    let page = audit(&place, &session, "?action=verify").await;
    assert_eq!(page["events"].as_array().unwrap().len(), 1, "found among a hundred others");
    assert_eq!(cost(&place), costs(3, 0, 3 + 2));
}
