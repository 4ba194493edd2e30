//! A refresh token is stolen. Whoever uses it second gives the theft away, and both lose the session.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use e2e::{Session, Stage, json, text};

/// Nothing of the session is worth anything any more, but for looking until the access token expires.
async fn assert_worthless(stage: &Stage, session: &Session) {
    stage.refresh(&session.refresh_token).await.refused(401, "invalid_refresh_token");
    stage.create(session, &json!({ "key_name": "Loot" })).await.refused(401, "unauthorized");
    stage.switch(session, &stage.acorn, "test").await.refused(401, "unauthorized");
    stage.revoke(session, "key_01J0ACRN000000000000000000").await.refused(401, "unauthorized");
}

async fn refreshed(stage: &Stage, session: &Session) -> Session {
    Session::from_data(&stage.refresh(&session.refresh_token).await.data(200))
}

#[tokio::test]
async fn when_the_thief_is_first_both_lose_the_session_and_the_owner_logs_in_again() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let thief = refreshed(&stage, &owner).await;
    // The owner knows nothing of it and refreshes as ever.
    stage.refresh(&owner.refresh_token).await.refused(401, "invalid_refresh_token");
    assert_worthless(&stage, &thief).await;
    assert_worthless(&stage, &owner).await;

    let owner = stage.login(&stage.acorn.owner).await;
    stage.create_key(&owner, "After the theft").await;
    refreshed(&stage, &owner).await;
}

#[tokio::test]
async fn when_the_thief_is_second_both_lose_the_session() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let stolen = owner.refresh_token.clone();
    let owner = refreshed(&stage, &owner).await;
    stage.advance(3600).await;
    stage.refresh(&stolen).await.refused(401, "invalid_refresh_token");
    stage.refresh(&owner.refresh_token).await.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_token_from_long_ago_gives_the_theft_away_as_well() {
    let stage = Stage::open().await;
    let first = stage.login(&stage.acorn.owner).await;
    let mut owner = first.clone();
    for _ in 0..4 {
        stage.advance(3 * 24 * 3600).await;
        owner = refreshed(&stage, &owner).await;
    }
    stage.refresh(&first.refresh_token).await.refused(401, "invalid_refresh_token");
    assert_worthless(&stage, &owner).await;
}

#[tokio::test]
async fn the_owners_other_sessions_and_keys_go_on() {
    let stage = Stage::open().await;
    let (here, elsewhere) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.owner).await);
    let key = stage.create_key(&here, "Server").await;
    refreshed(&stage, &here).await;
    stage.refresh(&here.refresh_token).await.refused(401, "invalid_refresh_token");
    assert_worthless(&stage, &here).await;
    refreshed(&stage, &elsewhere).await;
    stage.me(&key.key).await.data(200);
}

#[tokio::test]
async fn nobody_ends_a_session_with_a_token_that_was_never_given_out() {
    let stage = Stage::open().await;
    let (owner, other) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let owner = refreshed(&stage, &owner).await;
    let token = &owner.refresh_token;
    // One bit changed in every byte: of the session, of the generation (which makes it an older one), of the salt, of the MAC.
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix("rt_").unwrap()).unwrap();
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let forged = format!("rt_{}", BASE64_URL_SAFE_NO_PAD.encode(forged));
        stage.refresh(&forged).await.refused(401, "invalid_refresh_token");
    }
    // The head of one token with the tail of another, and what is no token at all.
    let spliced = format!("{}{}", &token[..60], &other.refresh_token[60..]);
    let nearly =
        [&spliced, &token[3..], &token[..token.len() - 1], &format!("{token}A"), &format!(" {token}"), "rt_"];
    for forged in nearly {
        stage.refresh(forged).await.refused(401, "invalid_refresh_token");
    }
    refreshed(&stage, &owner).await;
    refreshed(&stage, &other).await;
}

#[tokio::test]
async fn a_refresh_token_opens_no_protected_route_and_a_key_refreshes_nothing() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Server").await;
    stage.me(&owner.refresh_token).await.asks_for_credential();
    stage.refresh(&key.key).await.refused(401, "invalid_refresh_token");
    stage.me(&text(&key.data["key"])).await.data(200);
}
