//! `scripts/restore-table` brings a backup back, and nothing to life with it: each kind of item is one that it knows, and what was revoked, used,
//! replaced or ended after the backup stays so.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use defences::{Answer, Place, admin, owner};
use devstack::engines::log_group;
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use e2e::reporter::{Reporter, found};
use reqwest::Method;
use serde_json::{Value, json};
use shared::clock::rfc3339;
use time::Duration;

use super::shapes_items::{KINDS, engine, kind};

const NEW: &str = "six parrots over Leeds";

/// The table that a backup is restored as.
fn restored(place: &Place) -> String {
    format!("{}-restored", place.devstack.dynamodb.table)
}

/// Makes another table of what there is, as a backup is.
async fn back_up(place: &Place) {
    let table = &place.devstack.dynamodb.table;
    let keys = [("pk", "HASH"), ("sk", "RANGE")];
    let create = json!({
        "TableName": restored(place), "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": keys.map(|(name, _)| json!({"AttributeName": name, "AttributeType": "S"})),
        "KeySchema": keys.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})),
    });
    engine(place, "CreateTable", &create).await;
    for item in engine(place, "Scan", &json!({ "TableName": table })).await["Items"].as_array().unwrap() {
        engine(place, "PutItem", &json!({"TableName": restored(place), "Item": item})).await;
    }
}

/// Runs it, as an operator does.
async fn run(place: &Place, more: &'static [&str]) -> Output {
    let (to, at) = (place.devstack.dynamodb.table.clone(), place.devstack.dynamodb.endpoint.clone());
    let (root, from) = (devstack::repository(), restored(place));
    let command = move || {
        let mut python = std::process::Command::new("python3");
        python.arg(root.join("scripts/restore-table"));
        python.args(["--from", &from, "--to", &to, "--endpoint-url", &at]).args(more);
        let stand_in = root.join("tests/defences/restore");
        python.env("PYTHONPATH", stand_in).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap()
    };
    tokio::task::spawn_blocking(command).await.unwrap()
}

async fn restore(place: &Place) -> String {
    let ran = run(place, &["--do-it"]).await;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Of each kind it is decided whether it may come back: a new one is a question, not a default.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_item_is_known_and_what_lets_somebody_in_is_dropped() {
    let place = Place::new().await;
    super::shapes_life::life(&place).await;
    back_up(&place).await;
    let before = place.items("", "").await;
    let ran = run(&place, &[]).await;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(place.items("", "").await, before, "without --do-it it changes nothing");
    // The webhook of an organization that was made since, and is gone with it.
    let orphan = "WEBHOOK#org_01J0ZZZZ000000000000000000";
    let orphan = json!({"pk": {"S": orphan}, "sk": {"S": "WEBHOOK"}, "v": {"N": "1"}});
    engine(&place, "PutItem", &json!({"TableName": place.devstack.dynamodb.table, "Item": orphan})).await;
    restore(&place).await;
    assert_eq!(place.items("WEBHOOK#", "").await.len(), 1);
    let scan = json!({ "TableName": place.devstack.dynamodb.table });
    let items = engine(&place, "Scan", &scan).await["Items"].clone();
    let left: BTreeSet<String> = items.as_array().unwrap().iter().map(kind).collect();
    let dropped = [
        "CHALLENGE#/CHALLENGE",
        "IDEMPOTENCY#/ANSWER",
        "INVITATION#/INVITATION",
        "ORG#/INVITATION#",
        "RESET#/RESET",
        "SESSION#/SESSION",
        "SIGNUP#/SIGNUP",
        "USER#/SESSION#",
        "USER#/TOTP_PENDING",
    ];
    let expected = KINDS.iter().filter(|kind| !dropped.contains(kind)).map(|kind| (*kind).to_owned());
    assert_eq!(left, expected.collect());

    let odd = json!({"pk": {"S": "NEW#1"}, "sk": {"S": "NEW"}, "v": {"N": "1"}});
    engine(&place, "PutItem", &json!({"TableName": restored(&place), "Item": odd})).await;
    let before = place.items("", "").await;
    let ran = run(&place, &["--do-it"]).await;
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && said.contains("NEW"), "{said}");
    assert_eq!(place.items("", "").await, before);
}

/// Two organizations before the backup, and what became of them since.
struct Story {
    place: Place,
    /// Birch's key, which leaked since; Acorn's, which got a list since; Birch's next, made since.
    keys: [Value; 3],
    /// The owner's refresh token of before.
    refresh_token: String,
    /// The viewer's backup codes; the first was used since.
    backup_codes: Vec<String>,
    /// A reset token that was used since.
    reset: Value,
    reporter: Reporter,
}

async fn call(place: &Place, access: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = place.request(method, &format!("/api/v1{path}")).bearer_auth(access);
    place.send(if body.is_null() { request } else { request.json(&body) }).await
}

async fn is_done(place: &Place, access: &str, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = call(place, access, method, path, body).await;
    assert!(status < 300, "{path}: {answer}");
    answer["data"].clone()
}

async fn report(place: &Place, reporter: &Reporter, key: &Value) -> u16 {
    let body = json!([found(key["key"].as_str().unwrap())]).to_string();
    let request = place.request(Method::POST, "/api/v1/secret-scanning/github");
    let request = request.header("content-type", "application/json").body(body.clone());
    let headers = reporter.headers(&body).into_iter();
    place.send(headers.fold(request, |it, (name, value)| it.header(name, value))).await.0
}

/// The second step of a login, with a backup code.
async fn log_in_by_backup_code(place: &Place, code: &str) -> u16 {
    let login = json!({"email": BIRCH.viewer.email, "password": PASSWORD});
    let (status, started) = place.post("login", login).await;
    assert_eq!(status, 200, "{started}");
    let challenge = &started["data"]["challenge_id"];
    let verify = json!({"challenge_id": challenge, "code": code, "code_type": "backup"});
    place.post("login/2fa/verify", verify).await.0
}

async fn live_on() -> Story {
    let (place, reporter) = (Place::new().await, Reporter::stranger());
    place.devstack.functions.event("operator", reporter.order()).await.unwrap();
    let (birch, acorn) = (place.login(owner()).await, place.login(&ACORN.owner).await);
    let keys = "/auth/api-keys";
    let make = json!({"key_name": "k", "expires_in_days": 30, "idempotency_key": "k"});
    let leaks = is_done(&place, &birch.access_token, Method::POST, keys, make.clone()).await;
    let moves = is_done(&place, &acorn.access_token, Method::POST, keys, make).await;
    let webhook = format!("/organizations/{}/webhook", BIRCH.id);
    let url = json!({"url": "https://hooks.birch.example/"});
    is_done(&place, &birch.access_token, Method::PUT, &webhook, url).await;
    let viewer = place.login(&BIRCH.viewer).await;
    let backup_codes = place.turn_totp_on(&viewer).await.backup_codes;
    assert_eq!(place.post("password/forgot", json!({"email": ACORN.viewer.email})).await.0, 200);
    let mail = place.devstack.mailbox.newest_first(Some(ACORN.viewer.email)).remove(0).text;
    let reset = json!(mail.split_whitespace().find(|word| word.starts_with("rst_")).unwrap());
    back_up(&place).await;

    place.devstack.clock.advance(Duration::seconds(61));
    assert_eq!(report(&place, &reporter, &leaks).await, 200);
    let next = is_done(&place, &birch.access_token, Method::POST, keys, json!({"key_name": "next"})).await;
    let moved = format!("{keys}/{}", moves["api_key_id"].as_str().unwrap());
    let list = json!({"allowed_addresses": ["192.0.2.1"]});
    is_done(&place, &acorn.access_token, Method::PATCH, &moved, list).await;
    let line = json!({
        "action": "authorize", "outcome": "ok", "actor": moves["api_key_id"], "org": ACORN.id, "timestamp": rfc3339(place.now()),
    });
    let used = log_group::event(&[line.to_string()], place.now()).unwrap();
    place.devstack.functions.event("key_usage", used).await.unwrap();
    let url = json!({"url": "https://hooks.moved.example/"});
    is_done(&place, &birch.access_token, Method::PUT, &webhook, url).await;
    let distrust = json!({"action": "distrust_leak_reporter", "key_identifier": reporter.identifier});
    place.devstack.functions.event("operator", distrust).await.unwrap();
    assert_eq!(log_in_by_backup_code(&place, &backup_codes[0]).await, 200);
    assert_eq!(place.post("password/reset", json!({"token": reset, "password": NEW})).await.0, 200);
    let member = format!("/organizations/{}/members/{}", BIRCH.id, admin().user_id);
    is_done(&place, &birch.access_token, Method::DELETE, &member, Value::Null).await;
    let changed = json!({"current_password": PASSWORD, "new_password": NEW});
    is_done(&place, &birch.access_token, Method::PUT, "/auth/password", changed).await;
    Story {
        keys: [leaks, moves, next],
        refresh_token: birch.refresh_token,
        backup_codes,
        reset,
        reporter,
        place,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_after_the_backup_stays_dead() {
    let Story { place, keys, refresh_token, backup_codes, reset, reporter } = live_on().await;
    let of = |table: &[Value], pk: &str| -> Vec<Value> {
        table.iter().filter(|it| it["pk"].as_str().unwrap().starts_with(pk)).cloned().collect()
    };
    let live = place.items("", "").await;
    restore(&place).await;
    let again = restore(&place).await;
    assert!(
        !again.contains("put") && !again.contains("deleted"),
        "done again, it does the same again: {again}"
    );
    let table = place.items("", "").await;
    for left in ["GUARD#", "KEYSET", "REPORTER#", "WEBHOOK#", "AUDIT#", "CHAIN#"] {
        assert_eq!(of(&table, left), of(&live, left), "{left} stays as it is");
    }

    // Keys: one that leaked since, one that may be used from one address since, one that was made since.
    for (key, status, code) in [
        (&keys[0], 401, "unauthorized"),
        (&keys[1], 403, "address_not_allowed"),
        (&keys[2], 401, "unauthorized"),
    ] {
        let me =
            call(&place, key["key"].as_str().unwrap(), Method::GET, "/organizations/me", Value::Null).await;
        assert_eq!((me.0, &me.1["error"]["code"]), (status, &json!(code)), "{key}");
    }
    let record =
        |key: &Value| table.iter().find(|it| it["key_name"] == "k" && it["api_key_id"] == key["api_key_id"]);
    assert!(record(&keys[0]).unwrap()["leak"].is_object(), "why it was revoked is known still");
    assert!(record(&keys[1]).unwrap()["last_used_at"].is_number(), "and when the other was used");
    let markers = of(&table, "ORG#").into_iter().filter(|it| it["sk"] == "ACTIVE_KEY");
    let markers: Vec<Value> = markers.map(|it| it["api_key_id"].clone()).collect();
    assert_eq!(markers, [keys[1]["api_key_id"].clone()], "a dead key holds back no other");
    let expiring: Vec<Value> = of(&table, "EXPIRY#").iter().map(|it| it["api_key_id"].clone()).collect();
    assert_eq!(expiring, [keys[1]["api_key_id"].clone()], "of what may still expire");

    // People: no session, token or code of before, and credentials as they are since.
    assert_eq!(place.post("refresh", json!({ "refresh_token": refresh_token })).await.0, 401);
    assert_eq!(place.post("password/reset", json!({"token": reset, "password": PASSWORD})).await.0, 401);
    for person in [owner(), &ACORN.viewer] {
        let log_in =
            |password: &str| place.post("login", json!({"email": person.email, "password": password}));
        assert_eq!((log_in(PASSWORD).await.0, log_in(NEW).await.0), (401, 200), "{}", person.email);
    }
    assert_eq!(log_in_by_backup_code(&place, &backup_codes[0]).await, 401);
    assert_eq!(log_in_by_backup_code(&place, &backup_codes[1]).await, 200);
    assert_eq!(report(&place, &reporter, &keys[1]).await, 401, "who was distrusted is");

    // Whoever was removed stays out, and everybody is in as many organizations as they are.
    let mut held: BTreeMap<String, u64> = BTreeMap::new();
    for item in table.iter().filter(|it| it["sk"].as_str().unwrap().starts_with("MEMBER#")) {
        let (pk, sk) = (item["pk"].as_str().unwrap(), &item["sk"].as_str().unwrap()[7..]);
        assert!(sk != admin().user_id && !pk.ends_with(admin().user_id), "{item}");
        *held.entry(if pk.starts_with("ORG#") { sk.to_owned() } else { pk[5..].to_owned() }).or_default() +=
            1;
    }
    for person in of(&table, "EMAIL#") {
        let memberships = person["memberships"].as_u64().unwrap_or(1);
        let items = held.get(person["user_id"].as_str().unwrap()).copied().unwrap_or_default();
        assert_eq!(items, 2 * memberships, "member and pointer each: {person}");
    }
    assert_eq!(
        of(&table, "USER#").iter().filter(|it| it["sk"].as_str().unwrap().starts_with("SESSION#")).count(),
        0
    );
}
