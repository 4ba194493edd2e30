//! Webhooks under faults: the stream's reader, the queue's, and the schedule may fail anywhere and be given everything twice; nothing is lost,
//! and what comes twice is the same.

use std::collections::BTreeSet;

use defences::Place;
use devstack::engines::recorder::Fault;
use devstack::seed::BIRCH;
use e2e::{Arrived, Receiver};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

/// A place where Birch listens, and its owner's session.
async fn listening() -> (Place, Receiver, String, defences::Session) {
    let (place, receiver) = (Place::new().await, Receiver::start().await);
    let owner = place.login(defences::owner()).await;
    let body = json!({ "url": receiver.url });
    let (status, set) = place.send(ask(&place, &owner, Method::PUT, "").json(&body)).await;
    assert_eq!(status, 201, "{set}");
    place.devstack.tell().await.unwrap();
    let secret = set["data"]["secret"].as_str().unwrap().to_owned();
    (place, receiver, secret, owner)
}

fn ask(place: &Place, by: &defences::Session, method: Method, part: &str) -> reqwest::RequestBuilder {
    let path = format!("/api/v1/organizations/{}/webhook{part}", BIRCH.id);
    place.request(method, &path).bearer_auth(&by.access_token)
}

/// Something to tell.
async fn test(place: &Place, by: &defences::Session) {
    place.devstack.clock.advance(Duration::seconds(60));
    assert_eq!(place.send(ask(place, by, Method::POST, "/test")).await.0, 200);
}

fn ids(arrived: &[Arrived]) -> Vec<String> {
    arrived.iter().map(|it| it.json()["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_could_not_be_queued_comes_again_and_is_the_same() {
    for (operation, fault, arrive) in [
        ("BatchGetItem", Fault::NotSent, 2),
        ("SendMessageBatch", Fault::NotSent, 2),
        // The queue has them and nobody knows: they are queued again, under the same ids.
        ("SendMessageBatch", Fault::AnswerLost, 4),
        ("SendMessageBatch", Fault::HalfAnswer, 4),
    ] {
        let (place, receiver, _, owner) = listening().await;
        for _ in 0..2 {
            test(&place, &owner).await;
        }
        let met = fault.clone();
        let recorder = &place.devstack.chain_requests;
        let hook = move |it: &devstack::engines::recorder::Recorded| {
            (it.operation == operation).then(|| met.clone())
        };
        recorder.inject(hook.clone());
        recorder.inject_elsewhere(hook);
        assert!(
            place.devstack.tell().await.is_err(),
            "{operation} {fault:?}: what is not done is said to be"
        );
        recorder.heal();
        place.devstack.tell().await.unwrap();
        place.devstack.webhooks.queue.let_go();
        place.devstack.tell().await.unwrap();
        let arrived = receiver.take();
        let different: BTreeSet<String> = ids(&arrived).into_iter().collect();
        let bodies: BTreeSet<&String> = arrived.iter().map(|it| &it.body).collect();
        assert!(arrived.len() >= arrive, "{operation} {fault:?}: {} arrived", arrived.len());
        assert_eq!((different.len(), bodies.len()), (2, 2), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn of_a_batch_the_queue_took_half_of_the_rest_comes_again() {
    let (place, receiver, _, owner) = listening().await;
    for _ in 0..3 {
        test(&place, &owner).await;
    }
    let half = json!({
        "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": ""}],
        "Failed": [{"Id": "1", "SenderFault": false, "Code": "InternalError"}, {"Id": "2", "SenderFault": false, "Code": "InternalError"}],
    });
    place.devstack.chain_requests.inject_elsewhere(move |it| {
        (it.operation == "SendMessageBatch").then(|| Fault::AnswerInstead(200, half.clone()))
    });
    assert!(place.devstack.tell().await.unwrap_err().contains("2 events"));
    place.devstack.chain_requests.heal();
    place.devstack.tell().await.unwrap();
    let different: BTreeSet<String> = ids(&receiver.take()).into_iter().collect();
    assert_eq!(different.len(), 3);
}

#[tokio::test]
async fn a_try_that_fails_on_our_side_is_made_again() {
    for (operation, fault) in [
        ("GetItem", Fault::NotSent),
        ("GetSecretValue", Fault::NotSent),
        ("ChangeMessageVisibility", Fault::NotSent),
        ("ChangeMessageVisibility", Fault::AnswerLost),
        ("UpdateItem", Fault::NotSent),
    ] {
        let (place, receiver, _, owner) = listening().await;
        test(&place, &owner).await;
        let hook = move |it: &devstack::engines::recorder::Recorded| {
            (it.operation == operation).then(|| fault.clone())
        };
        receiver.answer_next(&["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"]);
        let recorder = &place.devstack.chain_requests;
        recorder.inject(hook.clone());
        recorder.inject_elsewhere(hook);
        place.devstack.tell().await.unwrap();
        recorder.heal();
        assert_eq!(place.devstack.webhooks.queue.messages().len(), 1, "{operation}");
        receiver.take();
        // By the queue's own time, where nobody could say another.
        place.devstack.clock.advance(Duration::seconds(180));
        place.devstack.tell().await.unwrap();
        place.devstack.clock.advance(Duration::seconds(180));
        place.devstack.tell().await.unwrap();
        let arrived = ids(&receiver.take());
        assert!(!arrived.is_empty(), "{operation}");
        assert!(place.devstack.webhooks.queue.messages().is_empty(), "{operation}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_of_an_answer_only_the_status_counts() {
    let (place, receiver, _, _) = listening().await;
    let elsewhere = Receiver::start().await;
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url
    );
    let redirect: &'static str = redirect.leak();
    let endless: &'static str = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1_000_000)).leak();
    for (answer, taken) in [
        (redirect, false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf of", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", true),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false),
        ("SSH-2.0-OpenSSH_9.6\r\n", false),
        ("HTTP/1.1 200", false),
        (endless, false),
        ("", false),
    ] {
        test(&place, &place.login(defences::owner()).await).await;
        receiver.answer_next(&[answer]);
        place.devstack.tell().await.unwrap();
        assert_eq!(receiver.take().len(), 1, "{answer:.60}");
        assert_eq!(place.devstack.webhooks.queue.messages().is_empty(), taken, "{answer:.60}");
        // Whatever waits is taken now.
        place.devstack.clock.advance(Duration::minutes(10));
        place.devstack.tell().await.unwrap();
        receiver.take();
    }
    assert!(elsewhere.take().is_empty());
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let (place, receiver, _, owner) = listening().await;
    // A listener that accepts and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let body = json!({ "url": url });
    assert_eq!(place.send(ask(&place, &owner, Method::PUT, "").json(&body)).await.0, 200);
    test(&place, &owner).await;
    place.devstack.tell().await.unwrap();
    let (_, seen) = place.send(ask(&place, &owner, Method::GET, "")).await;
    let failure = &seen["data"]["last_failure"];
    assert_eq!((&failure["reason"], &failure["status"]), (&json!("timed_out"), &Value::Null), "{failure}");
    assert!(receiver.take().is_empty());
}

/// What is wanted is asked twice: before anything is queued, and at each try, by what is so then.
#[tokio::test]
async fn what_nobody_wants_any_more_is_not_queued_and_what_waits_is_not_sent() {
    let (place, receiver, _, owner) = listening().await;
    let refused = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    receiver.answer_next(&[refused]);
    let keys = "/api/v1/auth/api-keys";
    let make = place.request(Method::POST, keys).bearer_auth(&owner.access_token);
    let (_, made) = place.send(make.json(&json!({"key_name": "k"}))).await;
    place.devstack.tell().await.unwrap();
    assert_eq!((receiver.take().len(), place.devstack.webhooks.queue.messages().len()), (1, 1));

    let body = json!({"url": receiver.url, "events": ["session.reuse_detected"]});
    assert_eq!(place.send(ask(&place, &owner, Method::PUT, "").json(&body)).await.0, 200);
    let path = format!("{keys}/{}", made["data"]["api_key_id"].as_str().unwrap());
    let revoke = place.request(Method::DELETE, &path).bearer_auth(&owner.access_token);
    assert_eq!(place.send(revoke).await.0, 200);
    let queued = || place.devstack.logs.lines().iter().filter(|it| it["action"] == "webhook.queue").count();
    let before = queued();
    place.devstack.clock.advance(Duration::seconds(30));
    place.devstack.tell().await.unwrap();
    assert_eq!(queued(), before, "what nobody wants is not queued");
    assert!(receiver.take().is_empty(), "what nobody wants any more is not sent");
    assert!(place.devstack.webhooks.queue.messages().is_empty(), "nor does it wait");
}

#[tokio::test]
async fn a_message_that_is_none_of_ours_is_put_aside_and_holds_nothing_up() {
    let (place, receiver, _, owner) = listening().await;
    for body in ["{}", "rubbish", "{\"org_id\":\"org_1\"}"] {
        place.devstack.webhooks.queue.put(body);
    }
    test(&place, &owner).await;
    place.devstack.tell().await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    for _ in 0..30 {
        place.devstack.clock.advance(Duration::hours(2));
        place.devstack.tell().await.unwrap();
    }
    assert_eq!(place.devstack.webhooks.queue.dead().len(), 3);
    assert!(place.devstack.webhooks.queue.messages().is_empty());
}

#[tokio::test]
async fn the_secret_is_nowhere_but_in_its_answer() {
    let (place, receiver, secret, owner) = listening().await;
    receiver.answer_next(&["HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"]);
    let (_, rotated) = place.send(ask(&place, &owner, Method::POST, "/secret")).await;
    let other = rotated["data"]["secret"].as_str().unwrap().to_owned();
    test(&place, &owner).await;
    place.devstack.tell().await.unwrap();
    let (_, seen) = place.send(ask(&place, &owner, Method::GET, "")).await;
    let table = serde_json::to_string(&place.devstack.dynamodb.dump().await.unwrap()).unwrap();
    let queue = format!("{:?}", place.devstack.webhooks.queue.messages());
    let (logs, arrived) = (place.devstack.logs.text(), format!("{:?}", receiver.take()));
    assert!(logs.contains("webhook.send") && arrived.contains("webhook.test"), "the looking is broken");
    for secret in [secret, other] {
        let found = secret.strip_prefix("whsec_").unwrap();
        for (place, text) in [
            ("table", &table),
            ("queue", &queue),
            ("log", &logs),
            ("webhook", &arrived),
            ("answer", &seen.to_string()),
        ] {
            assert!(!text.contains(found), "in the {place}");
        }
    }
    // Nor is the address, which may have something of its owner's in it, in the log.
    assert!(!logs.contains("?shop=1"), "{logs}");
}

#[tokio::test]
async fn a_reminder_is_written_once_whatever_happens_to_its_run() {
    for fault in [None, Some(Fault::NotSent), Some(Fault::AnswerLost)] {
        let (place, receiver, _, owner) = listening().await;
        let body = json!({"key_name": "k", "expires_in_days": 8});
        let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&owner.access_token);
        assert_eq!(place.send(request.json(&body)).await.0, 201);
        place.devstack.tell().await.unwrap();
        receiver.take();
        place.devstack.clock.advance(Duration::days(1));
        if let Some(fault) = fault.clone() {
            place
                .devstack
                .chain_requests
                .inject(move |it| (it.operation == "TransactWriteItems").then(|| fault.clone()));
            // Whatever it answers: the next one makes up for it.
            let _ = place.devstack.functions.event("key_expiry", json!({})).await;
            place.devstack.chain_requests.heal();
        }
        let run = || place.devstack.functions.event("key_expiry", json!({}));
        let (one, other, third) = tokio::join!(run(), run(), run());
        for ran in [one, other, third] {
            ran.unwrap();
        }
        place.devstack.tell().await.unwrap();
        let told: Vec<Value> = receiver.take().iter().map(Arrived::json).collect();
        assert_eq!(told.len(), 1, "{fault:?}: {told:?}");
        assert_eq!(told[0]["data"]["days_left"], 7);
    }
}

#[tokio::test]
async fn the_filter_lets_exactly_what_is_told_through() {
    use shared::webhooks::{Subject, TOLD};
    let place = Place::new().await;
    let record = |pk: &str, action: &str, reason: &str| {
        let mut image = json!({"action": {"S": action}});
        if !reason.is_empty() {
            image["reason"] = json!({"S": reason});
        }
        json!({"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": pk}}, "NewImage": image}})
    };
    let lets = |record: &Value| place.devstack.webhooks.lets_through(record);
    for told in TOLD {
        let reason = told.reason.unwrap_or_default();
        assert!(lets(&record("AUDIT#org_1", told.action, reason)), "{} {reason}", told.action);
        assert!(!lets(&record("AUDIT#platform", told.action, reason)), "{} {reason}", told.action);
        assert!(!lets(&record("CHAIN#org_1", told.action, reason)), "{} {reason}", told.action);
        let mut changed = record("AUDIT#org_1", told.action, reason);
        changed["eventName"] = json!("MODIFY");
        assert!(!lets(&changed), "{} {reason}", told.action);
    }
    for action in
        ["login", "verify", "refresh", "logout", "key.list", "webhook.set", "organization.switch_environment"]
    {
        for reason in ["", "locked", "reuse_session_revoked"] {
            let wanted = Subject::of(action, reason).is_some();
            assert_eq!(lets(&record("AUDIT#org_1", action, reason)), wanted, "{action} {reason}");
        }
    }
}

#[tokio::test]
async fn of_many_who_set_it_at_once_one_is_shown_the_secret() {
    let place = Place::new().await;
    let owner = place.login(defences::owner()).await;
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url });
    let sets = (0..8).map(|_| place.send(ask(&place, &owner, Method::PUT, "").json(&body)));
    let answers = futures::future::join_all(sets).await;
    let shown: Vec<&str> = answers.iter().filter_map(|(_, body)| body["data"]["secret"].as_str()).collect();
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!((shown.len(), statuses.iter().filter(|it| **it == 201).count()), (1, 1), "{statuses:?}");
    assert!(statuses.iter().all(|it| [200, 201, 503].contains(it)), "{statuses:?}");
    test(&place, &owner).await;
    place.devstack.tell().await.unwrap();
    assert!(receiver.take()[0].is_signed_with(shown[0]));
}

#[tokio::test]
async fn of_many_who_replace_the_secret_at_once_each_has_one_that_signs() {
    let (place, receiver, first, owner) = listening().await;
    let rotations = (0..6).map(|_| place.send(ask(&place, &owner, Method::POST, "/secret")));
    let answers = futures::future::join_all(rotations).await;
    let shown = answers.iter().filter_map(|(_, body)| body["data"]["secret"].as_str());
    let secrets: Vec<&str> = [first.as_str()].into_iter().chain(shown).collect();
    assert!((2..=4).contains(&secrets.len()), "{answers:?}");
    assert!(answers.iter().all(|(status, _)| [200, 429, 503].contains(status)), "{answers:?}");
    test(&place, &owner).await;
    place.devstack.tell().await.unwrap();
    let told = receiver.take().remove(0);
    assert!(secrets.iter().all(|secret| told.is_signed_with(secret)), "{}", told.signature);
    assert_eq!(told.signatures(), secrets.len());
}

#[tokio::test]
async fn who_may_no_longer_changes_nothing_whatever_their_token_says() {
    let (place, receiver, secret, owner) = listening().await;
    let admin = place.login(defences::admin()).await;
    let person = defences::admin();
    let (org, user) =
        (BIRCH.id.to_owned().try_into().unwrap(), person.user_id.to_owned().try_into().unwrap());
    let event = devstack::event(&place.app(), BIRCH.id);
    place.app().store.set_role(&org, &user, shared::users::Role::Viewer, &event).await.unwrap();
    let other = json!({"url": "https://hooks.evil.example/"});
    for (method, part) in
        [(Method::PUT, ""), (Method::DELETE, ""), (Method::POST, "/secret"), (Method::POST, "/test")]
    {
        let request = ask(&place, &admin, method, part).json(&other);
        assert_eq!(place.send(request).await.0, 403, "{part}");
    }
    test(&place, &owner).await;
    place.devstack.tell().await.unwrap();
    assert!(receiver.take()[0].is_signed_with(&secret));
}
