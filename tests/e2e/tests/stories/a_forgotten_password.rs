//! A password is forgotten, or changed by who knows it: it is another one at once, everywhere, and a thief who had a session has none.

use e2e::{Answer, Method, PASSWORD, Session, Stage, json, text};

const MINUTE: i64 = 60;
const NEW: &str = "six parrots over Leeds";

async fn forgot(stage: &Stage, email: &str) -> Answer {
    stage.post("/auth/password/forgot").json(&json!({ "email": email })).await
}

async fn reset(stage: &Stage, token: &str, password: &str) -> Answer {
    stage.post("/auth/password/reset").json(&json!({ "token": token, "password": password })).await
}

async fn change(stage: &Stage, session: &Session, current: &str, new: &str) -> Answer {
    let body = json!({ "current_password": current, "new_password": new });
    stage.call(Method::PUT, "/auth/password").bearer(&session.access_token).json(&body).await
}

/// The token in the newest mail.
async fn token(stage: &Stage, email: &str) -> String {
    let mails = stage.mails_to(email).await;
    let mail = text(&mails.first().expect("a mail")["text"]);
    mail.split_whitespace().find(|word| word.starts_with("rst_")).expect("a token").to_owned()
}

#[tokio::test]
async fn a_token_sets_the_password_once_and_ends_every_session() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let (laptop, phone) = (stage.login(owner).await, stage.login(owner).await);
    let begun = stage.start_login(owner).await;
    stage.advance(1).await;
    let _ = forgot(&stage, owner.email).await.data(200);
    // Having asked changes nothing yet.
    let laptop = Session::from_data(&stage.refresh(&laptop.refresh_token).await.data(200));
    let token = token(&stage, owner.email).await;
    let refused = reset(&stage, &token, "passwordpassword").await.refused(400, "validation_failed");
    assert_eq!(refused.fields(), ["password"]);
    let _ = reset(&stage, &token, NEW).await.data(200);

    for session in [&laptop, &phone] {
        stage.refresh(&session.refresh_token).await.refused(401, "invalid_refresh_token");
        stage.create(session, &json!({ "key_name": "k" })).await.refused(401, "unauthorized");
    }
    // A login that had its first step behind it ends nowhere.
    stage.verify(&begun.id, &begun.code).await.refused(401, "invalid_code");
    stage.guess_password(owner.email, PASSWORD).await.refused(401, "invalid_credentials");
    assert!(text(&stage.mails(owner).await[0]["subject"]).contains("password was changed"));
    reset(&stage, &token, "nine herons and a kite").await.refused(401, "invalid_reset_token");

    stage.advance(1).await;
    let data = stage.guess_password(owner.email, NEW).await.data(200);
    let code = stage.newest_code(owner).await;
    stage.verify(&text(&data["challenge_id"]), &code).await.data(200);
    // Their organization's others are where they were.
    stage.login(&stage.acorn.admin).await;
}

#[tokio::test]
async fn a_token_lives_thirty_minutes_and_no_longer_than_the_password_it_was_asked_for() {
    let stage = Stage::open().await;
    let email = stage.acorn.owner.email;
    let _ = forgot(&stage, email).await.data(200);
    let first = token(&stage, email).await;
    stage.advance(30 * MINUTE).await;
    reset(&stage, &first, NEW).await.refused(401, "invalid_reset_token");

    let _ = forgot(&stage, email).await.data(200);
    let second = token(&stage, email).await;
    let _ = forgot(&stage, email).await.data(200);
    let third = token(&stage, email).await;
    stage.advance(30 * MINUTE - 5).await;
    let _ = reset(&stage, &third, NEW).await.data(200);
    reset(&stage, &second, "nine herons and a kite").await.refused(401, "invalid_reset_token");
    for none in ["rst_", "rst_nothing", "nonsense", &third.to_uppercase(), &format!("{third}=")] {
        reset(&stage, none, NEW).await.refused(401, "invalid_reset_token");
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_is_told_apart_by_nothing() {
    let stage = Stage::open().await;
    let stranger = stage.new_address("nobody");
    let known = forgot(&stage, stage.acorn.owner.email).await;
    let unknown = forgot(&stage, stranger).await;
    assert_eq!(known.indistinguishable_part(), unknown.indistinguishable_part());
    let _ = (known.data(200), unknown.data(200));
    let mails = stage.mails_to(stranger).await;
    assert_eq!(mails.len(), 1);
    assert!(text(&mails[0]["text"]).contains("There is none") && !text(&mails[0]["text"]).contains("rst_"));
    for email in [stage.acorn.owner.email, stranger] {
        for _ in 0..4 {
            let _ = forgot(&stage, email).await.data(200);
        }
        let refused = forgot(&stage, email).await.refused(429, "rate_limited");
        assert!((59 * MINUTE..=60 * MINUTE).contains(&refused.retry_after()), "{refused}");
    }
    assert_eq!(stage.mails_to(stranger).await.len(), 5, "no mail for a refusal");
}

#[tokio::test]
async fn who_was_locked_out_resets_and_is_in() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    for _ in 0..10 {
        stage.guess_password(owner.email, "not the password").await.refused(401, "invalid_credentials");
    }
    stage.guess_password(owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    let _ = forgot(&stage, owner.email).await.data(200);
    let _ = reset(&stage, &token(&stage, owner.email).await, NEW).await.data(200);
    stage.guess_password(owner.email, NEW).await.data(200);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let (here, elsewhere) = (stage.login(owner).await, stage.login(owner).await);
    let begun = stage.start_login(owner).await;
    stage.advance(1).await;
    let refused = change(&stage, &here, PASSWORD, "too short").await.refused(400, "validation_failed");
    assert_eq!(refused.fields(), ["new_password"]);
    let common = change(&stage, &here, PASSWORD, "passwordpassword").await;
    assert_eq!(common.refused(400, "validation_failed").fields(), ["new_password"]);
    let missing = json!({ "new_password": NEW });
    let call = stage.call(Method::PUT, "/auth/password").bearer(&here.access_token).json(&missing);
    assert_eq!(call.await.refused(400, "validation_failed").fields(), ["current_password"]);
    change(&stage, &here, "not the password", NEW).await.refused(401, "invalid_credentials");
    let _ = change(&stage, &here, PASSWORD, NEW).await.data(200);

    let here = Session::from_data(&stage.refresh(&here.refresh_token).await.data(200));
    stage.create_key(&here, "still here").await;
    stage.refresh(&elsewhere.refresh_token).await.refused(401, "invalid_refresh_token");
    change(&stage, &elsewhere, NEW, "nine herons and a kite").await.refused(401, "unauthorized");
    stage.verify(&begun.id, &begun.code).await.refused(401, "invalid_code");
    assert!(text(&stage.mails(owner).await[0]["subject"]).contains("password was changed"));
    stage.guess_password(owner.email, PASSWORD).await.refused(401, "invalid_credentials");
    stage.guess_password(owner.email, NEW).await.data(200);
}

#[tokio::test]
async fn guesses_at_the_current_password_count_where_those_of_logins_do() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    for _ in 0..10 {
        change(&stage, &session, "not the password", NEW).await.refused(401, "invalid_credentials");
    }
    change(&stage, &session, PASSWORD, NEW).await.refused(429, "too_many_attempts");
    stage.guess_password(owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    stage.advance(15 * MINUTE).await;
    let session = stage.login(owner).await;
    let _ = change(&stage, &session, PASSWORD, NEW).await.data(200);
}

#[tokio::test]
async fn a_server_and_a_stranger_change_no_password() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "server").await;
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    let put = |bearer: &str| stage.call(Method::PUT, "/auth/password").bearer(bearer).json(&body);
    put(&key.key).await.refused(403, "session_required");
    put("nonsense").await.refused(401, "unauthorized");
    stage.suspend(&stage.acorn, true).await;
    put(&owner.access_token).await.refused(403, "organization_suspended");
    stage.suspend(&stage.acorn, false).await;
    let _ = stage.logout(&owner).await;
    put(&owner.access_token).await.refused(401, "unauthorized");
    stage.login(&stage.acorn.owner).await;
}
