//! How long things live: an access token for fifteen minutes, a session for thirty days from its login, and not a day more.

use e2e::{Session, Stage, json};

const DAY: i64 = 24 * 60 * 60;

async fn refreshed(stage: &Stage, session: &Session) -> Session {
    Session::from_data(&stage.refresh(&session.refresh_token).await.data(200))
}

#[tokio::test]
async fn an_access_token_lives_fifteen_minutes_and_a_refresh_brings_the_next() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    stage.advance(15 * 60 - 5).await;
    stage.me(&owner.access_token).await.data(200);
    stage.advance(5).await;
    stage.me(&owner.access_token).await.asks_for_credential();
    stage.create(&owner, &json!({ "key_name": "Late" })).await.asks_for_credential();
    stage.key_page(&owner, "").await.asks_for_credential();
    stage.logout(&owner).await.asks_for_credential();

    let owner = refreshed(&stage, &owner).await;
    stage.me(&owner.access_token).await.data(200);
}

#[tokio::test]
async fn a_session_ends_thirty_days_after_its_login_however_often_it_was_refreshed() {
    let stage = Stage::open().await;
    let mut owner = stage.login(&stage.acorn.owner).await;
    for _ in 0..29 {
        stage.advance(DAY).await;
        owner = refreshed(&stage, &owner).await;
    }
    stage.advance(DAY - 60).await;
    owner = refreshed(&stage, &owner).await;
    stage.advance(60).await;
    stage.refresh(&owner.refresh_token).await.refused(401, "invalid_refresh_token");
    // Its last access token outlives it by some minutes, and writes nothing.
    stage.create(&owner, &json!({ "key_name": "Late" })).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_refresh_token_that_was_never_used_lives_as_long() {
    let stage = Stage::open().await;
    let (used, unused) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.owner).await);
    stage.advance(30 * DAY - 60).await;
    refreshed(&stage, &used).await;
    stage.advance(60).await;
    stage.refresh(&unused.refresh_token).await.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn one_session_ending_leaves_the_others() {
    let stage = Stage::open().await;
    let first = stage.login(&stage.acorn.owner).await;
    stage.advance(10 * DAY).await;
    let second = stage.login(&stage.acorn.owner).await;
    stage.advance(20 * DAY).await;
    stage.refresh(&first.refresh_token).await.refused(401, "invalid_refresh_token");
    refreshed(&stage, &second).await;
}

#[tokio::test]
async fn a_key_without_an_end_outlives_every_session() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Server").await;
    stage.advance(400 * DAY).await;
    stage.refresh(&owner.refresh_token).await.refused(401, "invalid_refresh_token");
    stage.me(&key.key).await.data(200);
}
