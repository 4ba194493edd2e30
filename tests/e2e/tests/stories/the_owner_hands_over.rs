//! One owner at any time: the organization is handed over, never left without.

use e2e::{PASSWORD, Stage, json};

#[tokio::test]
async fn the_owner_hands_over_and_is_an_admin() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    let (before, after) = (stage.birch.owner.user_id, stage.birch.admin.user_id);
    let data = stage.hand_over(&owner, &stage.birch, after, PASSWORD).await.data(200);
    assert_eq!(data["owner_user_id"], after);
    assert_eq!(stage.me(&admin.access_token).await.data(200)["owner_user_id"], after);
    let roles = stage.roles(&admin, &stage.birch).await;
    assert_eq!(roles[0], (stage.birch.admin.email.to_owned(), "owner".to_owned()));
    assert!(roles.contains(&(stage.birch.owner.email.to_owned(), "admin".to_owned())));
    // Both tokens say what was; both writes look again.
    stage.hand_over(&owner, &stage.birch, before, PASSWORD).await.refused(403, "insufficient_role");
    stage.change_role(&owner, &stage.birch, after, "viewer").await.refused(403, "insufficient_role");
    stage.create_key(&owner, "An admin may").await;
    stage.remove(&admin, &stage.birch, after).await.refused(409, "last_owner");
    assert_eq!(stage.remove(&admin, &stage.birch, before).await.status(), 204);
}

#[tokio::test]
async fn it_takes_the_owner_their_password_and_a_member() {
    let stage = Stage::open().await;
    let (owner, admin) = (stage.login(&stage.birch.owner).await, stage.login(&stage.birch.admin).await);
    let (owners, admins) = (stage.birch.owner.user_id, stage.birch.admin.user_id);
    stage.hand_over(&admin, &stage.birch, admins, PASSWORD).await.refused(403, "insufficient_role");
    stage.hand_over(&owner, &stage.acorn, admins, PASSWORD).await.refused(403, "wrong_organization");
    for nobody in [stage.acorn.admin.user_id, "usr_01J0NNBDY00000000000000000", "nonsense"] {
        stage.hand_over(&owner, &stage.birch, nobody, PASSWORD).await.refused(404, "not_found");
    }
    let wrong = stage.hand_over(&owner, &stage.birch, admins, "not the password").await;
    wrong.refused(401, "invalid_credentials");
    // To oneself changes nothing.
    let data = stage.hand_over(&owner, &stage.birch, owners, PASSWORD).await.data(200);
    assert_eq!(data["owner_user_id"], owners);
    assert_eq!(stage.roles(&owner, &stage.birch).await[0].1, "owner");
}

#[tokio::test]
async fn the_password_is_not_guessed_here_either() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.birch.owner).await;
    let id = stage.birch.admin.user_id;
    for _ in 0..10 {
        let guess = stage.hand_over(&owner, &stage.birch, id, "not the password").await;
        guess.refused(401, "invalid_credentials");
    }
    stage.hand_over(&owner, &stage.birch, id, PASSWORD).await.refused(429, "too_many_attempts");
    let login = stage.guess_password(stage.birch.owner.email, PASSWORD).await;
    login.refused(429, "too_many_attempts");
    stage.create(&owner, &json!({ "key_name": "Their session goes on" })).await.data(201);
}
