//! From test to live: once onboarding and payments allow it, and as long as they do.

use e2e::{Key, Stage, json};

#[tokio::test]
async fn before_onboarding_nobody_goes_live_and_test_keys_work() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    stage.switch(&owner, &stage.acorn, "live").await.refused(403, "onboarding_incomplete");
    assert_eq!(stage.me(&owner.access_token).await.data(200)["current_env"], "test");
    stage.switch(&owner, &stage.acorn, "test").await.data(200);

    // Asking for a live key is accepted, and changes nothing: the organization's environment decides.
    let key =
        Key::from_data(stage.create(&owner, &json!({ "key_name": "Test", "env": "live" })).await.data(201));
    assert!(key.key.starts_with("sk_test_"), "{}", key.data);
    assert_eq!(key.data["env"], "test");
}

#[tokio::test]
async fn it_takes_both_onboarding_and_payments() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    for (onboarding, payments) in [
        ("COMPLETED", "DISABLED"),
        ("IN_PROGRESS", "ENABLED"),
        ("NOT_STARTED", "ENABLED"),
        ("NOT_STARTED", "DISABLED"),
    ] {
        stage.onboard(&stage.acorn, onboarding, payments).await;
        stage.switch(&owner, &stage.acorn, "live").await.refused(403, "onboarding_incomplete");
    }
    stage.onboard(&stage.acorn, "COMPLETED", "ENABLED").await;
    let organization = stage.switch(&owner, &stage.acorn, "live").await.data(200);
    assert_eq!(organization["current_env"], "live");
    assert_eq!(organization, stage.me(&owner.access_token).await.data(200));
    let refreshed = stage.refresh(&owner.refresh_token).await.data(200);
    assert_eq!(refreshed["user"]["hasOnboarded"], true);
}

#[tokio::test]
async fn a_live_organization_makes_live_keys_and_keeps_its_test_keys() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    let test = stage.create_key(&owner, "Test").await;
    stage.switch(&admin, &stage.birch, "live").await.data(200);

    // One active key, whatever its environment.
    stage.create(&admin, &json!({ "key_name": "Live" })).await.refused(409, "active_key_exists");
    assert_eq!(stage.me(&test.key).await.data(200)["current_env"], "live");
    stage.revoke(&owner, &test.id).await.data(200);

    stage.advance(1).await;
    let live =
        Key::from_data(stage.create(&admin, &json!({ "key_name": "Live", "env": "test" })).await.data(201));
    assert!(live.key.starts_with("sk_live_") && live.key.len() == 46, "{}", live.data);
    assert_eq!(live.data["env"], "live");
    let listed = stage.keys(&owner).await;
    assert_eq!((&listed[0]["env"], &listed[1]["env"]), (&json!("live"), &json!("test")));
    assert_eq!(listed[0]["hint"], format!("sk_live_…{}", &live.key[42..]));
    stage.me(&live.key).await.data(200);
}

#[tokio::test]
async fn switching_back_touches_no_key_that_exists() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    stage.switch(&owner, &stage.birch, "live").await.data(200);
    let live = stage.create_key(&owner, "Live").await;
    stage.advance(60).await;
    let organization = stage.switch(&owner, &stage.birch, "test").await.data(200);
    assert_eq!(organization["current_env"], "test");
    assert_ne!(organization["updated_at"], organization["created_at"]);
    assert_eq!(stage.me(&live.key).await.data(200), organization);

    stage.revoke(&owner, &live.id).await.data(200);
    let test = stage.create_key(&admin, "Test").await;
    assert!(test.key.starts_with("sk_test_"), "{}", test.data);
}

#[tokio::test]
async fn withdrawing_payments_stops_new_live_keys_and_revokes_none() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    stage.switch(&owner, &stage.birch, "live").await.data(200);
    let live = stage.create_key(&owner, "Live").await;
    stage.onboard(&stage.birch, "COMPLETED", "DISABLED").await;
    stage.me(&live.key).await.data(200);

    stage.revoke(&owner, &live.id).await.data(200);
    stage.create(&admin, &json!({ "key_name": "Live" })).await.refused(403, "onboarding_incomplete");
    stage.switch(&admin, &stage.birch, "live").await.refused(403, "onboarding_incomplete");

    // Back in test it makes test keys.
    stage.switch(&admin, &stage.birch, "test").await.data(200);
    let test = stage.create_key(&admin, "Test").await;
    assert!(test.key.starts_with("sk_test_"), "{}", test.data);
}

#[tokio::test]
async fn an_environment_is_test_or_live() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let route = format!("/organizations/{}/environment", stage.birch.id);
    for body in [
        json!({}),
        json!({ "env": "LIVE" }),
        json!({ "env": null }),
        json!({ "env": true }),
        json!({ "env": "" }),
    ] {
        let call = stage.call(e2e::Method::PUT, &route).bearer(&owner.access_token).json(&body);
        assert_eq!(call.await.refused(400, "validation_failed").fields(), ["env"], "{body}");
    }
    assert_eq!(stage.me(&owner.access_token).await.data(200)["current_env"], "test");
}
