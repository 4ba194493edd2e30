//! Keys come and go: one at a time, revoked from one call to the next, and nobody makes two in a minute.

use e2e::{Session, Stage, Value, json, text};

#[tokio::test]
async fn the_owner_revokes_the_admin_creates_and_the_old_key_is_refused_on_its_very_next_call() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let old = stage.create_key(&owner, "Old").await;
    stage.me(&old.key).await.data(200);

    let revoked = stage.revoke(&owner, &old.id).await.data(200);
    stage.me(&old.key).await.asks_for_credential();
    let expected = json!({
        "api_key_id": old.id, "key_name": "Old", "env": "test", "hint": revoked["hint"], "status": "revoked",
        "created_at": old.data["created_at"], "expires_at": null, "revoked_at": revoked["revoked_at"],
        "allowed_addresses": [], "last_used_at": null, "leak": null,
    });
    assert_eq!(revoked, expected);
    assert!(revoked["revoked_at"].is_string());

    // Within the same minute, for the limit is per person.
    let new = stage.create_key(&admin, "New").await;
    stage.me(&new.key).await.data(200);
    stage.me(&old.key).await.asks_for_credential();
    let listed = stage.keys(&admin).await;
    let states: Vec<_> = listed.iter().map(|key| (text(&key["api_key_id"]), text(&key["status"]))).collect();
    assert!(
        states.contains(&(new.id, "active".to_owned())) && states.contains(&(old.id, "revoked".to_owned()))
    );
    assert_eq!(states.iter().filter(|(_, status)| status == "active").count(), 1, "{states:?}");
}

#[tokio::test]
async fn while_one_key_is_active_no_second_one_is_made_and_nothing_changes() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let key = stage.create_key(&owner, "Only").await;
    let before = stage.keys(&owner).await;
    stage.create(&admin, &json!({ "key_name": "Second" })).await.refused(409, "active_key_exists");
    // Told before the limit, which the owner is within.
    stage.create(&owner, &json!({ "key_name": "Second" })).await.refused(409, "active_key_exists");
    stage.me(&key.key).await.data(200);
    assert_eq!(stage.keys(&owner).await, before);

    // A refusal does not count as a creation: the admin is not limited by it.
    stage.revoke(&owner, &key.id).await.data(200);
    stage.create_key(&admin, "Second").await;
}

#[tokio::test]
async fn revoking_again_gives_the_same_answer_and_spares_the_key_that_came_after() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let old = stage.create_key(&owner, "Old").await;
    let first = stage.revoke(&owner, &old.id).await.data(200);
    let new = stage.create_key(&admin, "New").await;
    stage.advance(60).await;
    assert_eq!(stage.revoke(&owner, &old.id).await.data(200), first, "revoked_at as well");
    stage.me(&new.key).await.data(200);
    stage.create(&owner, &json!({ "key_name": "Third" })).await.refused(409, "active_key_exists");
}

#[tokio::test]
async fn nobody_makes_two_keys_in_a_minute() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let first = stage.create_key(&owner, "First").await;
    stage.revoke(&owner, &first.id).await.data(200);

    // A second session is the same person.
    let again = stage.login(&stage.acorn.owner).await;
    for session in [&owner, &again] {
        let refused =
            stage.create(session, &json!({ "key_name": "Soon" })).await.refused(429, "rate_limited");
        assert!((50..=60).contains(&refused.retry_after()), "{refused}");
    }
    stage.advance(45).await;
    let refused = stage.create(&owner, &json!({ "key_name": "Soon" })).await.refused(429, "rate_limited");
    assert!((1..=15).contains(&refused.retry_after()), "{refused}");
    stage.advance(refused.retry_after()).await;
    stage.create_key(&owner, "Later").await;
}

#[tokio::test]
async fn a_key_with_an_end_ends_and_then_holds_nobody_back() {
    const DAY: i64 = 24 * 60 * 60;
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let body = json!({ "key_name": "A day", "expires_in_days": 1 });
    let key = e2e::Key::from_data(stage.create(&owner, &body).await.data(201));
    stage.advance(DAY - 60).await;
    stage.me(&key.key).await.data(200);
    stage.advance(60).await;
    stage.me(&key.key).await.asks_for_credential();

    let owner = Session::from_data(&stage.refresh(&owner.refresh_token).await.data(200));
    let listed = stage.keys(&owner).await;
    assert_eq!((&listed[0]["status"], &listed[0]["revoked_at"]), (&json!("expired"), &Value::Null));
    let next = stage.create_key(&owner, "The next").await;
    stage.me(&next.key).await.data(200);
    stage.me(&key.key).await.asks_for_credential();

    // What has expired can be revoked all the same, and that does not touch its successor.
    assert_eq!(stage.revoke(&owner, &key.id).await.data(200)["status"], "revoked");
    stage.me(&next.key).await.data(200);
}

#[tokio::test]
async fn keys_are_listed_newest_first_page_by_page() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let mut made = Vec::new();
    for name in ["1", "2", "3", "4", "5"] {
        let key = stage.create_key(&owner, name).await;
        stage.revoke(&owner, &key.id).await.data(200);
        made.insert(0, key.id);
        stage.advance(61).await;
    }

    let mut listed = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = stage.key_page(&owner, &query).await.data(200);
        let ids: Vec<_> =
            page["keys"].as_array().unwrap().iter().map(|key| text(&key["api_key_id"])).collect();
        assert!(!ids.is_empty() && ids.len() <= 2, "{page}");
        listed.extend(ids);
        match &page["next_cursor"] {
            Value::Null => break,
            cursor => query = format!("?limit=2&cursor={}", text(cursor)),
        }
    }
    // A devstack that others used before has older keys after ours.
    assert_eq!(listed[..5], made);
    let mut distinct = listed.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), listed.len(), "none twice");
}

#[tokio::test]
async fn a_page_that_ends_with_the_last_key_names_no_next_one_and_bad_queries_are_refused() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    stage.create_key(&owner, "Only").await;
    let all = stage.keys(&owner).await.len();
    // A devstack that others used long before may have more than the longest page holds.
    if all < 100 {
        let full = stage.key_page(&owner, &format!("?limit={all}")).await.data(200);
        assert_eq!((full["keys"].as_array().unwrap().len(), &full["next_cursor"]), (all, &Value::Null));
    }

    for query in ["?limit=0", "?limit=101", "?limit=ten", "?limit=", "?limit=1&limit=2", "?limit=%2B5"] {
        let refused = stage.key_page(&owner, query).await.refused(400, "validation_failed");
        assert_eq!(refused.fields(), ["limit"], "{query}");
    }
    for query in ["?cursor=", "?cursor=nonsense", "?cursor=b3JnXw"] {
        let refused = stage.key_page(&owner, query).await.refused(400, "validation_failed");
        assert_eq!(refused.fields(), ["cursor"], "{query}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_there_cannot_be_revoked() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    for id in ["key_01J0ACRN000000000000000000", "key_1", "ORG", "key_%00", "key_01j0acrn000000000000000000"]
    {
        stage.revoke(&owner, id).await.refused(404, "not_found");
    }
}
