//! Somebody sets an authenticator app up: its codes take the place of mailed ones, each once; and ten backup codes for when it is lost.

use e2e::{PASSWORD, Stage, backup_codes, json, other_code, text};

const MINUTE: i64 = 60;
/// How long a code of the app is shown.
const STEP: i64 = 30;

#[tokio::test]
async fn from_the_next_login_on_the_apps_codes_count_and_no_mailed_one() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    assert_eq!(stage.factors(&session).await, json!({ "totp": null, "backup_codes_left": 0 }));
    let before = stage.start_login(owner).await;

    let app = stage.turn_totp_on(&session).await;
    let told = stage.mails(owner).await[0].clone();
    assert!(text(&told["subject"]).contains("authenticator app") && told["code"].is_null(), "{told}");
    let factors = stage.factors(&session).await;
    assert!(factors["totp"]["since"].is_string() && factors["backup_codes_left"] == 10, "{factors}");

    // A login that began before does not end after it; and who logs in now is asked for the app.
    stage.verify(&before.id, &before.code).await.refused(401, "invalid_code");
    let begun = stage.start_login_with_app(owner).await;
    assert_eq!(begun["backup_code_allowed"], true);
    let id = text(&begun["challenge_id"]);
    stage.verify(&id, &before.code).await.refused(401, "invalid_code");
    stage.resend(&id).await.refused(409, "totp_enabled");
    // The code that confirmed is used; the phone may be a step ahead.
    let now = stage.now().await;
    stage.verify(&id, &app.phone.code(now)).await.refused(401, "invalid_code");
    stage.verify(&id, &app.phone.code(now + STEP)).await.data(200);
    // The other people of the organization are asked as before.
    stage.login(&stage.acorn.admin).await;
}

#[tokio::test]
async fn a_code_of_the_app_works_once_and_so_do_those_before_it() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let app = stage.turn_totp_on(&stage.login(owner).await).await;
    stage.advance(2 * STEP).await;
    let now = stage.now().await;
    let (first, second) = (
        stage.challenge_with_app(owner, &app.phone, now).await,
        stage.challenge_with_app(owner, &app.phone, now).await,
    );
    stage.verify(&first.id, &first.code).await.data(200);
    stage.verify(&first.id, &first.code).await.refused(401, "invalid_code");
    stage.verify(&second.id, &second.code).await.refused(401, "invalid_code");
    stage.verify(&second.id, &app.phone.code(now - STEP)).await.refused(401, "invalid_code");
    stage.verify(&second.id, &app.phone.code(now + 2 * STEP)).await.refused(401, "invalid_code");
    stage.verify(&second.id, &app.phone.code(now + STEP)).await.data(200);
}

#[tokio::test]
async fn wrong_codes_of_the_app_kill_the_challenge_and_shut_the_address() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    let app = stage.turn_totp_on(&session).await;
    let now = stage.now().await;
    for _ in 0..2 {
        let challenge = stage.challenge_with_app(owner, &app.phone, now + STEP).await;
        let wrong = other_code(&challenge.code);
        for nth in 0..5 {
            match nth % 2 {
                0 => stage.verify(&challenge.id, &wrong).await.refused(401, "invalid_code"),
                _ => stage
                    .verify_with_backup_code(&challenge.id, "00000-00000")
                    .await
                    .refused(401, "invalid_code"),
            };
        }
    }
    stage.guess_password(owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    // What takes a code and is asked of a session is counted with them.
    let body = json!({ "password": PASSWORD, "code": app.phone.code(now + STEP) });
    stage.remove_totp(&session, &body).await.refused(429, "too_many_attempts");
    stage.advance(15 * MINUTE).await;
    let now = stage.now().await;
    stage.login_with_app(owner, &app.phone, now).await;
}

#[tokio::test]
async fn a_backup_code_works_once_and_its_owner_is_told_how_many_are_left() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    let app = stage.turn_totp_on(&session).await;
    let id = text(&stage.start_login_with_app(owner).await["challenge_id"]);
    // As people type it.
    let typed = app.backup_codes[3].to_lowercase().replace('-', " ");
    stage.verify(&id, &typed).await.refused(401, "invalid_code");
    stage.verify_with_backup_code(&id, &typed).await.data(200);
    let told = stage.mails(owner).await[0].clone();
    assert!(text(&told["text"]).contains("You have 9 left"), "{told}");
    assert_eq!(stage.factors(&session).await["backup_codes_left"], 9);

    let id = text(&stage.start_login_with_app(owner).await["challenge_id"]);
    stage.verify_with_backup_code(&id, &app.backup_codes[3]).await.refused(401, "invalid_code");
    stage.verify_with_backup_code(&id, &app.backup_codes[4]).await.data(200);
}

#[tokio::test]
async fn new_backup_codes_kill_the_old_ones() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    let app = stage.turn_totp_on(&session).await;
    let code = app.phone.code(stage.now().await + STEP);
    let wrong = json!({ "password": "not the password", "code": code });
    stage.remake_backup_codes(&session, &wrong).await.refused(401, "invalid_credentials");
    let proof = json!({ "password": PASSWORD, "code": code });
    let new = backup_codes(&stage.remake_backup_codes(&session, &proof).await.data(201));
    stage.remake_backup_codes(&session, &proof).await.refused(401, "invalid_code");
    assert!(new.len() == 10 && new.iter().all(|code| !app.backup_codes.contains(code)));
    let id = text(&stage.start_login_with_app(owner).await["challenge_id"]);
    stage.verify_with_backup_code(&id, &app.backup_codes[0]).await.refused(401, "invalid_code");
    stage.verify_with_backup_code(&id, &new[0]).await.data(200);
}

#[tokio::test]
async fn who_lost_the_phone_logs_in_and_turns_the_app_off_with_backup_codes() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let app = stage.turn_totp_on(&stage.login(owner).await).await;
    let id = text(&stage.start_login_with_app(owner).await["challenge_id"]);
    let data = stage.verify_with_backup_code(&id, &app.backup_codes[0]).await.data(200);
    let session = e2e::Session::from_data(&data);
    let under_way = text(&stage.start_login_with_app(owner).await["challenge_id"]);

    let proof =
        |password: &str, code: &str| json!({ "password": password, "code": code, "code_type": "backup" });
    stage.remove_totp(&session, &json!({ "password": PASSWORD })).await.refused(400, "validation_failed");
    let used = proof(PASSWORD, &app.backup_codes[0]);
    stage.remove_totp(&session, &used).await.refused(401, "invalid_code");
    let wrong = proof("not the password", &app.backup_codes[1]);
    stage.remove_totp(&session, &wrong).await.refused(401, "invalid_credentials");
    stage.remove_totp(&session, &proof(PASSWORD, &app.backup_codes[1])).await.empty();
    assert!(text(&stage.mails(owner).await[0]["text"]).contains("turned off"));
    assert_eq!(stage.factors(&session).await, json!({ "totp": null, "backup_codes_left": 0 }));

    // A login that began with the app does not end without it, and codes are mailed again.
    stage.verify_with_backup_code(&under_way, &app.backup_codes[2]).await.refused(401, "invalid_code");
    stage.remove_totp(&session, &proof(PASSWORD, &app.backup_codes[2])).await.refused(404, "not_found");
    stage.login(owner).await;
}

#[tokio::test]
async fn setting_an_app_up_takes_the_password_and_a_code_within_ten_minutes() {
    let stage = Stage::open().await;
    let session = stage.login(&stage.acorn.owner).await;
    stage.confirm_totp(&session, "123456").await.refused(404, "not_found");
    stage.begin_totp(&session, "not the password").await.refused(401, "invalid_credentials");
    let data = stage.begin_totp(&session, PASSWORD).await.data(201);
    let phone = devstack::phone::Phone::typed(&text(&data["secret"])).unwrap();
    assert!(text(&data["qr_svg"]).starts_with("<svg "));
    // Nothing has changed yet.
    stage.login(&stage.acorn.owner).await;
    stage.advance(10 * MINUTE).await;
    let now = stage.now().await;
    stage.confirm_totp(&session, &phone.code(now)).await.refused(404, "not_found");

    // What is begun again takes the place of what was begun before.
    stage.begin_totp(&session, PASSWORD).await.data(201);
    stage.confirm_totp(&session, &phone.code(now)).await.refused(401, "invalid_code");
    let app = stage.turn_totp_on(&session).await;
    stage.begin_totp(&session, PASSWORD).await.refused(409, "totp_enabled");
    stage.confirm_totp(&session, &app.phone.code(now)).await.refused(409, "totp_enabled");
}

#[tokio::test]
async fn guesses_from_a_session_count_where_those_of_logins_do() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    for _ in 0..10 {
        stage.begin_totp(&session, "not the password").await.refused(401, "invalid_credentials");
    }
    stage.begin_totp(&session, PASSWORD).await.refused(429, "too_many_attempts");
    stage.guess_password(owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    stage.advance(15 * MINUTE).await;
    let session = stage.login(owner).await;
    let data = stage.begin_totp(&session, PASSWORD).await.data(201);
    let phone = devstack::phone::Phone::typed(&text(&data["secret"])).unwrap();
    let right = phone.code(stage.now().await);
    for _ in 0..10 {
        stage.confirm_totp(&session, &other_code(&right)).await.refused(401, "invalid_code");
    }
    stage.confirm_totp(&session, &right).await.refused(429, "too_many_attempts");
    stage.guess_password(owner.email, PASSWORD).await.refused(429, "too_many_attempts");
}

#[tokio::test]
async fn a_wrong_password_looks_the_same_with_an_app_and_without() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let plain = stage.guess_password(owner.email, "wrong").await.refused(401, "invalid_credentials");
    stage.turn_totp_on(&stage.login(owner).await).await;
    let with_app = stage.guess_password(owner.email, "wrong").await.refused(401, "invalid_credentials");
    let nobody = stage.guess_password("nobody@nowhere.example", "wrong").await;
    let nobody = nobody.refused(401, "invalid_credentials");
    assert_eq!(plain.indistinguishable_part(), with_app.indistinguishable_part());
    assert_eq!(nobody.indistinguishable_part(), with_app.indistinguishable_part());
}

#[tokio::test]
async fn who_is_logged_out_changes_no_factor_and_sees_none() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let session = stage.login(owner).await;
    let app = stage.turn_totp_on(&session).await;
    stage.logout(&session).await.empty();
    let proof = json!({ "password": PASSWORD, "code": app.phone.code(stage.now().await + STEP) });
    stage.remove_totp(&session, &proof).await.refused(401, "unauthorized");
    stage.remake_backup_codes(&session, &proof).await.refused(401, "unauthorized");
    stage.begin_totp(&session, PASSWORD).await.refused(401, "unauthorized");
    stage.get("/auth/factors").bearer(&session.access_token).await.refused(401, "unauthorized");
    let key_holder = stage.login(&stage.acorn.admin).await;
    let key = stage.create_key(&key_holder, "Server").await;
    stage.get("/auth/factors").bearer(&key.key).await.refused(403, "session_required");
}
