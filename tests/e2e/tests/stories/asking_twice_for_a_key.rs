//! An answer gets lost, and the client asks again with the same `idempotency_key`: one key, the same answer.

use e2e::{Session, Stage, Value, json};

/// A request that can be repeated.
fn order() -> Value {
    json!({ "key_name": "Ordered", "expires_in_days": 90, "idempotency_key": "order-4711" })
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_makes_nothing() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let first = stage.create(&owner, &order()).await.data(201);
    let listed = stage.keys(&owner).await;

    // At once, although one key a minute is the limit and a key is active; later; and from another session.
    assert_eq!(stage.create(&owner, &order()).await.data(201), first);
    stage.advance(3600).await;
    let later = stage.login(&stage.acorn.owner).await;
    assert_eq!(stage.create(&later, &order()).await.data(201), first);
    assert_eq!(stage.keys(&later).await, listed);
    stage.me(first["key"].as_str().unwrap()).await.data(200);

    // The repeats did not count as creations.
    let id = first["api_key_id"].as_str().unwrap();
    stage.revoke(&later, id).await.data(200);
    stage.create_key(&later, "Next").await;
}

#[tokio::test]
async fn another_request_under_the_same_idempotency_key_is_a_mismatch() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let first = stage.create(&owner, &order()).await.data(201);
    for (field, value) in
        [("key_name", json!("Other")), ("expires_in_days", json!(91)), ("expires_in_days", Value::Null)]
    {
        let mut other = order();
        other[field] = value;
        stage.create(&owner, &other).await.refused(409, "idempotency_mismatch");
    }
    // The refusals changed nothing.
    assert_eq!(stage.create(&owner, &order()).await.data(201), first);
}

#[tokio::test]
async fn another_person_does_not_get_the_answer() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let first = stage.create(&owner, &order()).await.data(201);
    let refused = stage.create(&admin, &order()).await.refused(409, "active_key_exists");
    assert!(!refused.text().contains(first["key"].as_str().unwrap()));
}

#[tokio::test]
async fn once_the_key_is_revoked_its_idempotency_key_is_spent() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let first = stage.create(&owner, &order()).await.data(201);
    stage.revoke(&owner, first["api_key_id"].as_str().unwrap()).await.data(200);
    stage.create(&owner, &order()).await.refused(409, "idempotency_spent");

    // It stays spent when another key is active, and when nothing limits its owner any more.
    stage.advance(61).await;
    stage.create(&owner, &order()).await.refused(409, "idempotency_spent");
    stage.create_key(&owner, "Next").await;
    stage.create(&owner, &order()).await.refused(409, "idempotency_spent");
}

#[tokio::test]
async fn after_a_day_the_idempotency_key_is_forgotten() {
    const DAY: i64 = 24 * 60 * 60;
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let first = stage.create(&owner, &order()).await.data(201);
    stage.advance(DAY - 60).await;
    let owner = Session::from_data(&stage.refresh(&owner.refresh_token).await.data(200));
    assert_eq!(stage.create(&owner, &order()).await.data(201), first);
    stage.advance(60).await;
    stage.create(&owner, &order()).await.refused(409, "active_key_exists");
    stage.revoke(&owner, first["api_key_id"].as_str().unwrap()).await.data(200);
    let second = stage.create(&owner, &order()).await.data(201);
    assert_ne!(second["key"], first["key"]);
    stage.me(second["key"].as_str().unwrap()).await.data(200);
}

#[tokio::test]
async fn whoever_may_not_make_the_key_may_not_have_the_answer_again_either() {
    let stage = Stage::open().await;
    let admin = stage.login(&stage.acorn.admin).await;
    stage.create(&admin, &order()).await.data(201);

    stage.set_role(&stage.acorn, &stage.acorn.admin, "viewer").await;
    stage.create(&admin, &order()).await.refused(403, "insufficient_role");
    stage.set_role(&stage.acorn, &stage.acorn.admin, "admin").await;
    stage.create(&admin, &order()).await.data(201);

    stage.suspend(&stage.acorn, true).await;
    stage.create(&admin, &order()).await.refused(403, "organization_suspended");
    stage.suspend(&stage.acorn, false).await;

    stage.logout(&admin).await.empty();
    stage.create(&admin, &order()).await.refused(401, "unauthorized");
}
