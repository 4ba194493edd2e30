//! A client refreshes, and the answer is lost on its way. With an `Idempotency-Key` it asks again and is no thief.

use e2e::{Answer, Session, Stage, json, text};

const REQUEST: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const OTHER_REQUEST: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Refreshes once under `REQUEST`: the token that was used up, and its successor.
async fn refreshed(stage: &Stage) -> (String, String) {
    let owner = stage.login(&stage.acorn.owner).await;
    let successor = refresh_token(stage.refresh_as(&owner.refresh_token, REQUEST).await);
    (owner.refresh_token, successor)
}

fn refresh_token(answer: Answer) -> String {
    text(&answer.data(200)["refresh_token"])
}

/// The session is over for whoever holds any of its tokens.
async fn assert_ended(stage: &Stage, tokens: &[&str]) {
    for token in tokens {
        stage.refresh(token).await.refused(401, "invalid_refresh_token");
        stage.refresh_as(token, REQUEST).await.refused(401, "invalid_refresh_token");
    }
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_successor() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    for seconds in [0, 25, 30] {
        stage.advance(seconds).await;
        let again = Session::from_data(&stage.refresh_as(&old, REQUEST).await.data(200));
        assert_eq!(again.refresh_token, successor);
        stage.me(&again.access_token).await.data(200);
    }
    let next = refresh_token(stage.refresh(&successor).await);
    stage.refresh(&next).await.data(200);
}

#[tokio::test]
async fn a_minute_later_it_is_theft() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    stage.advance(61).await;
    stage.refresh_as(&old, REQUEST).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&successor, &old]).await;
}

#[tokio::test]
async fn a_repeat_does_not_start_the_minute_anew() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    stage.advance(40).await;
    assert_eq!(refresh_token(stage.refresh_as(&old, REQUEST).await), successor);
    stage.advance(40).await;
    stage.refresh_as(&old, REQUEST).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&successor]).await;
}

#[tokio::test]
async fn once_the_successor_was_used_it_is_theft() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    let newest = refresh_token(stage.refresh(&successor).await);
    stage.refresh_as(&old, REQUEST).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&newest, &successor, &old]).await;
}

#[tokio::test]
async fn another_request_with_the_old_token_is_theft() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    stage.refresh_as(&old, OTHER_REQUEST).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&successor]).await;
}

#[tokio::test]
async fn a_request_without_the_header_is_theft() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    stage.refresh(&old).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&successor]).await;
}

#[tokio::test]
async fn a_header_that_comes_only_with_the_repeat_is_too_late() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let successor = refresh_token(stage.refresh(&owner.refresh_token).await);
    stage.refresh_as(&owner.refresh_token, REQUEST).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&successor]).await;
}

#[tokio::test]
async fn the_same_header_serves_the_next_request_as_well() {
    let stage = Stage::open().await;
    let (old, successor) = refreshed(&stage).await;
    let next = refresh_token(stage.refresh_as(&successor, REQUEST).await);
    assert_ne!(next, successor);
    assert_eq!(refresh_token(stage.refresh_as(&successor, REQUEST).await), next);
    // It does not open the request before last.
    stage.refresh_as(&old, REQUEST).await.refused(401, "invalid_refresh_token");
    assert_ended(&stage, &[&next]).await;
}

#[tokio::test]
async fn a_header_nobody_should_rely_on_is_refused_and_harms_nothing() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let bad = ["", "fifteen-letters", &"x".repeat(256), "with a space inside", "sixteen-lätters!"];
    for header in bad {
        let refused = stage.refresh_as(&owner.refresh_token, header).await.refused(400, "validation_failed");
        assert_eq!(refused.fields(), ["Idempotency-Key"], "{header:?}");
    }
    // The longest and the shortest; the token was not used up.
    let successor = refresh_token(stage.refresh_as(&owner.refresh_token, "sixteen-letters!").await);
    stage.refresh_as(&successor, &"x".repeat(255)).await.data(200);
}

#[tokio::test]
async fn two_headers_are_one_too_many_for_nobody_can_say_which_one_counts() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let call = stage
        .post("/auth/refresh")
        .header("Idempotency-Key", REQUEST)
        .header("Idempotency-Key", OTHER_REQUEST);
    let answer = call.json(&json!({ "refresh_token": owner.refresh_token })).await;
    assert_eq!(answer.refused(400, "validation_failed").fields(), ["Idempotency-Key"]);
    stage.refresh(&owner.refresh_token).await.data(200);
}
