//! One person, several organizations: a session is for one of them, and what happens in one stays there.

use e2e::{Method, PASSWORD, Session, Stage, json, text};

#[tokio::test]
async fn a_login_leads_where_one_says_or_where_one_was_last() {
    let stage = Stage::open().await;
    let (owner, victor) = (stage.login(&stage.acorn.owner).await, stage.birch.viewer);
    stage.joins(&owner, &stage.acorn, &victor, "admin").await;
    // Joining is no login: the next one leads to the organization of before.
    let first = stage.login(&victor).await;
    assert_eq!(stage.me(&first.access_token).await.data(200)["id"], stage.birch.id);
    let there = stage.login_to(&victor, &stage.acorn).await;
    assert_eq!(stage.me(&there.access_token).await.data(200)["id"], stage.acorn.id);
    let again = stage.login(&victor).await;
    assert_eq!(stage.me(&again.access_token).await.data(200)["id"], stage.acorn.id);

    // Each session keeps its own, with its own role.
    let first = Session::from_data(&stage.refresh(&first.refresh_token).await.data(200));
    assert_eq!(stage.me(&first.access_token).await.data(200)["id"], stage.birch.id);
    stage.create(&first, &json!({ "key_name": "No" })).await.refused(403, "insufficient_role");
    stage.create_key(&there, "Yes").await;
    stage.key_page(&first, "").await.data(200);
    stage.members(&first, &stage.acorn).await.refused(403, "wrong_organization");

    let (acorn, birch) = (stage.acorn.id.to_owned(), stage.birch.id.to_owned());
    let (admin, viewer) = ("admin".to_owned(), "viewer".to_owned());
    let mine = stage.organizations(&first).await;
    assert_eq!(mine, [(birch.clone(), viewer.clone(), true), (acorn.clone(), admin.clone(), false)]);
    assert_eq!(stage.organizations(&there).await, [(acorn, admin, true), (birch, viewer, false)]);
}

#[tokio::test]
async fn another_peoples_organization_is_told_once_the_code_is_right() {
    let stage = Stage::open().await;
    let challenge = stage.start_login(&stage.birch.viewer).await;
    let wrong = e2e::other_code(&challenge.code);
    for org in [stage.acorn.id, stage.birch.id, "org_01J0NNBDY00000000000000000", "nonsense"] {
        stage.verify_for(&challenge.id, &wrong, org).await.refused(401, "invalid_code");
    }
    let mut answers = Vec::new();
    let challenge = stage.start_login(&stage.birch.viewer).await;
    for org in [stage.acorn.id, "org_01J0NNBDY00000000000000000", "nonsense"] {
        let answer = stage.verify_for(&challenge.id, &challenge.code, org).await;
        answers.push(answer.refused(403, "wrong_organization").indistinguishable_part());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // The code was right, and is good for a choice that is theirs.
    stage.verify_for(&challenge.id, &challenge.code, stage.birch.id).await.data(200);
}

#[tokio::test]
async fn removal_ends_one_organizations_sessions_and_the_login_leads_to_the_other() {
    let stage = Stage::open().await;
    let (owner, victor) = (stage.login(&stage.acorn.owner).await, stage.birch.viewer);
    stage.joins(&owner, &stage.acorn, &victor, "admin").await;
    let (here, there) = (stage.login(&victor).await, stage.login_to(&victor, &stage.acorn).await);
    assert_eq!(stage.remove(&owner, &stage.acorn, victor.user_id).await.status(), 204);
    stage.refresh(&there.refresh_token).await.refused(401, "invalid_refresh_token");
    let here = Session::from_data(&stage.refresh(&here.refresh_token).await.data(200));
    stage.keys(&here).await;
    // Acorn was the one of last time.
    let next = stage.login(&victor).await;
    assert_eq!(stage.me(&next.access_token).await.data(200)["id"], stage.birch.id);
    let challenge = stage.start_login(&victor).await;
    let gone = stage.verify_for(&challenge.id, &challenge.code, stage.acorn.id).await;
    gone.refused(403, "wrong_organization");
}

/// What is a person's own ends their sessions wherever they are.
#[tokio::test]
async fn ending_all_sessions_and_another_password_reach_every_organization() {
    for way in ["end", "change", "reset"] {
        let stage = Stage::open().await;
        let (owner, victor) = (stage.login(&stage.acorn.owner).await, stage.birch.viewer);
        stage.joins(&owner, &stage.acorn, &victor, "admin").await;
        let (there, here) =
            (stage.login_to(&victor, &stage.acorn).await, stage.login_to(&victor, &stage.birch).await);
        stage.advance(1).await;
        match way {
            "end" => stage.end_other_sessions(&here).await.empty(),
            "change" => {
                let body = json!({ "current_password": PASSWORD, "new_password": "six parrots over Leeds" });
                let call = stage.call(Method::PUT, "/auth/password").bearer(&here.access_token);
                let _ = call.json(&body).await.data(200);
            }
            _ => {
                let _ = stage
                    .post("/auth/password/forgot")
                    .json(&json!({ "email": victor.email }))
                    .await
                    .data(200);
                let mail = text(&stage.mails(&victor).await[0]["text"]);
                let token = mail.split_whitespace().find(|word| word.starts_with("rst_"));
                let body = json!({ "token": token, "password": "six parrots over Leeds" });
                let _ = stage.post("/auth/password/reset").json(&body).await.data(200);
                stage.refresh(&here.refresh_token).await.refused(401, "invalid_refresh_token");
            }
        }
        stage.refresh(&there.refresh_token).await.refused(401, "invalid_refresh_token");
        stage.create(&there, &json!({ "key_name": "No" })).await.refused(401, "unauthorized");
        stage.keys(&owner).await;
    }
}

#[tokio::test]
async fn one_that_is_suspended_shuts_nobody_out_of_the_other() {
    let stage = Stage::open().await;
    let (owner, victor) = (stage.login(&stage.acorn.owner).await, stage.birch.viewer);
    stage.joins(&owner, &stage.acorn, &victor, "admin").await;
    let there = stage.login_to(&victor, &stage.acorn).await;
    stage.suspend(&stage.acorn, true).await;
    stage.get("/organizations").bearer(&there.access_token).await.refused(403, "organization_suspended");
    let next = stage.login(&victor).await;
    assert_eq!(stage.me(&next.access_token).await.data(200)["id"], stage.birch.id);
    let challenge = stage.start_login(&victor).await;
    let shut = stage.verify_for(&challenge.id, &challenge.code, stage.acorn.id).await;
    shut.refused(403, "organization_suspended");
    stage.verify(&challenge.id, &challenge.code).await.data(200);
    // Whoever has no other is told.
    let alone = stage.guess_password(stage.acorn.viewer.email, e2e::PASSWORD).await;
    alone.refused(403, "organization_suspended");
    stage.suspend(&stage.acorn, false).await;
    stage.login_to(&victor, &stage.acorn).await;
}

#[tokio::test]
async fn what_changes_between_the_steps_is_looked_at_by_the_second() {
    let stage = Stage::open().await;
    let (acorn, victor) = (stage.login(&stage.acorn.owner).await, stage.birch.viewer);
    let birch = stage.login(&stage.birch.owner).await;
    stage.joins(&acorn, &stage.acorn, &victor, "developer").await;
    let challenge = stage.start_login(&victor).await;
    assert_eq!(stage.remove(&birch, &stage.birch, victor.user_id).await.status(), 204);
    let session = Session::from_data(&stage.verify(&challenge.id, &challenge.code).await.data(200));
    assert_eq!(stage.me(&session.access_token).await.data(200)["id"], stage.acorn.id);
    let challenge = stage.start_login(&victor).await;
    assert_eq!(stage.remove(&acorn, &stage.acorn, victor.user_id).await.status(), 204);
    stage.verify(&challenge.id, &challenge.code).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_servers_key_has_no_list_of_organizations() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Server").await;
    stage.get("/organizations").bearer(&key.key).await.refused(403, "session_required");
    stage.get("/organizations").await.asks_for_credential();
    stage.post("/organizations").await.refused(405, "method_not_allowed");
}
