//! A life in which everything is written that there is to write.

use defences::{Place, Session, admin, origin, owner};
use devstack::engines::log_group;
use devstack::seed::{ACORN, BIRCH};
use e2e::reporter::{Reporter, found};
use reqwest::Method;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::clock::rfc3339;
use shared::expiries::Expiry;
use shared::flows::operator;
use shared::ids::OrgId;
use shared::organizations::{OnboardingStatus, PaymentsStatus};
use time::Duration;

use super::shapes_items::engine;
use super::shapes_people;

/// Goes through everything that writes an item or an attribute.
pub async fn life(place: &Place) {
    let app = place.app();
    let session = place.login(owner()).await;
    let principal = place.principal(&session).await;
    let (status, body) = place.post("refresh", json!({"refresh_token": session.refresh_token})).await;
    assert_eq!(status, 200, "{body}");
    let create = |name: &'static str| {
        let body = json!({
            "key_name": name, "expires_in_days": 30, "idempotency_key": name, "allowed_addresses": ["192.0.2.0/24"],
        });
        place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&session.access_token).json(&body)
    };
    let (_, first) = place.send(create("first")).await;
    is_used_and_leaks(place, &first["data"]).await;
    place.devstack.clock.advance(Duration::seconds(61));

    webhook(place, &session).await;
    let ended = place.login(admin()).await;
    let logout = place.request(Method::POST, "/api/v1/auth/logout").bearer_auth(&ended.access_token);
    assert_eq!(place.send(logout).await.0, 204);
    let (open, _) = place.challenge(admin()).await;
    place.devstack.clock.advance(Duration::seconds(60));
    assert_eq!(place.post("login/2fa/resend", json!({"challenge_id": open})).await.0, 200);
    assert_eq!(place.post("login/2fa/verify", json!({"challenge_id": open, "code": "wrong"})).await.0, 401);
    let wrong = json!({"email": ACORN.viewer.email, "password": "wrong-password"});
    assert_eq!(place.post("login", wrong).await.0, 401);

    super::accounts::strangers(place).await;
    shapes_people::life(place, &session).await;
    let person = place.login(&BIRCH.viewer).await;
    place.turn_totp_on(&person).await;
    place.begin_totp(&session).await;

    let now = app.clock.now_seconds();
    let acorn = OrgId::parse(ACORN.id).unwrap();
    let viewer = EmailAddress::parse(ACORN.viewer.email).unwrap();
    operator::end_sessions(&app, &origin(), &viewer).await.unwrap();
    let (half, none) = (OnboardingStatus::InProgress, PaymentsStatus::Enabled);
    operator::set_onboarding(&app, &origin(), &acorn, half, none).await.unwrap();
    app.store.set_suspended(&acorn, true, &|| devstack::event(&app, ACORN.id), now).await.unwrap();
    assert_eq!(place.send(create("second")).await.0, 201);
    assert_eq!(principal.org_id.as_str(), BIRCH.id);
    place.devstack.chain().await.unwrap();
}

/// A use that the authorizer's log tells of, and a report by somebody who is trusted.
async fn is_used_and_leaks(place: &Place, key: &Value) {
    let line = json!({
        "action": "authorize", "outcome": "ok", "actor": key["api_key_id"], "org": BIRCH.id,
        "timestamp": rfc3339(place.now()),
    });
    let used = log_group::event(&[line.to_string()], place.now()).unwrap();
    let noted = place.devstack.functions.event("key_usage", used).await.unwrap();
    assert_eq!(noted["noted"], 1, "{noted}");
    let reporter = Reporter::stranger();
    place.devstack.functions.event("operator", reporter.order()).await.unwrap();
    let report = json!([found(key["key"].as_str().unwrap())]).to_string();
    let request = place.request(Method::POST, "/api/v1/secret-scanning/github");
    let request = request.header("content-type", "application/json").body(report.clone());
    let headers = reporter.headers(&report).into_iter();
    let request = headers.fold(request, |request, (name, value)| request.header(name, value));
    assert_eq!(place.send(request).await.0, 200);
}

/// A webhook with a secret that was replaced, a test, and a try that did not arrive; and a reminder.
async fn webhook(place: &Place, session: &Session) {
    let ask = |method, part: &str| {
        let path = format!("/api/v1/organizations/{}/webhook{part}", BIRCH.id);
        place.request(method, &path).bearer_auth(&session.access_token)
    };
    // Nobody listens there.
    let body = json!({"url": "http://127.0.0.1:1/hook"});
    assert_eq!(place.send(ask(Method::PUT, "").json(&body)).await.0, 201);
    assert_eq!(place.send(ask(Method::POST, "/secret")).await.0, 200);
    assert_eq!(place.send(ask(Method::POST, "/test")).await.0, 200);
    place.devstack.tell().await.unwrap();
    let expiry = place.items("EXPIRY#", "").await.remove(0);
    let expiry: Expiry = serde_json::from_value(expiry).unwrap();
    let record = json!({
        "pk": {"S": format!("ORG#{}", expiry.org_id)}, "sk": {"S": format!("KEY#{}", expiry.api_key_id)},
    });
    // Its key is revoked; the mark is put by hand, where a reminder would have put it.
    let get = json!({"TableName": place.devstack.dynamodb.table, "Key": record});
    assert!(engine(place, "GetItem", &get).await["Item"].is_object());
    let update = json!({
        "TableName": place.devstack.dynamodb.table,
        "Key": {"pk": {"S": format!("EXPIRY#{}", expiry.day())}, "sk": {"S": format!("KEY#{}", expiry.api_key_id)}},
        "UpdateExpression": "SET reminded = :days", "ExpressionAttributeValues": {":days": {"N": "30"}},
    });
    engine(place, "UpdateItem", &update).await;
}
