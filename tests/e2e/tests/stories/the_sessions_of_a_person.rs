//! Somebody looks where they are logged in, and ends what they do not know.

use e2e::{Session, Stage, Value, text};

const DAY: i64 = 24 * 60 * 60;

/// Logs in with a client of this name.
async fn login_as(stage: &Stage, client: &str) -> Session {
    let challenge = stage.start_login(&stage.acorn.owner).await;
    let body = e2e::json!({ "challenge_id": challenge.id, "code": challenge.code });
    let call = stage.post("/auth/login/2fa/verify").header("User-Agent", client);
    Session::from_data(&call.json(&body).await.data(200))
}

fn ids(sessions: &[Value]) -> Vec<String> {
    sessions.iter().map(|session| text(&session["session_id"])).collect()
}

/// The id of the session that asks.
async fn own_id(stage: &Stage, session: &Session) -> String {
    let listed = stage.sessions(session).await;
    text(&listed.iter().find(|it| it["current"] == true).unwrap()["session_id"])
}

#[tokio::test]
async fn each_session_is_listed_with_where_and_when_and_which_one_asks() {
    let stage = Stage::open().await;
    let first = login_as(&stage, "The till").await;
    stage.advance(5).await;
    let second = login_as(&stage, "Mozilla/5.0 (X11)").await;
    let other = stage.login(&stage.acorn.admin).await;

    let listed = stage.sessions(&second).await;
    let current: Vec<_> = listed.iter().map(|session| session["current"].as_bool().unwrap()).collect();
    assert_eq!(current, [true, false], "newest first, and nobody else's");
    assert_eq!(listed[0]["client"], "Mozilla/5.0 (X11)");
    assert!(listed.iter().all(|it| it["org_id"] == stage.acorn.id && it["address"].is_string()));
    assert!(listed.iter().all(|it| it["last_refreshed_at"].is_null() && it["created_at"].is_string()));
    let refreshed = Session::from_data(&stage.refresh(&first.refresh_token).await.data(200));
    let listed = stage.sessions(&refreshed).await;
    assert!(listed[1]["last_refreshed_at"].is_string() && listed[1]["current"] == true, "{listed:?}");
    assert_eq!(stage.sessions(&other).await.len(), 1);
    // What a client calls itself is shown to people: plain text, and no more of it than there is room for.
    stage.advance(1).await;
    let long = login_as(&stage, &format!("A\tb{}", "c".repeat(300))).await;
    assert_eq!(stage.sessions(&long).await[0]["client"], format!("Ab{}", "c".repeat(198)));
}

#[tokio::test]
async fn a_session_that_is_ended_refreshes_no_more_and_writes_nothing() {
    let stage = Stage::open().await;
    let (mine, strange) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.owner).await);
    let strange_id = own_id(&stage, &strange).await;
    stage.end_session(&mine, &strange_id).await.empty();
    stage.end_session(&mine, &strange_id).await.empty();
    stage.refresh(&strange.refresh_token).await.refused(401, "invalid_refresh_token");
    stage.create(&strange, &e2e::json!({ "key_name": "Strange" })).await.refused(401, "unauthorized");
    stage.end_other_sessions(&strange).await.refused(401, "unauthorized");
    stage.session_page(&strange, "").await.refused(401, "unauthorized");
    assert_eq!(stage.sessions(&mine).await.len(), 1);
    // Ending the one that asks is logging out.
    let own = own_id(&stage, &mine).await;
    stage.end_session(&mine, &own).await.empty();
    stage.refresh(&mine.refresh_token).await.refused(401, "invalid_refresh_token");
}

#[tokio::test]
async fn ending_all_others_leaves_the_one_that_asks() {
    let stage = Stage::open().await;
    let old = stage.login(&stage.acorn.owner).await;
    let lost = stage.login(&stage.acorn.owner).await;
    stage.advance(2).await;
    let mine = stage.login(&stage.acorn.owner).await;
    let admin = stage.login(&stage.acorn.admin).await;
    stage.end_other_sessions(&mine).await.empty();
    stage.end_other_sessions(&mine).await.empty();
    for over in [&old, &lost] {
        stage.refresh(&over.refresh_token).await.refused(401, "invalid_refresh_token");
    }
    assert_eq!(ids(&stage.sessions(&mine).await).len(), 1);
    let mine = Session::from_data(&stage.refresh(&mine.refresh_token).await.data(200));
    stage.create_key(&mine, "Server").await;
    stage.refresh(&admin.refresh_token).await.data(200);
    // Whoever logs in later is not among those that were ended.
    stage.advance(1).await;
    let later = stage.login(&stage.acorn.owner).await;
    assert_eq!(stage.sessions(&mine).await.len(), 2);
    stage.end_other_sessions(&later).await.empty();
    stage.refresh(&mine.refresh_token).await.refused(401, "invalid_refresh_token");
    stage.refresh(&later.refresh_token).await.data(200);
}

#[tokio::test]
async fn somebody_elses_session_is_none() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.admin).await);
    let theirs = own_id(&stage, &admin).await;
    let theirs = stage.end_session(&owner, &theirs).await.refused(404, "not_found");
    for id in ["ses_01J0NNBDY00000000000000000", "ses_", "me", stage.acorn.id] {
        let nobodys = stage.end_session(&owner, id).await.refused(404, "not_found");
        assert_eq!(nobodys.indistinguishable_part(), theirs.indistinguishable_part());
    }
    stage.refresh(&admin.refresh_token).await.data(200);
    let key = stage.create_key(&owner, "Server").await;
    stage.get("/auth/sessions").bearer(&key.key).await.refused(403, "session_required");
}

#[tokio::test]
async fn what_logged_out_or_is_a_month_old_is_not_listed() {
    let stage = Stage::open().await;
    let gone = stage.login(&stage.acorn.owner).await;
    stage.logout(&gone).await.empty();
    stage.login(&stage.acorn.owner).await;
    stage.advance(20 * DAY).await;
    let mine = stage.login(&stage.acorn.owner).await;
    assert_eq!(stage.sessions(&mine).await.len(), 2);
    stage.advance(10 * DAY).await;
    let mine = Session::from_data(&stage.refresh(&mine.refresh_token).await.data(200));
    let listed = stage.sessions(&mine).await;
    assert!(listed.len() == 1 && listed[0]["current"] == true, "{listed:?}");
}

#[tokio::test]
async fn many_sessions_come_page_by_page() {
    let stage = Stage::open().await;
    let mut newest = stage.login(&stage.acorn.owner).await;
    for _ in 0..4 {
        stage.advance(1).await;
        newest = stage.login(&stage.acorn.owner).await;
    }
    let all = ids(&stage.sessions(&newest).await);
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = stage.session_page(&newest, &query).await.data(200);
        seen.extend(ids(page["sessions"].as_array().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!((seen.len(), &seen), (5, &all));
    for wrong in ["?limit=0", "?limit=51", "?limit=x", "?cursor=x", "?limit=1&limit=2"] {
        stage.session_page(&newest, wrong).await.refused(400, "validation_failed");
    }
}
