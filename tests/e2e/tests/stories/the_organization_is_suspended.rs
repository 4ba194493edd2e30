//! The operator suspends an organization: from the next call on nothing of it works, until the suspension is lifted.

use e2e::{PASSWORD, Stage, json};

#[tokio::test]
async fn its_key_is_refused_on_the_very_next_call_and_works_again_once_lifted() {
    let stage = Stage::open().await;
    let (owner, neighbour) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.birch.owner).await);
    let (key, theirs) =
        (stage.create_key(&owner, "Ours").await, stage.create_key(&neighbour, "Theirs").await);
    let by_id = format!("/organizations/{}", stage.acorn.id);
    for _ in 0..2 {
        stage.me(&key.key).await.data(200);
        stage.suspend(&stage.acorn, true).await;
        stage.me(&key.key).await.refused(403, "organization_suspended");
        stage.get(&by_id).bearer(&key.key).await.refused(403, "organization_suspended");
        // Where a key may not go anyway: it gets no further than the authorizer.
        stage.get("/auth/api-keys").bearer(&key.key).await.refused(403, "organization_suspended");
        stage.me(&theirs.key).await.data(200);
        stage.suspend(&stage.acorn, false).await;
    }
    assert_eq!(stage.me(&key.key).await.data(200)["is_active"], true);
}

#[tokio::test]
async fn its_people_are_refused_with_the_token_they_have_and_get_no_other() {
    let stage = Stage::open().await;
    let (owner, viewer) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.viewer).await);
    let key = stage.create_key(&owner, "Ours").await;
    let challenge = stage.start_login(&stage.acorn.admin).await;
    stage.suspend(&stage.acorn, true).await;

    let refused = "organization_suspended";
    let by_id = format!("/organizations/{}", stage.acorn.id);
    for session in [&owner, &viewer] {
        stage.me(&session.access_token).await.refused(403, refused);
        stage.get(&by_id).bearer(&session.access_token).await.refused(403, refused);
        stage.key_page(session, "").await.refused(403, refused);
        stage.create(session, &json!({ "key_name": "More" })).await.refused(403, refused);
        stage.revoke(session, &key.id).await.refused(403, refused);
        stage.switch(session, &stage.acorn, "test").await.refused(403, refused);
        stage.refresh(&session.refresh_token).await.refused(403, refused);
    }
    stage.verify(&challenge.id, &challenge.code).await.refused(403, refused);
    stage.guess_password(stage.acorn.owner.email, PASSWORD).await.refused(403, refused);

    // Whoever does not know the password does not learn of it either.
    stage.guess_password(stage.acorn.owner.email, "wrong").await.refused(401, "invalid_credentials");
}

#[tokio::test]
async fn once_lifted_its_sessions_go_on_where_they_were() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    stage.suspend(&stage.acorn, true).await;
    stage.refresh(&owner.refresh_token).await.refused(403, "organization_suspended");
    stage.suspend(&stage.acorn, false).await;

    // The refusal used no token up.
    stage.me(&owner.access_token).await.data(200);
    stage.refresh(&owner.refresh_token).await.data(200);
    stage.create_key(&owner, "Again").await;
    stage.login(&stage.acorn.admin).await;
}

#[tokio::test]
async fn a_lost_refresh_answer_is_not_given_again_while_it_lasts() {
    const REQUEST: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let given = stage.refresh_as(&owner.refresh_token, REQUEST).await.data(200);
    stage.suspend(&stage.acorn, true).await;
    stage.refresh_as(&owner.refresh_token, REQUEST).await.refused(403, "organization_suspended");
    stage.suspend(&stage.acorn, false).await;
    let again = stage.refresh_as(&owner.refresh_token, REQUEST).await.data(200);
    assert_eq!(again["refresh_token"], given["refresh_token"]);
}

#[tokio::test]
async fn a_key_that_was_revoked_or_expired_is_nobodys_suspended_or_not() {
    const DAY: i64 = 24 * 60 * 60;
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let revoked = stage.create_key(&owner, "Revoked").await;
    stage.revoke(&owner, &revoked.id).await.data(200);
    let day = json!({ "key_name": "A day", "expires_in_days": 1 });
    let expired = e2e::Key::from_data(stage.create(&admin, &day).await.data(201));
    stage.advance(DAY).await;
    stage.suspend(&stage.acorn, true).await;
    stage.me(&revoked.key).await.asks_for_credential();
    stage.me(&expired.key).await.asks_for_credential();
}
