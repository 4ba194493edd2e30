//! A colleague is invited, joins with an account that is made or was there, and works by the role that was offered.

use e2e::{Method, Stage, json, text};

#[tokio::test]
async fn somebody_new_joins_by_the_mails_token_and_logs_in() {
    let stage = Stage::open().await;
    let (owner, dana) = (stage.login(&stage.birch.owner).await, stage.stranger("dana"));
    let invited = stage.invite(&owner, &stage.birch, dana.email, "developer").await;
    let said = invited.text().to_owned();
    let data = invited.data(201);
    assert_eq!((&data["email"], &data["role"]), (&json!(dana.email), &json!("developer")));
    let token = stage.invitation_token(&dana).await;
    assert!(!said.contains(&token), "the token is in the mail alone");
    let waiting = stage.invitations(&owner, &stage.birch).await;
    assert!(!waiting.text().contains(&token));
    assert_eq!(waiting.data(200)["invitations"], json!([data]));

    stage.accept(&token).await.refused(409, "account_required");
    for password in ["short", "password1234", dana.email] {
        let body = json!({ "token": token, "full_name": dana.full_name, "password": password });
        let refused = stage.post("/auth/invitations/accept").json(&body).await;
        assert_eq!(refused.refused(400, "validation_failed").fields(), ["password"], "{password}");
    }
    let joined = stage.accept_as(&token, &dana).await.data(200);
    assert_eq!(joined["organization"]["id"], stage.birch.id);
    assert_eq!(joined["organization"]["role"], "developer");
    assert!(joined.get("access_token").is_none());
    assert_eq!(stage.invitations(&owner, &stage.birch).await.data(200)["invitations"], json!([]));
    let roles = stage.roles(&owner, &stage.birch).await;
    assert_eq!(roles.last(), Some(&(dana.email.to_owned(), "developer".to_owned())));

    let session = stage.login_as_newcomer(&dana).await;
    assert_eq!(stage.me(&session.access_token).await.data(200)["id"], stage.birch.id);
    stage.keys(&session).await;
    stage.create(&session, &json!({ "key_name": "Mine" })).await.refused(403, "insufficient_role");
    stage.refresh(&session.refresh_token).await.data(200);
}

#[tokio::test]
async fn somebody_with_an_account_joins_by_the_token_alone() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let joined = stage.joins(&owner, &stage.acorn, &stage.birch.viewer, "admin").await;
    assert_eq!(joined["organization"]["id"], stage.acorn.id);
    assert_eq!(joined["user"]["id"], stage.birch.viewer.user_id);
    let session = stage.login_to(&stage.birch.viewer, &stage.acorn).await;
    stage.create_key(&session, "By an admin of two").await;
}

#[tokio::test]
async fn a_name_and_a_password_change_nothing_of_an_account_that_is_there() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    stage.invite(&owner, &stage.acorn, stage.birch.viewer.email, "viewer").await.data(201);
    let token = stage.invitation_token(&stage.birch.viewer).await;
    let body = json!({ "token": token, "full_name": "Mallory", "password": "another-password-42" });
    let joined = stage.post("/auth/invitations/accept").json(&body).await.data(200);
    assert_eq!(joined["user"]["full_name"], stage.birch.viewer.full_name);
    let guessed = stage.guess_password(stage.birch.viewer.email, "another-password-42").await;
    guessed.refused(401, "invalid_credentials");
    stage.login(&stage.birch.viewer).await;
}

#[tokio::test]
async fn inviting_says_nothing_about_accounts() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let (known, unknown) = (stage.birch.viewer, stage.stranger("nobody"));
    let mut texts = Vec::new();
    for person in [known, unknown] {
        let data = stage.invite(&owner, &stage.acorn, person.email, "viewer").await.data(201);
        let members: Vec<_> = data.as_object().unwrap().keys().cloned().collect();
        let mail = &stage.mails(&person).await[0];
        let token = stage.invitation_token(&person).await;
        texts.push((members, text(&mail["subject"]), text(&mail["text"]).replace(&token, "…")));
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn an_invitation_works_once_and_for_seventy_two_hours() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let (dana, late) = (stage.stranger("dana"), stage.stranger("late"));
    for person in [dana, late] {
        stage.invite(&owner, &stage.birch, person.email, "viewer").await.data(201);
    }
    let token = stage.invitation_token(&dana).await;
    stage.advance(72 * 60 * 60 - 1).await;
    stage.accept_as(&token, &dana).await.data(200);
    stage.accept_as(&token, &dana).await.refused(401, "invalid_invitation");
    stage.accept(&token).await.refused(401, "invalid_invitation");
    stage.advance(1).await;
    let expired = stage.invitation_token(&late).await;
    stage.accept_as(&expired, &late).await.refused(401, "invalid_invitation");
}

#[tokio::test]
async fn inviting_again_replaces_and_withdrawing_ends() {
    let stage = Stage::open().await;
    let (owner, dana) = (stage.login(&stage.birch.owner).await, stage.stranger("dana"));
    let first = stage.invite(&owner, &stage.birch, dana.email, "admin").await.data(201);
    let dead = stage.invitation_token(&dana).await;
    // Another spelling of the same mailbox.
    let second = stage.invite(&owner, &stage.birch, &dana.email.to_uppercase(), "viewer").await.data(201);
    let third = stage.invite(&owner, &stage.birch, dana.email, "viewer").await.data(201);
    let waiting = stage.invitations(&owner, &stage.birch).await.data(200);
    assert_eq!(waiting["invitations"], json!([third]));
    stage.accept_as(&dead, &dana).await.refused(401, "invalid_invitation");
    for replaced in [first, second] {
        let id = text(&replaced["invitation_id"]);
        stage.withdraw(&owner, &stage.birch, &id).await.refused(404, "not_found");
    }
    let token = stage.invitation_token(&dana).await;
    let id = text(&third["invitation_id"]);
    assert_eq!(stage.withdraw(&owner, &stage.birch, &id).await.status(), 204);
    stage.withdraw(&owner, &stage.birch, &id).await.refused(404, "not_found");
    stage.accept_as(&token, &dana).await.refused(401, "invalid_invitation");
    assert_eq!(stage.invitations(&owner, &stage.birch).await.data(200)["invitations"], json!([]));
}

#[tokio::test]
async fn who_is_a_member_is_not_invited_and_nobody_is_mailed_without_end() {
    let stage = Stage::open().await;
    let (owner, dana) = (stage.login(&stage.birch.owner).await, stage.stranger("dana"));
    let again = stage.invite(&owner, &stage.birch, stage.birch.viewer.email, "admin").await;
    again.refused(409, "already_member");
    for _ in 0..5 {
        stage.invite(&owner, &stage.birch, dana.email, "viewer").await.data(201);
    }
    stage.invite(&owner, &stage.birch, dana.email, "viewer").await.refused(429, "rate_limited");
    assert_eq!(stage.mails(&dana).await.len(), 5);
    // The address is shut, whoever asks.
    let neighbour = stage.login(&stage.acorn.owner).await;
    stage.invite(&neighbour, &stage.acorn, dana.email, "viewer").await.refused(429, "rate_limited");
    stage.invite(&owner, &stage.birch, stage.stranger("other").email, "viewer").await.data(201);
    stage.advance(60 * 60).await;
    let neighbour = stage.login(&stage.acorn.owner).await;
    stage.invite(&neighbour, &stage.acorn, dana.email, "viewer").await.data(201);
}

#[tokio::test]
async fn only_owners_and_admins_invite_and_nobody_invites_an_owner() {
    let stage = Stage::open().await;
    let (admin, viewer) = (stage.login(&stage.birch.admin).await, stage.login(&stage.birch.viewer).await);
    let dana = stage.stranger("dana");
    stage.invite(&viewer, &stage.birch, dana.email, "viewer").await.refused(403, "insufficient_role");
    stage.invite(&admin, &stage.acorn, dana.email, "viewer").await.refused(403, "wrong_organization");
    stage.invite(&admin, &stage.birch, dana.email, "owner").await.refused(400, "validation_failed");
    assert!(stage.mails(&dana).await.is_empty());
    let invited = stage.invite(&admin, &stage.birch, dana.email, "admin").await.data(201);
    let id = text(&invited["invitation_id"]);
    assert_eq!(stage.invitations(&viewer, &stage.birch).await.data(200)["invitations"], json!([invited]));
    stage.withdraw(&viewer, &stage.birch, &id).await.refused(403, "insufficient_role");
    let neighbour = stage.login(&stage.acorn.owner).await;
    stage.withdraw(&neighbour, &stage.acorn, &id).await.refused(404, "not_found");
    stage.accept_as(&stage.invitation_token(&dana).await, &dana).await.data(200);
}

#[tokio::test]
async fn an_invitation_outlives_whoever_sent_it_and_sleeps_while_the_organization_is_suspended() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let (admin, dana) = (stage.login(&stage.birch.admin).await, stage.stranger("dana"));
    stage.invite(&admin, &stage.birch, dana.email, "developer").await.data(201);
    assert_eq!(stage.remove(&owner, &stage.birch, stage.birch.admin.user_id).await.status(), 204);
    let token = stage.invitation_token(&dana).await;
    stage.suspend(&stage.birch, true).await;
    stage.accept_as(&token, &dana).await.refused(403, "organization_suspended");
    stage.suspend(&stage.birch, false).await;
    stage.accept_as(&token, &dana).await.data(200);
}

#[tokio::test]
async fn made_up_tokens_are_all_the_same() {
    let stage = Stage::open().await;
    let right = format!("it_{}", "A".repeat(43));
    let mut answers = Vec::new();
    for token in [right.as_str(), "it_", "rt_x", "nonsense", &right[3..]] {
        let answer = stage.accept(token).await;
        answers.push(answer.refused(401, "invalid_invitation").indistinguishable_part());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    stage.call(Method::GET, "/auth/invitations/accept").await.refused(405, "method_not_allowed");
}
