//! An organization has a name that its people can change, and a trail of what was done to it that its owner and its admins can read.

use e2e::{Method, Session, Stage, Value, json, text};

async fn rename(stage: &Stage, session: &Session, id: &str, name: &str) -> e2e::Answer {
    let route = format!("/organizations/{id}");
    stage.call(Method::PATCH, &route).bearer(&session.access_token).json(&json!({ "name": name })).await
}

async fn audit(stage: &Stage, session: &Session, query: &str) -> e2e::Answer {
    stage.get(&format!("/organizations/{}/audit{query}", stage.birch.id)).bearer(&session.access_token).await
}

/// The events of one page, and where the next begins.
async fn page(stage: &Stage, session: &Session, query: &str) -> (Vec<Value>, Option<String>) {
    let data = audit(stage, session, query).await.data(200);
    let next = data["next_cursor"].as_str().map(str::to_owned);
    (data["events"].as_array().unwrap().clone(), next)
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_admin_gives_the_organization_another_name() {
    let stage = Stage::open().await;
    let (admin, viewer) = (stage.login(&stage.birch.admin).await, stage.login(&stage.birch.viewer).await);
    let before = stage.me(&admin.access_token).await.data(200);
    stage.advance(2).await;

    let renamed = rename(&stage, &admin, stage.birch.id, "Birch & Söhne").await.data(200);
    assert_eq!(renamed["name"], "Birch & Söhne");
    assert!(renamed["updated_at"].as_str() > before["updated_at"].as_str(), "{renamed}");
    assert_eq!(stage.me(&viewer.access_token).await.data(200), renamed, "everybody sees it");
    assert_eq!(rename(&stage, &admin, stage.birch.id, "Birch & Söhne").await.data(200), renamed);

    for bad in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": null }),
        json!({ "name": "a\nb" }),
        json!({ "name": 1 }),
    ] {
        let route = format!("/organizations/{}", stage.birch.id);
        let answer = stage.call(Method::PATCH, &route).bearer(&admin.access_token).json(&bad).await;
        assert_eq!(answer.refused(400, "validation_failed").fields(), ["name"]);
    }
    rename(&stage, &viewer, stage.birch.id, "Mine").await.refused(403, "insufficient_role");
    rename(&stage, &admin, stage.acorn.id, "Mine").await.refused(403, "wrong_organization");
    stage.suspend(&stage.birch, true).await;
    rename(&stage, &admin, stage.birch.id, "Free").await.refused(403, "organization_suspended");
    stage.suspend(&stage.birch, false).await;
    stage.logout(&admin).await.empty();
    rename(&stage, &admin, stage.birch.id, "Gone").await.refused(401, "unauthorized");
    assert_eq!(stage.me(&viewer.access_token).await.data(200)["name"], "Birch & Söhne");
    let owner = stage.login(&stage.birch.owner).await;
    rename(&stage, &owner, stage.birch.id, stage.birch.name).await.data(200);
}

#[tokio::test]
async fn what_was_done_is_told_newest_first_and_without_secrets() {
    let stage = Stage::open().await;
    // What is done in one millisecond has no order.
    stage.advance(1).await;
    let owner = stage.login(&stage.birch.owner).await;
    stage.advance(1).await;
    let key = stage.create_key(&owner, "Audited").await;
    stage.advance(1).await;
    stage.revoke(&owner, &key.id).await.data(200);
    let answer = audit(&stage, &owner, "").await;
    assert!(!answer.text().contains(&key.key[8..]) && !answer.text().contains(&owner.refresh_token));
    let data = answer.data(200);
    let events = data["events"].as_array().unwrap();
    assert_eq!(actions(events)[..3], ["key.revoke", "key.create", "verify"], "{data}");
    let created = &events[1];
    assert_eq!(created["actor"], stage.birch.owner.user_id);
    assert_eq!((&created["target"], &created["reason"]), (&json!(key.id), &Value::Null));
    // Both are of one call; a second may turn between them where nobody holds the clock.
    let at = text(&created["at"]);
    assert!(at >= text(&key.data["created_at"]) && at < text(&events[0]["at"]), "{data}");
    let mut members: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["action", "actor", "at", "event_id", "network", "reason", "request_id", "target"]);
    // Looking leaves nothing.
    assert_eq!(page(&stage, &owner, "").await.0, *events);
}

#[tokio::test]
async fn the_trail_is_turned_page_by_page_and_filtered() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    for name in ["One", "Two", "Three"] {
        rename(&stage, &owner, stage.birch.id, name).await.data(200);
        rename(&stage, &admin, stage.birch.id, &format!("{name} again")).await.data(200);
    }
    let (all, _) = page(&stage, &owner, "?limit=100").await;
    let (mut turned, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let (events, next) = page(&stage, &owner, &query).await;
        assert!(events.len() <= 2, "{events:?}");
        turned.extend(events);
        let Some(next) = next else { break };
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(turned, all, "each once, in order");

    let renames: Vec<_> =
        all.iter().filter(|event| event["action"] == "organization.rename").cloned().collect();
    assert!(renames.len() >= 6);
    assert_eq!(page(&stage, &owner, "?limit=100&action=organization.rename").await, (renames.clone(), None));
    let by_admin = format!("?action=organization.rename&actor={}", stage.birch.admin.user_id);
    let (events, next) = page(&stage, &owner, &format!("{by_admin}&limit=2")).await;
    assert_eq!(events.len(), 2);
    let (rest, _) = page(&stage, &owner, &format!("{by_admin}&limit=100&cursor={}", next.unwrap())).await;
    let of_admin = renames.iter().filter(|event| event["actor"] == stage.birch.admin.user_id).count();
    assert_eq!(events.len() + rest.len(), of_admin);
    assert_eq!(page(&stage, &owner, "?action=nothing.such").await, (Vec::new(), None));

    let newest = text(&all[0]["at"]);
    for (query, any) in [
        (format!("?from={newest}"), true),
        (format!("?from={newest}&to={newest}"), false),
        ("?to=2001-01-01T00:00:00Z".to_owned(), false),
        ("?from=9999-12-31T23:59:59Z".to_owned(), false),
        (format!("?to=9999-12-31T23:59:59Z&from={newest}"), true),
    ] {
        let (events, _) = page(&stage, &owner, &query).await;
        assert_eq!(!events.is_empty(), any, "{query}: {events:?}");
        assert!(events.iter().all(|event| event["at"].as_str() >= Some(&newest)), "{query}");
    }
    let (older, _) = page(&stage, &owner, &format!("?limit=100&to={newest}")).await;
    assert!(older.iter().all(|event| event["at"].as_str() < Some(&newest)));
    // A cursor that stands before everything that is asked for.
    let (last, _) = page(&stage, &owner, "?limit=1").await;
    let (_, cursor) = page(&stage, &owner, "?limit=1").await;
    assert_eq!(last.len(), 1);
    let behind = format!("?from=9999-12-31T23:59:59Z&cursor={}", cursor.unwrap());
    assert_eq!(page(&stage, &owner, &behind).await, (Vec::new(), None));
    // One that stands behind the end of what is asked for: the end counts.
    let mut times = Vec::new();
    for name in ["Four", "Five", "Six"] {
        stage.advance(1).await;
        rename(&stage, &owner, stage.birch.id, name).await.data(200);
        let (newest, _) = page(&stage, &owner, "?limit=1").await;
        times.push(text(&newest[0]["at"]));
    }
    let (_, cursor) = page(&stage, &owner, "?limit=1").await;
    let query = format!("?limit=100&to={}&cursor={}", times[1], cursor.unwrap());
    let (events, _) = page(&stage, &owner, &query).await;
    assert_eq!(text(&events[0]["at"]), times[0], "{events:?}");
    rename(&stage, &owner, stage.birch.id, stage.birch.name).await.data(200);
}

#[tokio::test]
async fn a_query_that_asks_for_nothing_there_is_says_so() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=x", "limit"),
        ("?cursor=x", "cursor"),
        ("?cursor=a2V5XzAxSjBBQ1JOMDAwMDAwMDAwMDAwMDAwMDAw", "cursor"),
        ("?action=", "action"),
        ("?action=a%20b", "action"),
        ("?action=x&action=y", "action"),
        ("?actor=%C3%A9", "actor"),
        ("?from=yesterday", "from"),
        ("?from=2026-01-01", "from"),
        ("?to=2026-01-01T00:00:00%2B01:00", "to"),
        ("?to=", "to"),
    ] {
        let answer = audit(&stage, &owner, query).await.refused(400, "validation_failed");
        assert_eq!(answer.fields(), [field], "{query}");
    }
}

#[tokio::test]
async fn the_trail_is_for_the_owner_and_the_admins() {
    let stage = Stage::open().await;
    let (admin, viewer) = (stage.login(&stage.birch.admin).await, stage.login(&stage.birch.viewer).await);
    let neighbour = stage.login(&stage.acorn.owner).await;
    audit(&stage, &admin, "").await.data(200);
    audit(&stage, &viewer, "").await.refused(403, "insufficient_role");
    audit(&stage, &neighbour, "").await.refused(403, "wrong_organization");
    let key = stage.create_key(&admin, "Server").await;
    let route = format!("/organizations/{}/audit", stage.birch.id);
    stage.get(&route).bearer(&key.key).await.refused(403, "session_required");
    stage.get(&route).await.asks_for_credential();

    // Who may look is what is so now, not what the token says.
    stage.set_role(&stage.birch, &stage.birch.admin, "viewer").await;
    audit(&stage, &admin, "").await.refused(403, "insufficient_role");
    stage.set_role(&stage.birch, &stage.birch.admin, "admin").await;
    stage.logout(&admin).await.empty();
    audit(&stage, &admin, "").await.refused(401, "unauthorized");
}
