//! Each change of an organization's people leaves one audit event, in its own transaction; what changes nothing leaves none. See `audit_events`.

use std::collections::BTreeSet;

use defences::{Place, Session, owner};
use devstack::engines::recorder::Fault;
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::faults::times;

/// Chain, action, reason and target of each event that is not in `seen`.
pub async fn news(place: &Place, seen: &mut BTreeSet<String>) -> Vec<[String; 4]> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let all = place.items("AUDIT#", "EVENT#").await;
    let new = all.iter().filter(|event| seen.insert(text(event, "event_id")));
    new.map(|event| ["chain", "action", "reason", "target"].map(|name| text(event, name))).collect()
}

async fn change(place: &Place, by: &Session, method: Method, path: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/v1/organizations/{}{path}", BIRCH.id);
    let request = place.request(method, &path).bearer_auth(&by.access_token);
    let request = if body.is_null() { request } else { request.json(&body) };
    place.send(request).await
}

#[tokio::test]
async fn what_becomes_of_people_is_written_down_once() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let mut seen = BTreeSet::new();
    news(&place, &mut seen).await;
    let viewer = BIRCH.viewer.user_id;
    let member = format!("/members/{viewer}");
    for expected in [vec![[BIRCH.id, "member.change_role", "developer", viewer]], vec![]] {
        let role = json!({"role": "developer"});
        assert_eq!(change(&place, &session, Method::PATCH, &member, role).await.0, 200);
        assert_eq!(news(&place, &mut seen).await, expected);
    }
    let invited = json!({"email": ACORN.viewer.email, "role": "viewer"});
    let (_, body) = change(&place, &session, Method::POST, "/invitations", invited.clone()).await;
    let id = body["data"]["invitation_id"].as_str().unwrap().to_owned();
    assert_eq!(news(&place, &mut seen).await, [[BIRCH.id, "member.invite", "viewer", &id]]);
    let path = format!("/invitations/{id}");
    assert_eq!(change(&place, &session, Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(news(&place, &mut seen).await, [[BIRCH.id, "member.withdraw_invitation", "", &id]]);
    let (_, body) = change(&place, &session, Method::POST, "/invitations", invited).await;
    let id = body["data"]["invitation_id"].as_str().unwrap().to_owned();
    news(&place, &mut seen).await;
    let mails = place.devstack.mailbox.newest_first(Some(ACORN.viewer.email));
    let token = mails[0].text.split_whitespace().find(|word| word.starts_with("it_")).unwrap();
    for expected in [vec![[BIRCH.id, "member.accept_invitation", "viewer", &id]], vec![]] {
        place.post("invitations/accept", json!({ "token": token })).await;
        assert_eq!(news(&place, &mut seen).await, expected);
    }
    for expected in [vec![[BIRCH.id, "member.remove", "", viewer]], vec![]] {
        change(&place, &session, Method::DELETE, &member, Value::Null).await;
        assert_eq!(news(&place, &mut seen).await, expected);
    }
    let admin = BIRCH.admin.user_id;
    let over = json!({"user_id": admin, "password": PASSWORD});
    assert_eq!(change(&place, &session, Method::POST, "/owner", over).await.0, 200);
    assert_eq!(news(&place, &mut seen).await, [[BIRCH.id, "organization.hand_over", "", admin]]);
    let own = format!("/members/{}", owner().user_id);
    assert_eq!(change(&place, &session, Method::DELETE, &own, Value::Null).await.0, 204);
    assert_eq!(news(&place, &mut seen).await, [[BIRCH.id, "member.leave", "", owner().user_id]]);
}

#[tokio::test]
async fn a_change_of_people_whose_answer_is_lost_is_written_down_once() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let mut seen = BTreeSet::new();
    news(&place, &mut seen).await;
    let member = format!("/members/{}", BIRCH.viewer.user_id);
    times(&place, 1, "TransactWriteItems", Fault::AnswerLost);
    assert_eq!(change(&place, &session, Method::DELETE, &member, Value::Null).await.0, 204);
    place.devstack.requests.heal();
    assert_eq!(news(&place, &mut seen).await.len(), 1);
}
