//! What people's own account costs the table: second factors and sessions. The path of a mailed code is in `budget`: nobody's app makes
//! it dearer.

use defences::{admin, owner};
use devstack::seed::PASSWORD;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use super::budget::{EVENT, cost, costs};

const TOTP: &str = "/api/v1/auth/factors/totp";
const SESSIONS: &str = "/api/v1/auth/sessions";

/// Session, organization and membership: read before a change, and looked at again in it.
const STANDING: usize = 3;
/// The guards that both steps of a login open.
const GUARDS: usize = 3;

#[tokio::test]
async fn a_login_with_an_app_costs_one_read_more_and_no_mail() {
    let place = defences::Place::new().await;
    let app = place.turn_totp_on(&place.login(owner()).await).await;
    let login = || place.post("login", json!({"email": owner().email, "password": PASSWORD}));
    for (code, kind) in
        [(app.phone.code(place.now() + 30), "primary"), (app.backup_codes[0].clone(), "backup")]
    {
        place.post("login", json!({"email": owner().email, "password": "not the password"})).await;
        cost(&place);
        let mails = place.devstack.mailbox.newest_first(None).len();
        let (_, body) = login().await;
        assert_eq!(cost(&place), costs(2, 2, 2 + 2 + 2 + 1));
        assert_eq!(place.devstack.mailbox.newest_first(None).len(), mails);
        let id = &body["data"]["challenge_id"];
        let verify = json!({"challenge_id": id, "code": code, "code_type": kind});
        assert_eq!(place.post("login/2fa/verify", verify).await.0, 200);
        assert_eq!(cost(&place), costs(2, 2, 1 + 1 + 2 + 9 + EVENT));
    }
}

#[tokio::test]
async fn a_wrong_password_costs_the_same_with_an_app() {
    let place = defences::Place::new().await;
    let wrong = |email: &str| place.post("login", json!({"email": email, "password": "not the password"}));
    wrong(owner().email).await;
    let without = cost(&place);
    place.turn_totp_on(&place.login(admin()).await).await;
    cost(&place);
    wrong(admin().email).await;
    assert_eq!(cost(&place), without);
}

#[tokio::test]
async fn changing_factors_costs_two_reads_a_count_and_a_transaction() {
    let place = defences::Place::new().await;
    let session = place.login(owner()).await;
    cost(&place);
    let call = |method, path, body| place.call(&session, method, path, body);
    assert_eq!(call(Method::GET, "/api/v1/auth/factors", Value::Null).await.0, 200);
    assert_eq!(cost(&place), costs(2, 0, STANDING + 2));
    let phone = place.begin_totp(&session).await.phone;
    assert_eq!(cost(&place), costs(2, 2, STANDING + 2 + 2 + (1 + STANDING + EVENT)));
    let code = json!({"code": phone.code(place.now())});
    let (_, body) = call(Method::POST, "/api/v1/auth/factors/totp/confirm", code).await;
    assert_eq!(cost(&place), costs(2, 2, STANDING + 2 + 1 + (2 + STANDING + GUARDS + EVENT)));

    let proof = json!({"password": PASSWORD, "code": phone.code(place.now() + 30)});
    assert_eq!(call(Method::POST, "/api/v1/auth/factors/backup-codes", proof.clone()).await.0, 201);
    let change = costs(2, 2, STANDING + 2 + 3 + (1 + STANDING + GUARDS + EVENT));
    assert_eq!(cost(&place), change);
    assert_eq!(call(Method::DELETE, TOTP, proof).await.0, 401, "{body}");
    assert_eq!(cost(&place), costs(2, 1, STANDING + 2 + 3), "what is refused changes nothing");
    place.devstack.clock.advance(Duration::seconds(30));
    let proof = json!({"password": PASSWORD, "code": phone.code(place.now() + 30)});
    assert_eq!(call(Method::DELETE, TOTP, proof).await.0, 204);
    assert_eq!(cost(&place), change);
}

#[tokio::test]
async fn sessions_are_listed_in_three_reads_and_ended_in_a_read_and_a_transaction() {
    let place = defences::Place::new().await;
    let (mine, _) = (place.login(owner()).await, place.login(owner()).await);
    cost(&place);
    let (status, body) = place.call(&mine, Method::GET, SESSIONS, Value::Null).await;
    // The query is one item by its request; what it brings are two pointers.
    assert_eq!((status, cost(&place)), (200, costs(3, 0, STANDING + 1 + 2 + 1)));
    let listed = body["data"]["sessions"].as_array().unwrap();
    let other = listed.iter().find(|it| it["current"] == false).unwrap()["session_id"].as_str().unwrap();
    let path = format!("{SESSIONS}/{other}");
    assert_eq!(place.call(&mine, Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(cost(&place), costs(1, 1, STANDING + 1 + STANDING + EVENT));
    place.devstack.clock.advance(Duration::seconds(1));
    assert_eq!(place.call(&mine, Method::DELETE, SESSIONS, Value::Null).await.0, 204);
    // The memberships are asked for beside the standing; the write of each is the check of its own.
    assert_eq!(cost(&place), costs(2, 1, STANDING + 1 + STANDING + EVENT));
}
