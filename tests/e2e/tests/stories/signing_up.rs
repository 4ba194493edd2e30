//! Somebody who has no account signs up, shows that the address is theirs, and works; and whoever tries to learn or take something by it does not.

use e2e::{Session, Stage, json, other_code, text};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const OWN_PASSWORD: &str = "six parrots over Leeds";

async fn sign_up(stage: &Stage, email: &str, password: &str) {
    let body = json!({ "email": email, "password": password, "full_name": "Olivia Newcomer" });
    let _ = stage.post("/auth/register").json(&body).await.data(201);
}

async fn confirm(stage: &Stage, email: &str, code: &str) -> e2e::Answer {
    stage.post("/auth/verify-email").json(&json!({ "email": email, "otp": code })).await
}

async fn code(stage: &Stage, email: &str) -> String {
    text(&stage.mails_to(email).await.first().expect("a mail")["code"])
}

#[tokio::test]
async fn from_nothing_to_a_key_over_the_api_alone() {
    let stage = Stage::open().await;
    let email = stage.new_address("Olivia");
    let body =
        json!({ "email": email, "password": OWN_PASSWORD, "full_name": "Olivia Newcomer", "country": "NL" });
    let data = stage.post("/auth/register").json(&body).await.data(201);
    assert!(!text(&data["message"]).is_empty());
    let user = &data["user"];
    assert_eq!((&user["email"], &user["full_name"]), (&json!(email), &json!("Olivia Newcomer")));
    assert_eq!(user["hasOnboarded"], false);

    // Not yet: the address could be anybody's.
    stage.guess_password(email, OWN_PASSWORD).await.refused(401, "invalid_credentials");
    let code = code(&stage, email).await;
    let data = confirm(&stage, email, &code).await.data(200);
    assert_eq!(
        (&data["token_type"], &data["expires_in"], &data["user"]),
        (&json!("Bearer"), &json!(900), user)
    );
    let session = Session::from_data(&data);

    let organization = stage.me(&session.access_token).await.data(200);
    assert_eq!(organization["name"], "Olivia Newcomer's organization");
    assert_eq!(organization["owner_user_id"], user["id"]);
    assert_eq!((&organization["country"], &organization["current_env"]), (&json!("NL"), &json!("test")));
    assert_eq!(organization["onboarding_status"], "NOT_STARTED");
    assert_eq!(
        (&organization["payments_status"], &organization["is_active"]),
        (&json!("DISABLED"), &json!(true))
    );
    let key = stage.create_key(&session, "First").await;
    stage.me(&key.key).await.data(200);
    let live = json!({ "env": "live" });
    let route = format!("/organizations/{}/environment", text(&organization["id"]));
    let switch = stage.call(e2e::Method::PUT, &route).bearer(&session.access_token).json(&live);
    switch.await.refused(403, "onboarding_incomplete");

    // From now on they log in like everybody.
    stage.refresh(&session.refresh_token).await.data(200);
    let data = stage.guess_password(email, OWN_PASSWORD).await.data(200);
    let login = text(&stage.mails_to(email).await.first().expect("a mail")["code"]);
    stage.verify(&text(&data["challenge_id"]), &login).await.data(200);
    confirm(&stage, email, &login).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_code_works_once_for_ten_minutes_and_five_tries() {
    let stage = Stage::open().await;
    let email = stage.new_address("tries");
    sign_up(&stage, email, OWN_PASSWORD).await;
    let first = code(&stage, email).await;
    for _ in 0..4 {
        confirm(&stage, email, &other_code(&first)).await.refused(401, "invalid_code");
    }
    confirm(&stage, email, &first).await.data(200);
    confirm(&stage, email, &first).await.refused(401, "invalid_code");

    let late = stage.new_address("late");
    sign_up(&stage, late, OWN_PASSWORD).await;
    let first = code(&stage, late).await;
    stage.advance(10 * MINUTE).await;
    confirm(&stage, late, &first).await.refused(401, "invalid_code");
    // For a day another one can be had.
    stage.post("/auth/verify-email/resend").json(&json!({ "email": late })).await.data(200);
    let second = code(&stage, late).await;
    for _ in 0..4 {
        confirm(&stage, late, &other_code(&second)).await.refused(401, "invalid_code");
    }
    confirm(&stage, late, &second).await.data(200);

    let killed = stage.new_address("killed");
    sign_up(&stage, killed, OWN_PASSWORD).await;
    let right = code(&stage, killed).await;
    for _ in 0..5 {
        confirm(&stage, killed, &other_code(&right)).await.refused(401, "invalid_code");
    }
    confirm(&stage, killed, &right).await.refused(401, "invalid_code");
    // Whoever wants it still signs up again.
    sign_up(&stage, killed, OWN_PASSWORD).await;
    confirm(&stage, killed, &code(&stage, killed).await).await.data(200);
}

#[tokio::test]
async fn ten_wrong_codes_shut_an_addresss_sign_ups_and_not_its_logins() {
    let stage = Stage::open().await;
    // Somebody who has an account and somebody who never heard of us: the same.
    let stranger = stage.new_address("stranger");
    let mut shut = Vec::new();
    for email in [stage.acorn.owner.email, stranger] {
        for _ in 0..10 {
            confirm(&stage, email, "000000").await.refused(401, "invalid_code");
        }
        let refused = confirm(&stage, email, "000000").await.refused(429, "too_many_attempts");
        assert!((14 * MINUTE..=15 * MINUTE).contains(&refused.retry_after()), "{refused}");
        shut.push(refused.indistinguishable_part());
    }
    assert_eq!(shut[0].0, shut[1].0);
    assert_eq!(shut[0].2, shut[1].2);
    stage.login(&stage.acorn.owner).await;
    stage.advance(15 * MINUTE).await;
    confirm(&stage, stranger, "000000").await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_taken_address_is_told_apart_by_nothing_and_its_owner_is_told() {
    let stage = Stage::open().await;
    let owner = &stage.acorn.owner;
    let free = stage.new_address("owner");
    let mut told = Vec::new();
    for email in [owner.email, free] {
        let body = json!({ "email": email, "password": OWN_PASSWORD, "full_name": "Somebody Else" });
        let answer = stage.post("/auth/register").json(&body).await;
        let (status, headers, text) = answer.indistinguishable_part();
        let user = answer.data(201)["user"].clone();
        let text = text.replace(email, "ADDRESS").replace(&e2e::text(&user["id"]), "ID");
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| name != "content-length").collect();
        told.push((status, headers, text));
    }
    assert_eq!(told[0], told[1]);
    let mails = stage.mails_to(owner.email).await;
    assert!(text(&mails[0]["text"]).contains("has an account already"), "{}", mails[0]);
    assert!(mails[0]["code"].is_null(), "{}", mails[0]);
    assert!(!text(&mails[0]["text"]).contains("Somebody Else"), "a stranger writes no mail of ours");
    // Nothing of the account is another one.
    stage.login(owner).await;
    stage.guess_password(owner.email, OWN_PASSWORD).await.refused(401, "invalid_credentials");
    // Sent again, it is the same letter, and the same answer.
    stage.post("/auth/verify-email/resend").json(&json!({ "email": owner.email })).await.data(200);
    assert!(text(&stage.mails_to(owner.email).await[0]["text"]).contains("has an account already"));
}

#[tokio::test]
async fn the_latest_sign_up_of_an_address_is_the_one_that_counts() {
    let stage = Stage::open().await;
    let email = stage.new_address("twice");
    let body = |password: &str| json!({ "email": email, "password": password, "full_name": "Twice" });
    let squatter = stage.post("/auth/register").json(&body("nine herons and a kite")).await.data(201);
    let old = code(&stage, email).await;
    let owner = stage.post("/auth/register").json(&body(OWN_PASSWORD)).await.data(201);
    assert_ne!(squatter["user"]["id"], owner["user"]["id"]);
    let new = code(&stage, email).await;
    // Once in a million the new code is the old one.
    if old != new {
        confirm(&stage, email, &old).await.refused(401, "invalid_code");
    }
    let data = confirm(&stage, email, &new).await.data(200);
    assert_eq!(data["user"]["id"], owner["user"]["id"]);
    stage.guess_password(email, "nine herons and a kite").await.refused(401, "invalid_credentials");
    stage.guess_password(email, OWN_PASSWORD).await.data(200);
}

#[tokio::test]
async fn a_code_is_sent_again_once_a_minute_and_three_times_to_anybody() {
    let stage = Stage::open().await;
    let (waiting, stranger) = (stage.new_address("waiting"), stage.new_address("nobody"));
    sign_up(&stage, waiting, OWN_PASSWORD).await;
    for email in [waiting, stranger] {
        let resend = || stage.post("/auth/verify-email/resend").json(&json!({ "email": email }));
        let before = stage.mails_to(email).await.len();
        for nth in 1..=3 {
            resend().await.data(200);
            assert_eq!(stage.mails_to(email).await.len(), before + nth, "one mail each");
            let early = resend().await.refused(429, "rate_limited");
            assert!(early.retry_after() >= 55, "{early}");
            stage.advance(MINUTE).await;
        }
        let refused = resend().await.refused(429, "rate_limited");
        assert!(refused.retry_after() > 50 * MINUTE, "{refused}");
        assert_eq!(stage.mails_to(email).await.len(), before + 3, "no mail for a refusal");
    }
    assert!(stage.mails_to(stranger).await.iter().all(|mail| mail["code"].is_null()));
    confirm(&stage, waiting, &code(&stage, waiting).await).await.data(200);
    stage.advance(HOUR).await;
    stage.post("/auth/verify-email/resend").json(&json!({ "email": stranger })).await.data(200);
}

#[tokio::test]
async fn an_address_is_mailed_five_times_an_hour_known_or_not() {
    let stage = Stage::open().await;
    for email in [stage.birch.owner.email, stage.new_address("popular")] {
        for _ in 0..5 {
            sign_up(&stage, email, OWN_PASSWORD).await;
        }
        let body = json!({ "email": email, "password": OWN_PASSWORD, "full_name": "Olivia Newcomer" });
        let refused = stage.post("/auth/register").json(&body).await.refused(429, "rate_limited");
        assert!((59 * MINUTE..=HOUR).contains(&refused.retry_after()), "{refused}");
        stage.advance(refused.retry_after()).await;
        sign_up(&stage, email, OWN_PASSWORD).await;
    }
}

#[tokio::test]
async fn what_is_refused_says_why_and_mails_nobody() {
    let stage = Stage::open().await;
    let email = stage.new_address("refused");
    let good = json!({ "email": email, "password": OWN_PASSWORD, "full_name": "Olivia Newcomer" });
    for (field, value) in [
        ("password", json!("elevenchars")),
        ("password", json!("passwordpassword")),
        ("password", json!("Password1234")),
        ("password", json!("OliviaNewcomer")),
        ("password", json!("syncgram-pay-2026")),
        ("password", json!("aaaaaaaaaaaa")),
        ("password", json!("x".repeat(257))),
        ("password", json!(123_456_789_012_i64)),
        ("email", json!("no address")),
        ("email", json!("ren\u{e9}@shop.example")),
        ("email", json!("a,b@shop.example")),
        ("email", json!("owner@localhost")),
        ("full_name", json!("")),
        ("full_name", json!("a\nb")),
        ("country", json!("nl")),
        ("country", json!("NLD")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let refused = stage.post("/auth/register").json(&body).await.refused(400, "validation_failed");
        assert_eq!(refused.fields(), [field], "{refused}");
    }
    assert_eq!(stage.mails_to(email).await.len(), 0);
    // Nothing is asked of a password but that it is long and nobody else's.
    for (nth, password) in
        ["kqzvwxjmbfdhtrg", " spaced out \u{1f511} ", PASSWORD_OF_64].into_iter().enumerate()
    {
        let email = stage.new_address(&format!("good{nth}"));
        sign_up(&stage, email, password).await;
        confirm(&stage, email, &code(&stage, email).await).await.data(200);
        let another = password.to_uppercase();
        stage.guess_password(email, another.trim_end()).await.refused(401, "invalid_credentials");
        stage.guess_password(email, password).await.data(200);
    }
}

const PASSWORD_OF_64: &str = "sixty-four characters of a passphrase that nobody else would use";
