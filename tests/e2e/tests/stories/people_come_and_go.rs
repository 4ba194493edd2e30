//! Roles change and people leave: what they may is so from the next request on, whatever their tokens say.

use e2e::{Method, Session, Stage, json};

#[tokio::test]
async fn everybody_sees_who_is_in_it_the_owner_first() {
    let stage = Stage::open().await;
    let viewer = stage.login(&stage.birch.viewer).await;
    let data = stage.members(&viewer, &stage.birch).await.data(200);
    let members = data["members"].as_array().unwrap();
    assert_eq!(members[0]["user_id"], stage.birch.owner.user_id);
    assert_eq!(members[0]["role"], "owner");
    for person in stage.birch.people() {
        let shown = members.iter().find(|it| it["user_id"] == person.user_id).unwrap();
        assert_eq!(shown["email"], person.email);
        assert_eq!(shown["full_name"], person.full_name);
        assert_eq!(shown["role"], person.role.as_str());
    }
    stage.members(&viewer, &stage.acorn).await.refused(403, "wrong_organization");
    let key = stage.create_key(&stage.login(&stage.birch.owner).await, "Server").await;
    let with_key = Session { access_token: key.key, refresh_token: String::new() };
    stage.members(&with_key, &stage.birch).await.refused(403, "session_required");
}

#[tokio::test]
async fn a_role_is_another_from_the_next_request_on() {
    let stage = Stage::open().await;
    let (owner, viewer) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.viewer).await);
    stage.create(&viewer, &json!({ "key_name": "No" })).await.refused(403, "insufficient_role");
    let id = stage.birch.viewer.user_id;
    let data = stage.change_role(&owner, &stage.birch, id, "admin").await.data(200);
    assert_eq!((&data["user_id"], &data["role"]), (&json!(id), &json!("admin")));
    let key = stage.create_key(&viewer, "Yes").await;
    // Again the same: nothing changes.
    stage.change_role(&owner, &stage.birch, id, "admin").await.data(200);

    stage.change_role(&owner, &stage.birch, id, "developer").await.data(200);
    stage.revoke(&viewer, &key.id).await.refused(403, "insufficient_role");
    stage.change_role(&viewer, &stage.birch, id, "admin").await.refused(403, "insufficient_role");
    let refreshed = Session::from_data(&stage.refresh(&viewer.refresh_token).await.data(200));
    stage.revoke(&refreshed, &key.id).await.refused(403, "insufficient_role");
    stage.keys(&refreshed).await;
}

#[tokio::test]
async fn nobody_raises_themselves_and_admins_leave_the_owner_alone() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    let (owners, admins) = (stage.birch.owner.user_id, stage.birch.admin.user_id);
    stage.change_role(&admin, &stage.birch, admins, "owner").await.refused(400, "validation_failed");
    stage.change_role(&owner, &stage.birch, admins, "owner").await.refused(400, "validation_failed");
    for role in ["admin", "developer", "viewer"] {
        let answer = stage.change_role(&admin, &stage.birch, owners, role).await;
        answer.refused(403, "insufficient_role");
        stage.change_role(&owner, &stage.birch, owners, role).await.refused(409, "last_owner");
    }
    stage.remove(&admin, &stage.birch, owners).await.refused(403, "insufficient_role");
    stage.remove(&owner, &stage.birch, owners).await.refused(409, "last_owner");
    // Down they may go, and do not come up again by themselves.
    stage.change_role(&admin, &stage.birch, admins, "viewer").await.data(200);
    stage.change_role(&admin, &stage.birch, admins, "admin").await.refused(403, "insufficient_role");
    assert_eq!(stage.roles(&owner, &stage.birch).await[0].1, "owner");
}

#[tokio::test]
async fn who_is_not_in_it_is_not_there_to_be_changed() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let mut answers = Vec::new();
    for id in [stage.acorn.viewer.user_id, "usr_01J0NNBDY00000000000000000", "nonsense", "me"] {
        let answer = stage.change_role(&owner, &stage.birch, id, "viewer").await;
        answers.push(answer.refused(404, "not_found").indistinguishable_part());
        let answer = stage.remove(&owner, &stage.birch, id).await;
        answers.push(answer.refused(404, "not_found").indistinguishable_part());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    stage
        .change_role(&owner, &stage.acorn, stage.acorn.viewer.user_id, "admin")
        .await
        .refused(403, "wrong_organization");
    stage.remove(&owner, &stage.acorn, stage.acorn.viewer.user_id).await.refused(403, "wrong_organization");
}

#[tokio::test]
async fn who_was_removed_writes_and_refreshes_nothing_and_their_key_works_on() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    let key = stage.create_key(&admin, "By one who goes").await;
    let id = stage.birch.admin.user_id;
    assert_eq!(stage.remove(&owner, &stage.birch, id).await.status(), 204);
    stage.remove(&owner, &stage.birch, id).await.refused(404, "not_found");
    stage.revoke(&admin, &key.id).await.refused(403, "insufficient_role");
    stage.create(&admin, &json!({ "key_name": "No" })).await.refused(403, "insufficient_role");
    stage.switch(&admin, &stage.birch, "live").await.refused(403, "insufficient_role");
    stage.members(&admin, &stage.birch).await.refused(403, "insufficient_role");
    stage.invite(&admin, &stage.birch, "x@y.example", "viewer").await.refused(403, "insufficient_role");
    stage.refresh(&admin.refresh_token).await.refused(401, "invalid_refresh_token");
    stage.me(&key.key).await.data(200);
    // Nowhere to log in to any more, which looks like a wrong password.
    let guessed = stage.guess_password(stage.birch.admin.email, e2e::PASSWORD).await;
    guessed.refused(401, "invalid_credentials");
}

#[tokio::test]
async fn who_comes_back_comes_with_nothing_of_before() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    stage.advance(2).await;
    assert_eq!(stage.remove(&owner, &stage.birch, stage.birch.admin.user_id).await.status(), 204);
    stage.joins(&owner, &stage.birch, &stage.birch.admin, "admin").await;
    stage.refresh(&admin.refresh_token).await.refused(401, "invalid_refresh_token");
    stage.create(&admin, &json!({ "key_name": "Old" })).await.refused(401, "unauthorized");
    let again = stage.login(&stage.birch.admin).await;
    stage.create_key(&again, "New").await;
}

#[tokio::test]
async fn whoever_is_not_the_owner_may_leave() {
    let stage = Stage::open().await;
    let viewer = stage.login(&stage.birch.viewer).await;
    let id = stage.birch.viewer.user_id;
    stage.remove(&viewer, &stage.birch, stage.birch.admin.user_id).await.refused(403, "insufficient_role");
    assert_eq!(stage.remove(&viewer, &stage.birch, id).await.status(), 204);
    stage.remove(&viewer, &stage.birch, id).await.refused(403, "insufficient_role");
    stage.refresh(&viewer.refresh_token).await.refused(401, "invalid_refresh_token");
    let admin = stage.login(&stage.birch.admin).await;
    let id = stage.birch.admin.user_id;
    assert_eq!(stage.remove(&admin, &stage.birch, id).await.status(), 204);
    let owner = stage.login(&stage.birch.owner).await;
    assert_eq!(stage.roles(&owner, &stage.birch).await.len(), 1);
}

#[tokio::test]
async fn these_paths_know_no_other_methods() {
    let stage = Stage::open().await;
    let organization = format!("/organizations/{}", stage.birch.id);
    for (path, methods) in [
        ("/members", vec![Method::POST, Method::PUT, Method::DELETE]),
        ("/members/usr_x", vec![Method::GET, Method::POST, Method::PUT]),
        ("/invitations", vec![Method::PUT, Method::DELETE]),
        ("/invitations/inv_x", vec![Method::GET, Method::POST]),
        ("/owner", vec![Method::GET, Method::PUT, Method::DELETE]),
    ] {
        for method in methods {
            let call = stage.call(method, &format!("{organization}{path}"));
            call.await.refused(405, "method_not_allowed");
        }
    }
}
