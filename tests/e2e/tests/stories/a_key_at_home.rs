//! An API key with a list of addresses is good from those alone. This API's gateway tells the authorizer no address: here such a key is refused,
//! whoever sends it. What other gateways make of it, tests/inputs shows.

use e2e::{Key, Method, Session, Stage, Value, json};

async fn change(stage: &Stage, session: &Session, id: &str, body: &Value) -> e2e::Answer {
    let route = format!("/auth/api-keys/{id}");
    stage.call(Method::PATCH, &route).bearer(&session.access_token).json(body).await
}

fn listed(ranges: &[&str]) -> Value {
    json!({ "allowed_addresses": ranges })
}

#[tokio::test]
async fn a_key_is_made_with_a_list_and_refused_where_nobody_knows_the_address() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let asked = json!({
        "key_name": "At home", "allowed_addresses": ["203.0.113.0/24", "2001:DB8::7/128", "::ffff:203.0.113.0/120"],
    });
    let key = Key::from_data(stage.create(&owner, &asked).await.data(201));
    let kept = json!(["203.0.113.0/24", "2001:db8::7"]);
    assert_eq!(key.data["allowed_addresses"], kept);
    assert_eq!(stage.keys(&owner).await[0]["allowed_addresses"], kept);
    stage.me(&key.key).await.refused(403, "address_not_allowed");
    // A header names no address: anybody writes it.
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"] {
        let call = stage.get("/organizations/me").bearer(&key.key).header(header, "203.0.113.7");
        call.await.refused(403, "address_not_allowed");
    }

    // From the very next call on it is good from anywhere, and then again it is not.
    let freed = change(&stage, &owner, &key.id, &listed(&[])).await.data(200);
    assert_eq!(freed["allowed_addresses"], json!([]));
    stage.me(&key.key).await.data(200);
    change(&stage, &owner, &key.id, &listed(&["192.0.2.1"])).await.data(200);
    stage.me(&key.key).await.refused(403, "address_not_allowed");

    // Suspended comes first; a revoked key is nobody's.
    stage.suspend(&stage.birch, true).await;
    stage.me(&key.key).await.refused(403, "organization_suspended");
    stage.suspend(&stage.birch, false).await;
    stage.revoke(&owner, &key.id).await.data(200);
    stage.me(&key.key).await.asks_for_credential();
    change(&stage, &owner, &key.id, &listed(&[])).await.refused(409, "key_revoked");
    assert_eq!(stage.keys(&owner).await[0]["allowed_addresses"], json!(["192.0.2.1"]));
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_list_and_another_list_is_another_request() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let order = |ranges: &[&str]| json!({ "key_name": "Once", "idempotency_key": "list", "allowed_addresses": ranges });
    let made = stage.create(&owner, &order(&["203.0.113.7/32"])).await.data(201);
    assert_eq!(
        stage.create(&owner, &order(&["203.0.113.7"])).await.data(201),
        made,
        "written otherwise, and the same"
    );
    for other in [&[][..], &["203.0.113.8"]] {
        stage.create(&owner, &order(other)).await.refused(409, "idempotency_mismatch");
    }
}

#[tokio::test]
async fn what_is_no_address_is_told_by_its_number() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Judged").await;
    let many: Vec<String> = (0..21).map(|nth| format!("192.0.2.{nth}")).collect();
    for bad in [
        json!("203.0.113.7"),
        json!({}),
        json!([7]),
        json!([null]),
        json!(["203.0.113.7", "203.0.113.256"]),
        json!(["203.0.113.7/24"]),
        json!(["localhost"]),
        json!(many),
    ] {
        let body = json!({ "allowed_addresses": bad });
        let answer = change(&stage, &owner, &key.id, &body).await.refused(400, "validation_failed");
        assert_eq!(answer.fields(), ["allowed_addresses"], "{bad}");
        let created = json!({ "key_name": "k", "allowed_addresses": bad });
        let answer = stage.create(&owner, &created).await.refused(400, "validation_failed");
        assert_eq!(answer.fields(), ["allowed_addresses"], "{bad}");
    }
    let answer = change(&stage, &owner, &key.id, &listed(&["192.0.2.1", "192.0.2.1/24"])).await;
    assert!(answer.text().contains("number 2"), "{answer}");
    change(&stage, &owner, &key.id, &json!({})).await.refused(400, "validation_failed");
    stage.me(&key.key).await.data(200);
    change(&stage, &owner, &key.id, &listed(&many[..20].iter().map(String::as_str).collect::<Vec<_>>()))
        .await
        .data(200);
}

#[tokio::test]
async fn only_who_manages_keys_says_where_one_is_good() {
    let stage = Stage::open().await;
    let (owner, viewer) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.viewer).await);
    let neighbour = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Theirs").await;
    let body = listed(&["192.0.2.1"]);
    change(&stage, &viewer, &key.id, &body).await.refused(403, "insufficient_role");
    change(&stage, &neighbour, &key.id, &body).await.refused(404, "not_found");
    change(&stage, &owner, "key_01J0ACRN000000000000000000", &body).await.refused(404, "not_found");
    let with_key = Session { access_token: key.key.clone(), refresh_token: String::new() };
    change(&stage, &with_key, &key.id, &body).await.refused(403, "session_required");
    stage.me(&key.key).await.data(200);
}
