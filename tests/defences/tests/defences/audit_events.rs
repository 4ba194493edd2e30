//! Each change leaves one audit event, in its own transaction; what changes nothing leaves none.

use std::collections::BTreeSet;

use defences::{Place, Session, admin, origin, owner};
use devstack::engines::recorder::{Fault, Recorded};
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use reqwest::Method;
use serde_json::{Value, json};
use shared::audit::Event;
use time::Duration;

use crate::faults::times;

/// The table's events, as they are kept.
async fn events(place: &Place) -> Vec<Value> {
    place.items("AUDIT#", "EVENT#").await
}

/// What has been written down since the last look.
struct Watch(BTreeSet<String>);

impl Watch {
    async fn new(place: &Place) -> Self {
        let mut watch = Self(BTreeSet::new());
        watch.news(place).await;
        watch
    }

    /// Chain, action and reason of each new event.
    async fn news(&mut self, place: &Place) -> Vec<[String; 3]> {
        let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let new: Vec<Value> = events(place)
            .await
            .into_iter()
            .filter(|event| self.0.insert(event["event_id"].as_str().unwrap().to_owned()))
            .collect();
        new.iter().map(|event| ["chain", "action", "reason"].map(|name| text(event, name))).collect()
    }

    async fn expect(&mut self, place: &Place, news: &[[&str; 3]]) {
        assert_eq!(self.news(place).await, news);
    }
}

fn create(place: &Place, by: &Session) -> reqwest::RequestBuilder {
    let body = json!({"key_name": "k", "idempotency_key": "again"});
    place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&by.access_token).json(&body)
}

fn switch(place: &Place, by: &Session, env: &str) -> reqwest::RequestBuilder {
    let path = format!("/api/v1/organizations/{}/environment", BIRCH.id);
    place.request(Method::PUT, &path).bearer_auth(&by.access_token).json(&json!({ "env": env }))
}

fn rename(place: &Place, by: &Session, name: &str) -> reqwest::RequestBuilder {
    let path = format!("/api/v1/organizations/{}", BIRCH.id);
    place.request(Method::PATCH, &path).bearer_auth(&by.access_token).json(&json!({ "name": name }))
}

fn logout(place: &Place, by: &Session) -> reqwest::RequestBuilder {
    place.request(Method::POST, "/api/v1/auth/logout").bearer_auth(&by.access_token)
}

async fn operate(place: &Place, event: Value) -> Value {
    place.devstack.functions.event("operator", event).await.unwrap()
}

#[tokio::test]
async fn what_people_change_is_written_down_once() {
    let place = Place::new().await;
    let mut watch = Watch::new(&place).await;
    let session = place.login(owner()).await;
    watch.expect(&place, &[[BIRCH.id, "verify", ""]]).await;
    place.post("login", json!({"email": owner().email, "password": "wrong"})).await;
    watch.expect(&place, &[]).await;

    let (_, made) = place.send(create(&place, &session)).await;
    watch.expect(&place, &[[BIRCH.id, "key.create", ""]]).await;
    assert_eq!(place.send(create(&place, &session)).await.0, 201);
    watch.expect(&place, &[]).await;
    let path = format!("/api/v1/auth/api-keys/{}", made["data"]["api_key_id"].as_str().unwrap());
    for news in [[[BIRCH.id, "key.revoke", ""]].as_slice(), &[]] {
        let revoke = place.request(Method::DELETE, &path).bearer_auth(&session.access_token);
        assert_eq!(place.send(revoke).await.0, 200);
        watch.expect(&place, news).await;
    }
    for news in [[[BIRCH.id, "organization.switch_environment", ""]].as_slice(), &[]] {
        assert_eq!(place.send(switch(&place, &session, "live")).await.0, 200);
        watch.expect(&place, news).await;
    }
    for news in [[[BIRCH.id, "organization.rename", ""]].as_slice(), &[]] {
        assert_eq!(place.send(rename(&place, &session, "Birch again")).await.0, 200);
        watch.expect(&place, news).await;
    }
    for news in [[[BIRCH.id, "logout", ""]].as_slice(), &[]] {
        assert_eq!(place.send(logout(&place, &session)).await.0, 204);
        watch.expect(&place, news).await;
    }

    let stolen = place.login(admin()).await;
    watch.news(&place).await;
    let refresh = || place.post("refresh", json!({"refresh_token": stolen.refresh_token}));
    assert_eq!(refresh().await.0, 200);
    watch.expect(&place, &[]).await;
    assert_eq!(refresh().await.0, 401);
    watch.expect(&place, &[[BIRCH.id, "refresh", "reuse_session_revoked"]]).await;
    assert_eq!(refresh().await.0, 401);
    watch.expect(&place, &[]).await;
}

#[tokio::test]
async fn a_lockout_is_an_event_of_the_organization_or_of_nobody() {
    let place = Place::new().await;
    let mut watch = Watch::new(&place).await;
    for (email, chain) in [(owner().email, BIRCH.id), ("nobody@nowhere.example", "platform")] {
        for nth in 1..=12 {
            place.post("login", json!({"email": email, "password": "wrong"})).await;
            let news: &[_] = if nth == 10 { &[[chain, "login", "locked"]] } else { &[] };
            watch.expect(&place, news).await;
        }
    }
    place.devstack.clock.advance(Duration::minutes(15));
    place.post("login", json!({"email": owner().email, "password": "wrong"})).await;
    watch.expect(&place, &[]).await;

    let place = Place::new().await;
    let mut watch = Watch::new(&place).await;
    for _ in 0..2 {
        let (id, _) = place.challenge(admin()).await;
        for _ in 0..5 {
            place.post("login/2fa/verify", json!({"challenge_id": id, "code": "wrong"})).await;
        }
    }
    watch.expect(&place, &[[BIRCH.id, "verify", "locked"]]).await;
}

#[tokio::test]
async fn what_the_operator_changes_is_written_down_once() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let (_, made) = place.send(create(&place, &session)).await;
    place.post("login", json!({"email": ACORN.owner.email, "password": "wrong"})).await;
    let mut watch = Watch::new(&place).await;
    let key = &made["data"]["api_key_id"];
    for (event, chain, reason) in [
        (json!({"action": "suspend_organization", "org_id": BIRCH.id}), BIRCH.id, ""),
        (json!({"action": "revoke_key", "org_id": BIRCH.id, "api_key_id": key}), BIRCH.id, ""),
        (json!({"action": "reinstate_organization", "org_id": BIRCH.id}), BIRCH.id, ""),
        (json!({"action": "end_sessions", "email": owner().email}), BIRCH.id, ""),
        (json!({"action": "unlock_account", "email": ACORN.owner.email}), ACORN.id, ""),
        (
            json!({"action": "set_onboarding", "org_id": ACORN.id, "onboarding_status": "COMPLETED", "payments_status": "DISABLED"}),
            ACORN.id,
            "completed_disabled",
        ),
    ] {
        let action = format!("operator.{}", event["action"].as_str().unwrap());
        assert_eq!(operate(&place, event.clone()).await["success"], true, "{event}");
        watch.expect(&place, &[[chain, &action, reason]]).await;
        assert_eq!(operate(&place, event.clone()).await["success"], true, "{event}");
        watch.expect(&place, &[]).await;
    }
    let organization = json!({
        "action": "create_organization", "name": "Cedar", "country": "SE", "owner_email": "owner@cedar.example",
        "owner_full_name": "Cora Cedar", "owner_password": PASSWORD,
    });
    let made = operate(&place, organization.clone()).await;
    let id = made["data"]["id"].as_str().unwrap();
    watch.expect(&place, &[[id, "operator.create_organization", ""]]).await;
    operate(&place, organization).await;
    operate(&place, json!({"action": "name_issuer", "issuer": "https://another.example"})).await;
    watch.expect(&place, &[]).await;
}

/// What a request writes: the partition keys, and whether it is no more than the rotation of a refresh token.
fn written(request: &Recorded) -> (Vec<String>, bool) {
    let parts = request.body["TransactItems"].as_array().cloned().unwrap_or_else(|| {
        vec![json!({"Put": {"Item": request.body["Item"]}}), json!({"Update": request.body.clone()})]
    });
    let pk = |part: &Value, kind: &str, of: &str| part[kind][of]["pk"]["S"].as_str().map(str::to_owned);
    let keys = |part: &Value| {
        let one = pk(part, "Put", "Item").or(pk(part, "Update", "Key")).or(pk(part, "Delete", "Key"));
        one.into_iter()
    };
    let rotates = |part: &Value| {
        part["Update"]["UpdateExpression"].as_str().is_some_and(|it| it.contains("#generation = :next"))
    };
    (parts.iter().flat_map(keys).collect(), parts.iter().any(rotates))
}

#[tokio::test]
async fn no_write_changes_a_credential_a_session_a_member_or_a_setting_without_an_event() {
    const WATCHED: [&str; 6] = ["SESSION#", "ORG#", "EMAIL#", "KEYHASH#", "KEYSET", "IDEMPOTENCY#"];
    let place = Place::new().await;
    place.devstack.requests.take();
    let session = place.login(owner()).await;
    let (_, refreshed) = place.post("refresh", json!({"refresh_token": session.refresh_token})).await;
    let (_, made) = place.send(create(&place, &session)).await;
    place.send(switch(&place, &session, "live")).await;
    place.send(rename(&place, &session, "Birch again")).await;
    place.post("refresh", json!({"refresh_token": session.refresh_token})).await;
    let again = place.login(owner()).await;
    place.send(logout(&place, &again)).await;
    let key = &made["data"]["api_key_id"];
    for event in [
        json!({"action": "suspend_organization", "org_id": BIRCH.id}),
        json!({"action": "revoke_key", "org_id": BIRCH.id, "api_key_id": key}),
        json!({"action": "end_sessions", "email": owner().email}),
        json!({"action": "set_onboarding", "org_id": ACORN.id, "onboarding_status": "COMPLETED", "payments_status": "DISABLED"}),
        json!({
            "action": "create_organization", "name": "Cedar", "country": "SE", "owner_email": "owner@cedar.example",
            "owner_full_name": "Cora Cedar", "owner_password": PASSWORD,
        }),
    ] {
        assert_eq!(operate(&place, event.clone()).await["success"], true, "{event}");
    }
    assert!(refreshed["data"]["refresh_token"].is_string());
    let mut watched = 0;
    for request in place.devstack.requests.take().iter().filter(|it| !it.is_read()) {
        let (keys, rotates) = written(request);
        if rotates || !keys.iter().any(|key| WATCHED.iter().any(|it| key.starts_with(it))) {
            continue;
        }
        watched += 1;
        let told = keys.iter().filter(|key| key.starts_with("AUDIT#")).count();
        assert_eq!(told, 1, "{}: {keys:?}", request.operation);
    }
    assert_eq!(watched, 12, "the reading is broken");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_written_down_once() {
    for lost in [1, usize::MAX] {
        let place = Place::new().await;
        let session = place.login(owner()).await;
        let mut watch = Watch::new(&place).await;
        times(&place, lost, "TransactWriteItems", Fault::AnswerLost);
        let (created, _) = place.send(create(&place, &session)).await;
        let (ended, _) = place.send(logout(&place, &session)).await;
        place.devstack.requests.heal();
        assert_eq!((created, ended), if lost == 1 { (201, 204) } else { (503, 503) });
        let mut news = watch.news(&place).await;
        news.sort();
        assert_eq!(news, [[BIRCH.id, "key.create", ""], [BIRCH.id, "logout", ""]]);
        // The client asks again.
        assert_eq!(place.send(logout(&place, &session)).await.0, 204);
        watch.expect(&place, &[]).await;
    }
}

#[tokio::test]
async fn a_transaction_that_meets_its_own_event_was_committed_before() {
    let place = Place::new().await;
    let session = place.principal(&place.login(owner()).await).await.session_id;
    let app = place.app();
    let event = devstack::event(&app, BIRCH.id);
    let now = app.clock.now_seconds();
    assert!(app.store.revoke_session(&session, &event, now).await.unwrap());
    // Sent again so late that DynamoDB has forgotten the operation.
    let late = Event { operation_id: "forgotten".to_owned(), ..event };
    assert!(app.store.revoke_session(&session, &late, now).await.unwrap(), "it is ours");
    let other = devstack::event(&app, BIRCH.id);
    assert!(!app.store.revoke_session(&session, &other, now).await.unwrap());
}

#[tokio::test]
async fn an_event_says_who_what_whence_and_no_more() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let user = place.principal(&session).await;
    shared::flows::logout(&place.app(), &origin(), &user).await.unwrap();
    let all = events(&place).await;
    let event = all.iter().find(|event| event["action"] == "logout").unwrap();
    let expected = json!({
        "pk": format!("AUDIT#{}", BIRCH.id),
        "sk": format!("EVENT#{}", event["event_id"].as_str().unwrap()),
        "v": 1,
        "event_id": event["event_id"],
        "chain": BIRCH.id,
        "action": "logout",
        "actor": owner().user_id,
        "target": user.session_id,
        "network": "127.0.0.0/24",
        "request_id": "test",
        "at": place.app().clock.now_seconds(),
        "operation_id": event["operation_id"],
    });
    assert_eq!(*event, expected);
    let everything = Value::from(all).to_string();
    for secret in [owner().email, owner().full_name, &session.refresh_token, &session.access_token] {
        assert!(!everything.contains(secret), "{secret}");
    }
}
