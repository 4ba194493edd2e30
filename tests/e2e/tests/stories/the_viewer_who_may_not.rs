//! A viewer looks at everything and changes nothing. Neither does an admin who was one until a moment ago, nor an API key.

use e2e::{Method, Session, Stage, json};

/// Every write is refused with 403 `insufficient_role`.
async fn assert_writes_nothing(stage: &Stage, session: &Session, key_id: &str) {
    stage.create(session, &json!({ "key_name": "Mine" })).await.refused(403, "insufficient_role");
    stage.revoke(session, key_id).await.refused(403, "insufficient_role");
    stage.switch(session, &stage.birch, "live").await.refused(403, "insufficient_role");
}

#[tokio::test]
async fn the_viewer_looks_and_changes_nothing() {
    let stage = Stage::open().await;
    let (owner, viewer) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.viewer).await);
    let key = stage.create_key(&owner, "Theirs").await;
    assert_writes_nothing(&stage, &viewer, &key.id).await;

    // What the viewer sees is what the owner sees.
    assert_eq!(stage.keys(&viewer).await, stage.keys(&owner).await);
    let organization = stage.me(&viewer.access_token).await.data(200);
    assert_eq!(organization, stage.me(&owner.access_token).await.data(200));
    assert_eq!(organization["current_env"], "test");
    stage.me(&key.key).await.data(200);
    stage.refresh(&viewer.refresh_token).await.data(200);
}

#[tokio::test]
async fn the_viewer_is_told_of_the_role_before_anything_else() {
    let stage = Stage::open().await;
    let viewer = stage.login(&stage.acorn.viewer).await;
    // Not that there is no such key, that Acorn may not go live, or that there is no active key.
    stage.revoke(&viewer, "key_01J0ACRN000000000000000000").await.refused(403, "insufficient_role");
    stage.switch(&viewer, &stage.acorn, "live").await.refused(403, "insufficient_role");
    stage.create(&viewer, &json!({ "key_name": "Mine" })).await.refused(403, "insufficient_role");
}

#[tokio::test]
async fn an_admin_who_was_demoted_writes_nothing_with_the_token_from_before() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    let key = stage.create_key(&admin, "Before").await;
    stage.advance(60).await;
    stage.set_role(&stage.birch, &stage.birch.admin, "viewer").await;
    assert_writes_nothing(&stage, &admin, &key.id).await;

    // Nor with the next one; looking goes on.
    let refreshed = Session::from_data(&stage.refresh(&admin.refresh_token).await.data(200));
    assert_writes_nothing(&stage, &refreshed, &key.id).await;
    stage.keys(&refreshed).await;
    stage.me(&key.key).await.data(200);

    stage.set_role(&stage.birch, &stage.birch.admin, "admin").await;
    stage.revoke(&admin, &key.id).await.data(200);
    stage.create_key(&owner, "After").await;
}

#[tokio::test]
async fn a_viewer_who_was_promoted_writes_at_once() {
    let stage = Stage::open().await;
    let viewer = stage.login(&stage.birch.viewer).await;
    stage.set_role(&stage.birch, &stage.birch.viewer, "admin").await;
    stage.create_key(&viewer, "Promoted").await;
}

#[tokio::test]
async fn an_api_key_is_no_person() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Server").await;
    let with_key = Session { access_token: key.key.clone(), refresh_token: String::new() };

    stage.create(&with_key, &json!({ "key_name": "Self-made" })).await.refused(403, "session_required");
    stage.key_page(&with_key, "").await.refused(403, "session_required");
    stage.revoke(&with_key, &key.id).await.refused(403, "session_required");
    stage.switch(&with_key, &stage.birch, "live").await.refused(403, "session_required");
    stage.logout(&with_key).await.refused(403, "session_required");

    // Not even with a body that would be refused.
    let empty = stage.call(Method::POST, "/auth/api-keys").bearer(&key.key).await;
    empty.refused(403, "session_required");
    stage.me(&key.key).await.data(200);
    assert_eq!(stage.keys(&owner).await[0]["status"], "active");
}
