//! Audit chains: what was done to one behind its function's back is found, and named.

use defences::{Place, owner};
use devstack::engines::recorder::Recorded;
use devstack::seed::BIRCH;
use serde_json::{Value, json};
use shared::audit::{Chain, Event};
use shared::ids::EventId;
use shared::links::{Head, Link, Seen};
use shared::users::Role;
use time::Duration;

/// A place whose organization has a few events in its chain: those of its three people, and of some logins.
pub async fn grown() -> Place {
    let place = Place::new().await;
    for _ in 0..3 {
        place.login(owner()).await;
    }
    place.devstack.chain().await.unwrap();
    place
}

/// All pages of a verification, put together: links, events in no link, and findings as `kind number`.
pub async fn verified(place: &Place) -> (u64, Vec<String>, Vec<String>) {
    let (mut links, mut unchained, mut findings) = (0, Vec::new(), Vec::new());
    let mut cursor = Value::Null;
    loop {
        let asked = json!({"verify": {"chain": BIRCH.id, "cursor": cursor}});
        let answer = place.devstack.functions.event("audit_chain", asked).await.unwrap();
        assert_eq!(answer["success"], true, "{answer}");
        let page = &answer["data"];
        links += page["links"].as_u64().unwrap();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        unchained.extend(page["unchained"].as_array().unwrap().iter().map(text));
        let said = |it: &Value| format!("{} {}", it["kind"].as_str().unwrap(), it["number"]);
        findings.extend(page["findings"].as_array().unwrap().iter().map(said));
        cursor = page["next"].clone();
        if cursor.is_null() {
            return (links, unchained, findings);
        }
    }
}

/// The findings, when the whole chain is there to be looked at.
async fn findings(place: &Place) -> Vec<String> {
    verified(place).await.2
}

async fn engine(place: &Place, operation: &str, input: Value) -> Value {
    place.devstack.dynamodb.ask(&format!("DynamoDB_20120810.{operation}"), &input).await.unwrap()
}

fn key(pk: &str, sk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}

fn link_key(number: i64) -> Value {
    key(&format!("CHAIN#{}", BIRCH.id), &format!("LINK#{number:012}"))
}

async fn get(place: &Place, key: &Value) -> Value {
    let input = json!({"TableName": place.devstack.dynamodb.table, "Key": key});
    engine(place, "GetItem", input).await["Item"].clone()
}

async fn put(place: &Place, item: &Value) {
    engine(place, "PutItem", json!({"TableName": place.devstack.dynamodb.table, "Item": item})).await;
}

async fn delete(place: &Place, key: &Value) {
    engine(place, "DeleteItem", json!({"TableName": place.devstack.dynamodb.table, "Key": key})).await;
}

/// The event of a link.
async fn event_of(place: &Place, number: i64) -> Value {
    let link = get(place, &link_key(number)).await;
    let id = link["event_id"]["S"].as_str().unwrap();
    get(place, &key(&format!("AUDIT#{}", BIRCH.id), &format!("EVENT#{id}"))).await
}

/// Takes an event away, with its link and its mark.
async fn erase(place: &Place, number: i64) {
    let event = event_of(place, number).await;
    let id = event["event_id"]["S"].as_str().unwrap();
    delete(place, &key(event["pk"]["S"].as_str().unwrap(), event["sk"]["S"].as_str().unwrap())).await;
    delete(place, &key(&format!("CHAIN#{}", BIRCH.id), &format!("MARK#{id}"))).await;
    delete(place, &link_key(number)).await;
}

/// One more event of the organization, by a write of ours.
pub async fn one_more(place: &Place) -> String {
    let app = place.app();
    let event = devstack::event(&app, BIRCH.id);
    let (org, user) =
        (BIRCH.id.to_owned().try_into().unwrap(), BIRCH.viewer.user_id.to_owned().try_into().unwrap());
    let (_, role) = app.store.organization_and_role(&org, &user).await.unwrap();
    let role = if role == Some(Role::Viewer) { Role::Admin } else { Role::Viewer };
    assert!(app.store.set_role(&org, &user, role, &event).await.unwrap());
    event.event_id.to_string()
}

/// Puts an event into the table as somebody would who can write it.
async fn slip_in(place: &Place, event: &Event) {
    put(
        place,
        &json!({
            "pk": {"S": format!("AUDIT#{}", event.chain)},
            "sk": {"S": format!("EVENT#{}", event.event_id)},
            "v": {"N": "1"},
            "event_id": {"S": event.event_id},
            "chain": {"S": event.chain},
            "action": {"S": "logout"},
            "at": {"N": event.at.to_string()},
            "operation_id": {"S": "made up"},
        }),
    )
    .await;
}

#[tokio::test]
async fn a_whole_chain_is_found_whole_and_what_is_not_in_it_yet_is_named() {
    let place = grown().await;
    assert_eq!(verified(&place).await, (6, vec![], vec![]));
    let new = one_more(&place).await;
    assert_eq!(verified(&place).await, (6, vec![new], vec![]));
    place.devstack.chain().await.unwrap();
    assert_eq!(verified(&place).await, (7, vec![], vec![]));
    let asked = json!({"verify": {"chain": BIRCH.id}});
    let answer = place.devstack.functions.event("audit_chain", asked).await.unwrap();
    assert_eq!((&answer["data"]["last"], &answer["data"]["checkpoint"]["number"]), (&json!(7), &json!(7)));
}

#[tokio::test]
async fn a_long_chain_is_verified_page_by_page() {
    let place = grown().await;
    for _ in 0..120 {
        one_more(&place).await;
    }
    place.devstack.chain().await.unwrap();
    assert_eq!(verified(&place).await, (126, vec![], vec![]));
    erase(&place, 60).await;
    assert_eq!(findings(&place).await, ["deleted 60"]);
}

#[tokio::test]
async fn an_edited_event_is_found() {
    let place = grown().await;
    let mut event = event_of(&place, 5).await;
    event["actor"]["S"] = json!("somebody else");
    put(&place, &event).await;
    assert_eq!(findings(&place).await, ["edited 5"]);
    let mut event = event_of(&place, 4).await;
    event["more"] = json!({"S": "an attribute that was not there"});
    put(&place, &event).await;
    assert_eq!(findings(&place).await, ["edited 4", "edited 5"]);
}

#[tokio::test]
async fn a_deleted_event_is_found_and_so_is_a_deleted_link() {
    let place = grown().await;
    let event = event_of(&place, 4).await;
    delete(&place, &key(event["pk"]["S"].as_str().unwrap(), event["sk"]["S"].as_str().unwrap())).await;
    assert_eq!(findings(&place).await, ["deleted 4"]);
    delete(&place, &link_key(2)).await;
    // Once as a gap in the links, once from the event that has lost its link.
    assert_eq!(findings(&place).await, ["deleted 2", "deleted 4", "deleted 2"]);
}

#[tokio::test]
async fn reordered_events_are_found() {
    // Links change places, whole.
    let place = grown().await;
    let (mut one, mut other) = (get(&place, &link_key(4)).await, get(&place, &link_key(5)).await);
    std::mem::swap(&mut one["sk"], &mut other["sk"]);
    put(&place, &one).await;
    put(&place, &other).await;
    let found = findings(&place).await;
    assert_eq!(found.iter().filter(|it| it.starts_with("reordered")).count(), 2, "{found:?}");

    // Events change places, in links that stay.
    let place = grown().await;
    let (mut one, mut other) = (get(&place, &link_key(4)).await, get(&place, &link_key(5)).await);
    for name in ["event_id", "event_digest", "seen_at"] {
        let (left, right) = (one[name].clone(), other[name].clone());
        (one[name], other[name]) = (right, left);
    }
    put(&place, &one).await;
    put(&place, &other).await;
    let found = findings(&place).await;
    assert_eq!(found[..2], ["reordered 4", "reordered 5"], "{found:?}");
}

#[tokio::test]
async fn a_forged_event_is_found() {
    // With a link of its own, made with another key.
    let place = grown().await;
    let app = place.app();
    let event = devstack::event(&app, BIRCH.id);
    slip_in(&place, &event).await;
    let last = get(&place, &link_key(6)).await;
    let head = Head { number: 6, mac: last["mac"]["S"].as_str().unwrap().to_owned() };
    let event_digest = last["event_digest"]["S"].as_str().unwrap().to_owned();
    let seen = Seen { event_id: event.event_id.clone(), event_digest, seen_at: event.at };
    let link = Link::behind(&head, &Chain::parse(BIRCH.id).unwrap(), &seen, b"another key altogether");
    assert!(app.store.append_links(&event.chain, &[link]).await.unwrap());
    assert_eq!(findings(&place).await, ["forged 7"]);

    // Put into the past, and chained like any other.
    let place = grown().await;
    let app = place.app();
    let event = devstack::event(&app, BIRCH.id);
    place.devstack.clock.advance(Duration::hours(1));
    slip_in(&place, &event).await;
    place.devstack.chain().await.unwrap();
    assert_eq!(findings(&place).await, ["forged 7"]);
    // What is of today passes: see the decision.
    let honest = devstack::event(&app, BIRCH.id);
    slip_in(&place, &honest).await;
    place.devstack.chain().await.unwrap();
    assert_eq!(findings(&place).await, ["forged 7"]);
}

#[tokio::test]
async fn an_event_that_never_came_by_the_stream_is_found() {
    let place = grown().await;
    let event = devstack::event(&place.app(), BIRCH.id);
    slip_in(&place, &event).await;
    put(&place, &key(&format!("AUDIT#{}", BIRCH.id), "EVENT#no id")).await;
    place.devstack.stream.take().await.unwrap();
    assert_eq!(verified(&place).await, (6, vec![event.event_id.to_string()], vec!["forged null".to_owned()]));
    place.devstack.clock.advance(Duration::hours(25));
    assert_eq!(verified(&place).await, (6, vec![], vec!["forged null".to_owned(); 2]));
}

#[tokio::test]
async fn a_chain_that_was_cut_behind_a_checkpoint_is_found() {
    let place = grown().await;
    erase(&place, 6).await;
    erase(&place, 5).await;
    assert_eq!(findings(&place).await, ["truncated 6"]);
    // It goes on as if nothing had happened, and longer than it was.
    for _ in 0..3 {
        one_more(&place).await;
        place.devstack.chain().await.unwrap();
    }
    let odd = place.devstack.logs.lines().into_iter().filter(|line| line["reason"] == "another_checkpoint");
    assert_eq!(odd.count(), 1, "of number 6: number 5 had none");
    assert_eq!(findings(&place).await, ["truncated 6"]);
}

#[tokio::test]
async fn a_mark_that_keeps_an_event_out_of_its_chain_is_found() {
    let place = grown().await;
    let id = one_more(&place).await;
    let mut mark = key(&format!("CHAIN#{}", BIRCH.id), &format!("MARK#{id}"));
    (mark["number"], mark["v"]) = (json!({"N": "3"}), json!({"N": "1"}));
    put(&place, &mark).await;
    place.devstack.chain().await.unwrap();
    assert_eq!(verified(&place).await, (6, vec![], vec!["forged 3".to_owned()]));
}

#[tokio::test]
async fn a_link_of_another_organization_is_none_of_ours() {
    let place = grown().await;
    let elsewhere = key(&format!("CHAIN#{}", devstack::seed::ACORN.id), &format!("LINK#{:012}", 1));
    let mut link = get(&place, &elsewhere).await;
    (link["pk"], link["sk"]) = (link_key(1)["pk"].clone(), link_key(1)["sk"].clone());
    put(&place, &link).await;
    let found = findings(&place).await;
    assert!(found.contains(&"forged 1".to_owned()), "{found:?}");
}

#[tokio::test]
async fn verifying_writes_nothing_and_reads_consistently() {
    let place = grown().await;
    place.devstack.chain_requests.take();
    verified(&place).await;
    let requests: Vec<Recorded> = place.devstack.chain_requests.take();
    assert!(requests.iter().all(|it| it.is_read() && it.is_consistent()), "{requests:?}");
    assert_eq!(
        requests.len(),
        7,
        "latest checkpoint, links, their events, their checkpoints; events, marks, links"
    );
}

#[tokio::test]
async fn what_is_no_request_is_said_to_be_none() {
    let place = Place::new().await;
    for asked in [json!({}), json!({"chain": "org_1"}), json!({"chain": "platform", "cursor": "links:-1"})] {
        let answer = place.devstack.functions.event("audit_chain", json!({ "verify": asked })).await.unwrap();
        assert_eq!(answer["error"]["code"], "validation_failed", "{answer}");
    }
    assert!(place.devstack.functions.event("audit_chain", json!({"drop": "table"})).await.is_err());
    assert!(EventId::parse("evt_1").is_err());
}
