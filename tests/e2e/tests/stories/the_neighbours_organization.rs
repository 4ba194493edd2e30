//! Acorn and Birch share a system and must not notice.

use e2e::{Method, Stage, json, other_code, text};

#[tokio::test]
async fn the_neighbours_organization_is_refused_to_people_and_keys_whether_it_exists_or_not() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Ours").await;
    let mut answers = Vec::new();
    for id in [stage.birch.id, "org_01J0NNBDY00000000000000000", "nonsense", "ME", "me%20"] {
        for credential in [&owner.access_token, &key.key] {
            let answer = stage.get(&format!("/organizations/{id}")).bearer(credential).await;
            answers.push(answer.refused(403, "wrong_organization").indistinguishable_part());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "whether it exists shows: {answers:?}");
}

#[tokio::test]
async fn nobody_switches_the_neighbours_environment() {
    let stage = Stage::open().await;
    let (acorn, birch) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.birch.owner).await);
    stage.switch(&acorn, &stage.birch, "live").await.refused(403, "wrong_organization");
    assert_eq!(stage.me(&birch.access_token).await.data(200)["current_env"], "test");
    stage.switch(&birch, &stage.birch, "live").await.data(200);
    stage.switch(&acorn, &stage.birch, "test").await.refused(403, "wrong_organization");
    assert_eq!(stage.me(&birch.access_token).await.data(200)["current_env"], "live");
}

#[tokio::test]
async fn the_neighbours_key_is_not_there_to_be_revoked() {
    let stage = Stage::open().await;
    let (acorn, birch) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.birch.owner).await);
    let key = stage.create_key(&birch, "Theirs").await;
    let theirs = stage.revoke(&acorn, &key.id).await.refused(404, "not_found");
    let nobodys = stage.revoke(&acorn, "key_01J0NNBDY00000000000000000").await.refused(404, "not_found");
    assert_eq!(theirs.indistinguishable_part(), nobodys.indistinguishable_part());
    assert_eq!(stage.me(&key.key).await.data(200)["id"], stage.birch.id);
    assert_eq!(stage.keys(&birch).await[0]["status"], "active");
}

#[tokio::test]
async fn the_neighbours_cursor_shows_nothing_of_theirs() {
    let stage = Stage::open().await;
    let (acorn, birch) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.birch.owner).await);
    // One each: nobody makes two in a minute.
    let admin = stage.login(&stage.birch.admin).await;
    let mut theirs = Vec::new();
    for session in [&birch, &admin] {
        let key = stage.create_key(session, "Theirs").await;
        stage.revoke(session, &key.id).await.data(200);
        theirs.push(key.id);
    }
    let ours = stage.create_key(&acorn, "Ours").await;
    let cursor = text(&stage.key_page(&birch, "?limit=1").await.data(200)["next_cursor"]);

    let page = stage.key_page(&acorn, &format!("?cursor={cursor}")).await;
    assert!(theirs.iter().all(|id| !page.text().contains(id)), "{page}");
    page.data(200);
    let listed = stage.key_page(&acorn, "?limit=100").await;
    assert!(theirs.iter().all(|id| !listed.text().contains(id)), "{listed}");
    assert!(listed.text().contains(&ours.id), "{listed}");
    listed.data(200);
}

#[tokio::test]
async fn each_organization_has_an_active_key_of_its_own_under_the_same_idempotency_key() {
    let stage = Stage::open().await;
    let (acorn, birch) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.birch.owner).await);
    let order = json!({ "key_name": "Ordered", "idempotency_key": "order-1" });
    let ours = stage.create(&acorn, &order).await.data(201);
    let theirs = stage.create(&birch, &order).await.data(201);
    assert_ne!(ours["key"], theirs["key"]);
    assert_eq!(stage.me(&text(&ours["key"])).await.data(200)["id"], stage.acorn.id);
    assert_eq!(stage.me(&text(&theirs["key"])).await.data(200)["id"], stage.birch.id);

    stage.revoke(&acorn, &text(&ours["api_key_id"])).await.data(200);
    stage.me(&text(&ours["key"])).await.asks_for_credential();
    stage.me(&text(&theirs["key"])).await.data(200);
    assert_eq!(stage.create(&birch, &order).await.data(201), theirs);
}

#[tokio::test]
async fn a_code_is_good_for_its_own_challenge_alone() {
    let stage = Stage::open().await;
    let (acorn, birch) =
        (stage.start_login(&stage.acorn.owner).await, stage.start_login(&stage.birch.owner).await);
    // Once in a million logins both have the same code.
    let birch_code = if birch.code == acorn.code { other_code(&birch.code) } else { birch.code.clone() };
    stage.verify(&acorn.id, &birch_code).await.refused(401, "invalid_code");

    // Neither does the code of one's own other login.
    let again = stage.start_login(&stage.acorn.owner).await;
    if again.code != acorn.code {
        stage.verify(&again.id, &acorn.code).await.refused(401, "invalid_code");
    }
    stage.verify(&acorn.id, &acorn.code).await.data(200);
    stage.verify(&birch.id, &birch.code).await.data(200);
    stage.verify(&again.id, &again.code).await.data(200);
}

#[tokio::test]
async fn the_bodys_organization_is_not_the_tokens() {
    let stage = Stage::open().await;
    let (acorn, birch) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.birch.owner).await);
    let body = json!({ "key_name": "Smuggled", "org_id": stage.birch.id, "user_id": stage.birch.owner.user_id, "role": "owner" });
    let call = stage.call(Method::POST, "/auth/api-keys").bearer(&acorn.access_token).json(&body);
    let created = call.header("X-Org-Id", stage.birch.id).await.data(201);
    assert_eq!(stage.me(&text(&created["key"])).await.data(200)["id"], stage.acorn.id);
    let theirs = stage.key_page(&birch, "").await;
    assert!(!theirs.text().contains("Smuggled"), "{theirs}");
    theirs.data(200);
}
