//! A key's record says when the key was used last: to the minute, and some minutes late.

use e2e::{Stage, Value};

async fn last_used(stage: &Stage, session: &e2e::Session) -> Value {
    stage.hand_logs_over().await;
    stage.keys(session).await[0]["last_used_at"].clone()
}

#[tokio::test]
async fn a_key_that_was_used_says_so_and_only_forward() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Used").await;
    assert_eq!(key.data.get("last_used_at"), None);
    assert_eq!(last_used(&stage, &owner).await, Value::Null, "made, and never used");

    stage.me(&key.key).await.data(200);
    let first = last_used(&stage, &owner).await;
    let minute = first.as_str().expect("a time");
    assert!(minute.ends_with(":00Z"), "{minute}");
    assert!(
        minute <= stage.keys(&owner).await[0]["created_at"].as_str().unwrap(),
        "the minute it was made in"
    );
    stage.me(&key.key).await.data(200);
    assert_eq!(last_used(&stage, &owner).await, first, "the same minute");

    stage.advance(60).await;
    assert_eq!(last_used(&stage, &owner).await, first, "not used since");
    stage.me(&key.key).await.data(200);
    assert!(last_used(&stage, &owner).await.as_str() > first.as_str());
}

#[tokio::test]
async fn what_was_refused_is_no_use() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Refused").await;
    stage.suspend(&stage.birch, true).await;
    stage.me(&key.key).await.refused(403, "organization_suspended");
    stage.suspend(&stage.birch, false).await;
    stage.me(&owner.access_token).await.data(200);
    stage.revoke(&owner, &key.id).await.data(200);
    stage.me(&key.key).await.asks_for_credential();
    assert_eq!(last_used(&stage, &owner).await, Value::Null);
}
