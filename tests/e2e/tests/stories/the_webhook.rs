//! An organization is told what happens to its keys and its people, at an address of its own.
//!
//! The receiver is on this machine, which nothing that is deployed may call: these stories are told to a devstack alone.

use std::collections::BTreeSet;

use e2e::{Answer, Method, Receiver, Session, Stage, Value, json, text};

const DAY: i64 = 24 * 3600;
const REFUSED: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

async fn ask(stage: &Stage, session: &Session, method: Method, part: &str, body: Option<&Value>) -> Answer {
    let route = format!("/organizations/{}/webhook{part}", stage.acorn.id);
    let call = stage.call(method, &route).bearer(&session.access_token);
    match body {
        Some(body) => call.json(body).await,
        None => call.await,
    }
}

/// Sets the webhook; gives its secret.
async fn listen(stage: &Stage, session: &Session, receiver: &Receiver) -> String {
    let set = ask(stage, session, Method::PUT, "", Some(&json!({ "url": receiver.url }))).await.data(201);
    text(&set["secret"])
}

/// What arrived, once everything that is under way has come as far as it comes now.
async fn arrived(stage: &Stage, receiver: &Receiver) -> Vec<Value> {
    stage.advance(0).await;
    receiver.take().iter().map(e2e::Arrived::json).collect()
}

#[tokio::test]
async fn a_key_that_is_made_and_revoked_is_told_signed_and_once() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    let secret = listen(&stage, &owner, &receiver).await;
    let key = stage.create_key(&owner, "Shop").await;
    stage.advance(0).await;
    let [told] = receiver.take().try_into().expect("one webhook");
    assert_eq!(told.line, "POST /syncgram?shop=1 HTTP/1.1");
    assert!(told.headers.to_lowercase().contains("content-type: application/json"), "{}", told.headers);
    assert!(told.is_signed_with(&secret) && told.signatures() == 1, "{}", told.signature);
    let body = told.json();
    let expected = json!({
        "id": body["id"], "type": "api_key.created", "created_at": key.data["created_at"],
        "organization": stage.acorn.id,
        "data": {
            "api_key_id": key.id, "key_name": "Shop", "env": "test", "hint": format!("sk_test_…{}", &key.key[42..]),
            "created_at": key.data["created_at"], "expires_at": null, "by": stage.acorn.owner.user_id,
        },
    });
    assert_eq!(body, expected);
    assert!(!told.body.contains(&key.key) && !told.headers.contains(&secret));

    stage.revoke(&owner, &key.id).await.data(200);
    let told = arrived(&stage, &receiver).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["type"], &told[0]["data"]["api_key_id"]),
        (&json!("api_key.revoked"), &json!(key.id))
    );
    assert_ne!(told[0]["id"], body["id"]);
    // Revoked again, nothing happened, and nothing is told.
    stage.revoke(&owner, &key.id).await.data(200);
    assert_eq!(arrived(&stage, &receiver).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_with_the_same_words_until_it_takes_them() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    let secret = listen(&stage, &owner, &receiver).await;
    receiver.answer_next(&[REFUSED, ""]);
    stage.create_key(&owner, "Shop").await;
    stage.advance(0).await;
    let mut all = receiver.take();
    assert_eq!(all.len(), 1);
    let seen = ask(&stage, &owner, Method::GET, "", None).await.data(200);
    let failure = &seen["last_failure"];
    assert_eq!((&failure["reason"], &failure["status"]), (&json!("status"), &json!(500)), "{failure}");
    assert_eq!((&failure["tries"], &failure["given_up"]), (&json!(1), &json!(false)), "{failure}");
    for (wait, arrives) in [(29, 0), (1, 1), (59, 0), (1, 1), (DAY, 0)] {
        stage.advance(wait).await;
        let more = receiver.take();
        assert_eq!(more.len(), arrives, "after {wait} s");
        all.extend(more);
    }
    let bodies: BTreeSet<&String> = all.iter().map(|it| &it.body).collect();
    assert_eq!((all.len(), bodies.len()), (3, 1), "three tries, one webhook");
    let signed: BTreeSet<i64> = all.iter().map(e2e::Arrived::signed_at).collect();
    assert_eq!(signed.len(), 3, "each is signed at its own time");
    assert!(all.iter().all(|it| it.is_signed_with(&secret)));
}

#[tokio::test]
async fn a_receiver_that_never_takes_it_is_asked_for_a_day_and_then_it_is_given_up() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    listen(&stage, &owner, &receiver).await;
    receiver.answer_next(&[REFUSED; 40]);
    stage.create_key(&owner, "Shop").await;
    let mut tries = 0;
    for _ in 0..60 {
        stage.advance(1800).await;
        tries += receiver.take().len();
    }
    assert_eq!(tries, 19);
    let owner = stage.login(&stage.acorn.owner).await;
    let seen = ask(&stage, &owner, Method::GET, "", None).await.data(200);
    assert_eq!(
        (&seen["last_failure"]["tries"], &seen["last_failure"]["given_up"]),
        (&json!(19), &json!(true))
    );
}

#[tokio::test]
async fn whoever_moves_house_is_told_there_and_whoever_leaves_is_told_nothing() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    let secret = listen(&stage, &owner, &receiver).await;
    receiver.answer_next(&[REFUSED]);
    let key = stage.create_key(&owner, "Shop").await;
    assert_eq!(arrived(&stage, &receiver).await.len(), 1);

    // What waits goes to where the webhook is by then, under the secret that it keeps.
    let other = Receiver::start().await;
    let body = json!({ "url": other.url, "events": ["api_key.created", "api_key.created"] });
    let moved = ask(&stage, &owner, Method::PUT, "", Some(&body)).await.data(200);
    assert_eq!((&moved["events"], &moved["secret"]), (&json!(["api_key.created"]), &Value::Null));
    assert_eq!(moved["last_failure"], Value::Null);
    stage.advance(30).await;
    assert!(other.take().iter().any(|it| it.is_signed_with(&secret)));
    // It did not ask for this.
    stage.revoke(&owner, &key.id).await.data(200);
    assert_eq!(arrived(&stage, &other).await, Vec::<Value>::new());

    for _ in 0..2 {
        ask(&stage, &owner, Method::DELETE, "", None).await.empty();
    }
    ask(&stage, &owner, Method::GET, "", None).await.refused(404, "not_found");
    stage.advance(60).await;
    stage.create_key(&owner, "Shop").await;
    assert!(arrived(&stage, &other).await.is_empty() && receiver.take().is_empty());
}

#[tokio::test]
async fn a_secret_that_was_replaced_signs_along_for_a_day() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    let old = listen(&stage, &owner, &receiver).await;
    let rotated = ask(&stage, &owner, Method::POST, "/secret", None).await.data(200);
    let new = text(&rotated["secret"]);
    assert_ne!(old, new);
    assert_eq!(rotated["previous_secrets_until"].as_array().unwrap().len(), 1);
    ask(&stage, &owner, Method::POST, "/test", None).await.data(200);
    stage.advance(0).await;
    let told = receiver.take();
    assert!(told[0].is_signed_with(&old) && told[0].is_signed_with(&new), "{}", told[0].signature);
    assert_eq!((told.len(), told[0].signatures()), (1, 2));

    stage.advance(DAY).await;
    let owner = stage.login(&stage.acorn.owner).await;
    ask(&stage, &owner, Method::POST, "/test", None).await.data(200);
    stage.advance(0).await;
    let told = receiver.take();
    assert!(told[0].is_signed_with(&new) && !told[0].is_signed_with(&old), "{}", told[0].signature);
}

#[tokio::test]
async fn a_test_is_sent_once_a_minute() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    ask(&stage, &owner, Method::POST, "/test", None).await.refused(404, "not_found");
    ask(&stage, &owner, Method::POST, "/secret", None).await.refused(404, "not_found");
    listen(&stage, &owner, &receiver).await;
    let asked = ask(&stage, &owner, Method::POST, "/test", None).await.data(200);
    let told = arrived(&stage, &receiver).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["type"], &told[0]["id"]), (&json!("webhook.test"), &asked["event_id"]));
    ask(&stage, &owner, Method::POST, "/test", None).await.refused(429, "rate_limited");
    stage.advance(60).await;
    ask(&stage, &owner, Method::POST, "/test", None).await.data(200);
}

#[tokio::test]
async fn a_key_that_expires_is_told_of_thirty_days_seven_days_and_a_day_before() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    listen(&stage, &owner, &receiver).await;
    let body = json!({ "key_name": "Shop", "expires_in_days": 32 });
    let key = stage.create(&owner, &body).await.data(201);
    stage.advance(0).await;
    receiver.take();
    let mut told: Vec<(i64, Value)> = Vec::new();
    for day in 1..=33 {
        stage.advance(DAY).await;
        told.extend(receiver.take().iter().map(|it| (32 - day, it.json())));
    }
    let days: Vec<(i64, i64)> =
        told.iter().map(|(left, it)| (*left, it["data"]["days_left"].as_i64().unwrap())).collect();
    assert_eq!(days, [(30, 30), (7, 7), (1, 1)]);
    for (_, body) in &told {
        assert_eq!(body["type"], "api_key.expiring");
        assert_eq!(
            (&body["data"]["api_key_id"], &body["data"]["expires_at"]),
            (&key["api_key_id"], &key["expires_at"])
        );
    }
}

#[tokio::test]
async fn a_key_that_was_revoked_is_not_said_to_expire() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    listen(&stage, &owner, &receiver).await;
    let key = stage.create(&owner, &json!({ "key_name": "Shop", "expires_in_days": 8 })).await.data(201);
    stage.revoke(&owner, &text(&key["api_key_id"])).await.data(200);
    stage.advance(0).await;
    receiver.take();
    for _ in 0..9 {
        stage.advance(DAY).await;
    }
    assert!(receiver.take().is_empty());
}

#[tokio::test]
async fn a_stolen_refresh_token_and_a_locked_address_are_told() {
    let stage = Stage::open().await;
    let (owner, receiver) = (stage.login(&stage.acorn.owner).await, Receiver::start().await);
    listen(&stage, &owner, &receiver).await;
    stage.refresh(&owner.refresh_token).await.data(200);
    stage.refresh(&owner.refresh_token).await.refused(401, "invalid_refresh_token");
    let told = arrived(&stage, &receiver).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["type"], "session.reuse_detected");
    assert_eq!(told[0]["data"]["user_id"], stage.acorn.owner.user_id);
    assert!(text(&told[0]["data"]["session_id"]).starts_with("ses_"));

    // The address of nobody belongs to no organization: nobody is told.
    for email in [stage.acorn.viewer.email, "nobody@acorn.example"] {
        for _ in 0..10 {
            stage.guess_password(email, "not-the-password").await.refused(401, "invalid_credentials");
        }
        stage.guess_password(email, "not-the-password").await.refused(429, "too_many_attempts");
    }
    let told = arrived(&stage, &receiver).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["type"], &told[0]["data"]["guard"]),
        (&json!("login.locked"), &json!("passwords_from_network"))
    );
    assert_eq!(told[0]["data"]["user_id"], stage.acorn.viewer.user_id);
}

#[tokio::test]
async fn an_address_that_only_we_could_see_is_refused() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    for url in [
        "https://127.0.0.1/",
        "https://10.0.0.1/hook",
        "https://192.168.1.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00:ec2::254]/",
        "https://localhost/hook",
        "https://metadata.google.internal/",
        "http://hooks.acorn.example/hook",
        "https://hooks.acorn.example:8443/hook",
        "https://user:secret@hooks.acorn.example/hook",
        "ftp://hooks.acorn.example/hook",
        "hooks.acorn.example",
    ] {
        let answer = ask(&stage, &owner, Method::PUT, "", Some(&json!({ "url": url }))).await;
        assert_eq!(answer.refused(400, "validation_failed").fields(), ["url"], "{url}");
    }
    let known =
        json!({ "url": "https://hooks.acorn.example/hook", "events": ["api_key.created", "everything"] });
    let answer = ask(&stage, &owner, Method::PUT, "", Some(&known)).await;
    assert_eq!(answer.refused(400, "validation_failed").fields(), ["events"]);
    ask(&stage, &owner, Method::GET, "", None).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_developer_may_set_it_and_a_viewer_or_a_neighbour_may_not_even_look() {
    let stage = Stage::open().await;
    let viewer = stage.login(&stage.acorn.viewer).await;
    let neighbour = stage.login(&stage.birch.owner).await;
    let body = json!({ "url": "https://hooks.acorn.example/hook" });
    for (session, code) in [(&viewer, "insufficient_role"), (&neighbour, "wrong_organization")] {
        for (method, part, body) in [
            (Method::GET, "", None),
            (Method::PUT, "", Some(&body)),
            (Method::DELETE, "", None),
            (Method::POST, "/secret", None),
            (Method::POST, "/test", None),
        ] {
            ask(&stage, session, method, part, body).await.refused(403, code);
        }
    }
    stage.set_role(&stage.acorn, &stage.acorn.viewer, "developer").await;
    ask(&stage, &viewer, Method::PUT, "", Some(&body)).await.data(201);
    stage.set_role(&stage.acorn, &stage.acorn.viewer, "viewer").await;
    ask(&stage, &viewer, Method::DELETE, "", None).await.refused(403, "insufficient_role");

    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Shop").await;
    let route = format!("/organizations/{}/webhook", stage.acorn.id);
    stage.get(&route).bearer(&key.key).await.refused(403, "session_required");
}
