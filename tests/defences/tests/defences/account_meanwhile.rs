//! Somebody's account is changed by another call while one of theirs is under way; and the key that second factors are sealed under, for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use defences::environment::{Environment, HttpCall, Outcome};
use defences::{Place, owner};
use devstack::Devstack;
use devstack::engines::recorder::{Fault, Recorded};
use devstack::seed::PASSWORD;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::passwords;
use shared::principals::UserPrincipal;
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

const NEW: &str = "six parrots over Leeds";

/// The owner's item.
fn person_key() -> Value {
    let hash = EmailAddress::parse(owner().email).unwrap().hash();
    json!({"pk": {"S": format!("EMAIL#{hash}")}, "sk": {"S": "USER"}})
}

async fn person(place: &Place) -> Value {
    let people = place.items("EMAIL#", "USER").await;
    people.into_iter().find(|person| person["email"] == owner().email).unwrap()
}

/// Once, before a write of an item whose key begins like this, `change` is made in the table.
fn meanwhile(place: &Place, at: &Environment, key: &'static str, change: Value) {
    let (devstack, done) = (Arc::clone(&place.devstack), AtomicBool::new(false));
    at.requests.inject(move |request| {
        if writes(request, key) && !done.swap(true, Ordering::SeqCst) {
            block_in_place(|| Handle::current().block_on(update(&devstack, &change)));
        }
        None
    });
}

fn writes(request: &Recorded, key: &str) -> bool {
    request.operation == "TransactWriteItems" && request.body.to_string().contains(key)
}

async fn update(devstack: &Devstack, change: &Value) {
    let mut change = change.clone();
    change["TableName"] = devstack.dynamodb.table.clone().into();
    devstack.dynamodb.ask("DynamoDB_20120810.UpdateItem", &change).await.unwrap();
}

/// A call of a function: which, its method, its route.
async fn call(at: &Environment, by: Option<&UserPrincipal>, of: [&'static str; 3], body: Value) -> Outcome {
    let [function, method, resource] = of;
    let (user, headers) = (by.cloned(), Vec::new());
    let call =
        HttpCall { function, method, resource, parameter: None, body, idempotency_key: None, headers, user };
    at.http(&call).await
}

/// What was verified was the password of before; whoever changed it meanwhile is asked for it as everybody is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_became_another_meanwhile_is_verified_anew() {
    let place = Place::new().await;
    let by = place.principal(&place.login(owner()).await).await;
    let at = place.environment();
    let hash = passwords::hash(&Sensitive::new("nine herons and a kite".to_owned()), &SystemRng).unwrap();
    let change = json!({
        "Key": person_key(),
        "UpdateExpression": "SET password_hash = :hash",
        "ExpressionAttributeValues": {":hash": {"S": hash}},
    });
    meanwhile(&place, &at, ":password_hash", change);
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let outcome = call(&at, Some(&by), ["password", "PUT", "/api/v1/auth/password"], body).await;
    assert_eq!((outcome.status, &outcome.body["error"]["code"]), (401, &"invalid_credentials".into()));
    assert_eq!(person(&place).await["password_hash"], hash);
}

/// Two tabs set an app up: the code of the one confirms nothing of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_confirms_the_app_that_it_is_of_and_none_that_was_begun_meanwhile() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let by = place.principal(&session).await;
    let phone = place.begin_totp(&session).await.phone;
    let at = place.environment();
    let change = json!({
        "Key": {"pk": {"S": format!("USER#{}", by.user_id)}, "sk": {"S": "TOTP_PENDING"}},
        "UpdateExpression": "SET sealed[0] = :another",
        "ExpressionAttributeValues": {":another": {"S": "another"}},
    });
    meanwhile(&place, &at, "TOTP_PENDING", change);
    let body = json!({"code": phone.code(place.now())});
    let outcome = call(&at, Some(&by), ["factors", "POST", "/api/v1/auth/factors/totp/confirm"], body).await;
    assert_eq!((outcome.status, &outcome.body["error"]["code"]), (401, &"invalid_code".into()));
    assert!(person(&place).await["totp"].is_null());
}

/// Gives an environment this as its `factors` secret.
fn factors_secret(place: &Place, at: &Environment, value: &Value) {
    let (id, value) = (place.devstack.config.factors_secret.clone(), value.to_string());
    at.requests.inject_elsewhere(move |request| {
        let is_it = request.operation == "GetSecretValue" && request.body["SecretId"] == id.as_str();
        let answer = json!({"Name": id, "SecretString": value});
        is_it.then_some(Fault::Answer(200, answer))
    });
}

async fn log_in(at: &Environment, place: &Place, code: &str, kind: &str) -> Outcome {
    let login = json!({"email": owner().email, "password": PASSWORD});
    let (_, started) = place.post("login", login).await;
    let body = json!({"challenge_id": started["data"]["challenge_id"], "code": code, "code_type": kind});
    call(at, None, ["verify", "POST", "/api/v1/auth/login/2fa/verify"], body).await
}

/// A key that leaked is replaced: what it sealed opens under it for as long as it is kept, and each login seals it anew.
#[tokio::test]
async fn a_login_seals_the_apps_secret_under_the_key_of_now() {
    let place = Place::new().await;
    let app = place.turn_totp_on(&place.login(owner()).await).await;
    let old = rotation::Place::over(Arc::clone(&place.devstack))
        .current(&place.devstack.config.factors_secret)
        .await;
    let new = "n".repeat(43);
    let (both, after) = (json!({"key": new, "previous": old["key"]}), json!({ "key": new }));
    let environment = |secret: &Value| {
        let at = place.environment();
        factors_secret(&place, &at, secret);
        at
    };
    let sealed_before = person(&place).await["totp"]["sealed"].clone();
    // A backup code leaves the secret as it is.
    let at = environment(&both);
    assert_eq!(log_in(&at, &place, &app.backup_codes[0], "backup").await.status, 200);
    assert_eq!(person(&place).await["totp"]["sealed"], sealed_before);
    place.devstack.clock.advance(time::Duration::seconds(30));
    assert_eq!(log_in(&at, &place, &app.phone.code(place.now()), "primary").await.status, 200);
    assert_ne!(person(&place).await["totp"]["sealed"], sealed_before);
    let sealed_before = person(&place).await["totp"]["sealed"].clone();
    place.devstack.clock.advance(time::Duration::seconds(30));
    let at = environment(&after);
    assert_eq!(log_in(&at, &place, &app.phone.code(place.now()), "primary").await.status, 200);
    assert_eq!(person(&place).await["totp"]["sealed"], sealed_before, "once");
}
