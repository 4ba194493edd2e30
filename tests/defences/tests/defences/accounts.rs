//! Signing up and passwords: what each call costs the table, and that neither its cost nor its answer says who has an account.

use defences::{Answer, Place, admin, owner, session};
use devstack::seed::PASSWORD;
use reqwest::Method;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::flows::{self, Origin, Refusal};
use shared::guards::{Guard, GuardKind, MAILS_FROM_NETWORK};
use time::Duration;

use super::budget::{EVENT, cost, costs};

const NEW: &str = "six parrots over Leeds";
/// OWASP's parameters: 19 MiB, twice.
const ONE_HASH: u64 = 2 * 19 * 1024;

fn sign_up(email: &str) -> Value {
    json!({"email": email, "password": NEW, "full_name": "Olivia Newcomer"})
}

/// What people without a session have written.
pub async fn strangers(place: &Place) {
    let email = "new@shop.example";
    let account = json!({"email": email, "password": "six parrots over Leeds", "full_name": "Olivia"});
    for (path, body, status) in [
        ("register", account, 201),
        // The owner is told; the sign-up says that it makes nothing.
        (
            "register",
            json!({"email": owner().email, "password": "six parrots over Leeds", "full_name": "O"}),
            201,
        ),
        ("verify-email/resend", json!({"email": email}), 200),
        ("verify-email", json!({"email": email, "otp": "wrong0"}), 401),
        ("password/forgot", json!({"email": owner().email}), 200),
    ] {
        let (answered, body) = place.post(path, body).await;
        assert_eq!(answered, status, "{path}: {body}");
    }
}

/// The guard that an item's key names.
pub fn guard(pk: &str, sk: &str) -> Guard {
    let address_hash = pk.split_once('#').unwrap().1.to_owned();
    let kind = match (sk, sk.split_once('#')) {
        (_, Some((_, network))) => GuardKind::PasswordsFrom(network.to_owned()),
        ("CODES", _) => GuardKind::Codes,
        ("SIGN_UPS", _) => GuardKind::SignUps,
        ("SIGN_UP_CODES", _) => GuardKind::SignUpCodes,
        ("RESENDS", _) => GuardKind::Resends,
        ("RESENDS_SOON", _) => GuardKind::ResendsSoon,
        ("RESETS", _) => GuardKind::Resets,
        ("MAILS_FROM", _) => GuardKind::MailsFrom,
        ("INVITATIONS_BY", _) => GuardKind::InvitationsBy,
        ("INVITATIONS_TO", _) => GuardKind::InvitationsTo,
        _ => GuardKind::Passwords,
    };
    Guard { address_hash, kind }
}

/// The code in the newest mail to an address.
fn code(place: &Place, email: &str) -> String {
    place.devstack.mailbox.newest_first(Some(email)).remove(0).code.unwrap()
}

fn token(place: &Place, email: &str) -> String {
    let mail = place.devstack.mailbox.newest_first(Some(email)).remove(0);
    mail.text.split_whitespace().find(|word| word.starts_with("rst_")).unwrap().to_owned()
}

async fn change(place: &Place, access: &str, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    place.send(place.request(Method::PUT, "/api/v1/auth/password").bearer_auth(access).json(&body)).await
}

#[tokio::test]
async fn signing_up_costs_one_read_and_two_writes_and_its_code_the_same() {
    let place = Place::new().await;
    place.login(admin()).await;
    let email = "new@shop.example";
    cost(&place);
    assert_eq!(place.post("register", sign_up(email)).await.0, 201);
    assert_eq!(cost(&place), costs(1, 2, 2 + 1 + 1 + EVENT));
    assert_eq!(place.post("verify-email/resend", json!({"email": email})).await.0, 200);
    assert_eq!(cost(&place), costs(1, 2, 3 + 1 + 1));
    let body = json!({"email": email, "otp": code(&place, email)});
    assert_eq!(place.post("verify-email", body).await.0, 200);
    // Sign-up, person, organization, member and pointer, session and pointer, guard.
    assert_eq!(cost(&place), costs(1, 2, 2 + 2 + 8 + EVENT));
}

#[tokio::test]
async fn a_reset_costs_three_reads_and_one_write_and_a_change_three_and_two() {
    let place = Place::new().await;
    let kept = place.login(owner()).await;
    place.devstack.clock.advance(Duration::seconds(1));
    cost(&place);
    assert_eq!(place.post("password/forgot", json!({"email": owner().email})).await.0, 200);
    assert_eq!(cost(&place), costs(1, 2, 2 + 1 + 1 + EVENT));
    let changed = change(&place, &kept.access_token, PASSWORD, "nine herons and a kite").await;
    assert_eq!(changed.0, 200, "{}", changed.1);
    // Session, organization, person, member.
    assert_eq!(cost(&place), costs(3, 2, 3 + 1 + 1 + 2 + 4 + EVENT));

    place.post("password/forgot", json!({"email": admin().email})).await;
    let body = json!({"token": token(&place, admin().email), "password": NEW});
    cost(&place);
    assert_eq!(place.post("password/reset", body).await.0, 200);
    // Token, person, member, two guards.
    assert_eq!(cost(&place), costs(3, 1, 1 + 1 + 1 + 5 + EVENT));
    let none = json!({"token": "rst_nothing", "password": NEW});
    assert_eq!(place.post("password/reset", none).await.0, 401);
    assert_eq!(cost(&place), costs(0, 0, 0), "what has not the form of a token costs nothing");
    place
        .post("register", json!({"email": "a@shop.example", "password": "password1234", "full_name": "A"}))
        .await;
    assert_eq!(cost(&place), costs(0, 0, 0), "a common password costs nothing");
}

/// What a call is answered but for what differs each time, how much hashing it is, what it asks of the table, and how many mails it sends.
async fn seen(place: &Place, path: &str, body: Value) -> (u16, String, u64, Vec<(String, usize)>, usize) {
    let (work, mails) = (place.app().passwords.work(), place.devstack.mailbox.newest_first(None).len());
    place.devstack.requests.take();
    let email = body["email"].as_str().unwrap_or_default().to_owned();
    let (status, mut answer) = place.post(path, body).await;
    for place_of_id in ["/error/request_id", "/data/user/id"] {
        if let Some(id) = answer.pointer_mut(place_of_id) {
            *id = Value::Null;
        }
    }
    let requests = place.devstack.requests.take();
    let asked = requests.iter().map(|request| (request.operation.clone(), request.items())).collect();
    let mails = place.devstack.mailbox.newest_first(None).len() - mails;
    (status, answer.to_string().replace(&email, "ADDRESS"), place.app().passwords.work() - work, asked, mails)
}

#[tokio::test]
async fn signing_up_with_an_address_that_is_taken_waits_or_is_new_is_the_same_to_whoever_asks() {
    let place = Place::new().await;
    place.login(admin()).await;
    place.post("register", sign_up("waits@shop.example")).await;
    let mut all = Vec::new();
    for email in [owner().email, "waits@shop.example", "new@shop.example"] {
        let seen = seen(&place, "register", sign_up(email)).await;
        assert_eq!((seen.0, seen.2, seen.4), (201, ONE_HASH, 1), "{email}: {}", seen.1);
        all.push(seen);
    }
    assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
    // The mail that is sent again, and a guess at the code: the same to those who wait, to owners, and to who never came.
    for path in ["verify-email/resend", "verify-email"] {
        let mut all = Vec::new();
        for email in [owner().email, "waits@shop.example", "new@shop.example", "never@shop.example"] {
            all.push(seen(&place, path, json!({"email": email, "otp": "wrong0"})).await);
        }
        assert!(all.iter().all(|one| *one == all[0]), "{path}: {all:#?}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_the_same_to_whoever_asks() {
    let place = Place::new().await;
    place.login(admin()).await;
    place.post("register", sign_up("waits@shop.example")).await;
    let mut all = Vec::new();
    for email in [owner().email, "waits@shop.example", "never@shop.example"] {
        let seen = seen(&place, "password/forgot", json!({"email": email})).await;
        assert_eq!((seen.0, seen.2, seen.4), (200, 0, 1), "{}", seen.1);
        all.push(seen);
    }
    assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
}

/// Before anything is hashed, read or sent, whoever's address it is.
#[tokio::test]
async fn who_has_asked_too_often_is_neither_hashed_for_nor_mailed() {
    let place = Place::new().await;
    let email = "new@shop.example";
    for path in ["register", "password/forgot", "verify-email/resend"] {
        for _ in 0..5 {
            place.post(path, sign_up(email)).await;
        }
        let refused = seen(&place, path, sign_up(email)).await;
        assert_eq!((refused.0, refused.2, refused.4), (429, 0, 0), "{path}: {}", refused.1);
        assert!(refused.3.iter().all(|(operation, _)| operation == "TransactWriteItems"), "{refused:?}");
    }
}

#[tokio::test]
async fn one_network_has_a_hundred_mails_sent_in_an_hour_to_whomever() {
    let place = Place::new().await;
    let (app, near) = (place.app(), defences::origin());
    let far = Origin { network: "10.0.0.0/24".to_owned(), ..near.clone() };
    let forgot = async |nth: usize, origin: &Origin| {
        let email = format!("nobody-{nth}@shop.example");
        let address = EmailAddress::parse(&email).unwrap();
        flows::forgot_password(&app, origin, &address, &email).await
    };
    for nth in 0..MAILS_FROM_NETWORK.max {
        forgot(nth, &near).await.unwrap();
    }
    let refused = forgot(MAILS_FROM_NETWORK.max, &near).await;
    assert!(matches!(refused, Err(Refusal::RateLimited { .. })), "{refused:?}");
    forgot(MAILS_FROM_NETWORK.max, &far).await.unwrap();
    assert_eq!(place.devstack.mailbox.newest_first(None).len(), MAILS_FROM_NETWORK.max + 1);
}

/// Who signed up and has not shown their address logs in no more than a stranger: not by the answer, not by the work.
#[tokio::test]
async fn a_login_before_the_address_is_shown_is_a_wrong_password() {
    let place = Place::new().await;
    place.post("register", sign_up("waits@shop.example")).await;
    let login = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        let place = &place;
        async move { seen(place, "login", body).await }
    };
    let waits = login("waits@shop.example", NEW).await;
    assert_eq!((waits.0, waits.2), (401, ONE_HASH));
    assert_eq!(waits, login(owner().email, "not the password").await);
    assert_eq!(waits, login("never@shop.example", "not the password").await);
}

/// Whatever is set, the table knows a hash by parameters of now; a token and a code only as hashes.
#[tokio::test]
async fn the_table_holds_no_password_token_or_code() {
    let place = Place::new().await;
    place.post("register", sign_up("new@shop.example")).await;
    place.post("password/forgot", json!({"email": owner().email})).await;
    let (code, token) = (code(&place, "new@shop.example"), token(&place, owner().email));
    let table = json!(place.devstack.dynamodb.dump().await.unwrap()).to_string();
    assert!(table.contains("\"SIGNUP#") && table.contains("\"RESET#"));
    assert!(!table.contains(NEW) && !table.contains(&token) && !table.contains(&token[4..]));
    assert!(!table.contains(&format!("\"{code}\"")));
    let waiting = place.items("SIGNUP#", "").await.remove(0);
    assert!(waiting["password_hash"].as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

/// The session that a password is changed from goes on; a refresh of another is no theft, only over.
#[tokio::test]
async fn what_a_change_ends_and_keeps_is_in_the_table() {
    let place = Place::new().await;
    let (here, there) = (place.login(owner()).await, place.login(owner()).await);
    place.devstack.clock.advance(Duration::seconds(1));
    let begun = place.challenge(owner()).await;
    assert_eq!(change(&place, &here.access_token, PASSWORD, NEW).await.0, 200);
    let refresh = |token: &str| place.post("refresh", json!({ "refresh_token": token }));
    assert_eq!(refresh(&there.refresh_token).await.0, 401);
    let (status, body) = refresh(&here.refresh_token).await;
    assert_eq!(status, 200, "{body}");
    let here = session(&body);
    let late = place.post("login/2fa/verify", json!({"challenge_id": begun.0, "code": begun.1})).await;
    assert_eq!(late.0, 401, "a login that began before ends nowhere");
    // Changed again from the session that was kept, which is kept again.
    place.devstack.clock.advance(Duration::seconds(1));
    assert_eq!(change(&place, &here.access_token, NEW, "nine herons and a kite").await.0, 200);
    assert_eq!(refresh(&here.refresh_token).await.0, 200);
    let person = place.items("EMAIL#", "USER").await;
    let person = person.iter().find(|person| person["email"] == owner().email).unwrap();
    assert_eq!(person["credentials"], 2);
}

#[tokio::test]
async fn a_reset_makes_the_guards_of_passwords_anew_and_leaves_those_of_codes() {
    let place = Place::new().await;
    let wrong = json!({"email": owner().email, "password": "not the password"});
    for _ in 0..10 {
        place.post("login", wrong.clone()).await;
    }
    assert_eq!(place.post("login", wrong.clone()).await.0, 429);
    let (challenge, right) = place.challenge(admin()).await;
    let bad = if right == "000000" { "111111" } else { "000000" };
    place.post("login/2fa/verify", json!({"challenge_id": challenge, "code": bad})).await;
    for person in [owner(), admin()] {
        place.post("password/forgot", json!({"email": person.email})).await;
        let body = json!({"token": token(&place, person.email), "password": NEW});
        assert_eq!(place.post("password/reset", body).await.0, 200);
    }
    let guards = place.items("GUARD#", "").await;
    let kinds = |kind: &str| guards.iter().filter(|guard| guard["sk"] == kind).count();
    assert_eq!((kinds("PASSWORDS"), kinds("CODES")), (0, 1), "{guards:#?}");
}

/// The demo password, hashed when less was asked for: 8 MiB, once.
const OLD_HASH: &str =
    "$argon2id$v=19$m=8192,t=1,p=1$YSBzYWx0IG9mIHNpeHRlZQ$8LRQZF+1yzvrkEOvnTPk0j3DfOUE8SH1GaGcT9sKQIo";

async fn stored_hash(place: &Place, email: &str) -> String {
    let people = place.items("EMAIL#", "USER").await;
    let person = people.iter().find(|person| person["email"] == email).unwrap();
    person["password_hash"].as_str().unwrap().to_owned()
}

async fn store_hash(place: &Place, email: &str, hash: &str) {
    let update = json!({
        "TableName": place.devstack.dynamodb.table,
        "Key": {"pk": {"S": format!("EMAIL#{}", EmailAddress::parse(email).unwrap().hash())}, "sk": {"S": "USER"}},
        "UpdateExpression": "SET password_hash = :hash",
        "ExpressionAttributeValues": {":hash": {"S": hash}},
    });
    place.devstack.dynamodb.ask("DynamoDB_20120810.UpdateItem", &update).await.unwrap();
}

#[tokio::test]
async fn a_hash_of_lesser_parameters_is_made_anew_by_a_login_in_no_request_more() {
    let place = Place::new().await;
    place.login(admin()).await;
    cost(&place);
    let (challenge, code) = place.challenge(admin()).await;
    let first = cost(&place);
    place.post("login/2fa/verify", json!({"challenge_id": challenge, "code": code})).await;
    let second = cost(&place);

    store_hash(&place, owner().email, OLD_HASH).await;
    // A wrong password says nothing of how old the hash is: the same answer, the same work, the same requests.
    let wrong = |email: &str| json!({"email": email, "password": "not the password"});
    let old = seen(&place, "login", wrong(owner().email)).await;
    assert_eq!((old.0, old.2), (401, ONE_HASH));
    assert_eq!(old, seen(&place, "login", wrong("never@shop.example")).await);

    let work = place.app().passwords.work();
    cost(&place);
    let (challenge, code) = place.challenge(owner()).await;
    assert_eq!(cost(&place), first);
    assert_eq!(place.app().passwords.work() - work, 8 * 1024 + ONE_HASH, "both hashes, and no more");
    assert_eq!(stored_hash(&place, owner().email).await, OLD_HASH, "a first step changes nothing");
    let verify = json!({"challenge_id": challenge, "code": code});
    cost(&place);
    assert_eq!(place.post("login/2fa/verify", verify).await.0, 200);
    assert_eq!(cost(&place), second);
    assert!(stored_hash(&place, owner().email).await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let work = place.app().passwords.work();
    place.login(owner()).await;
    assert_eq!(place.app().passwords.work() - work, ONE_HASH);
}

/// What a login hashed anew is the old password: it comes in the place of no new one.
#[tokio::test]
async fn a_login_that_began_before_a_change_brings_no_old_password_back() {
    let place = Place::new().await;
    store_hash(&place, owner().email, OLD_HASH).await;
    let (challenge, code) = place.challenge(owner()).await;
    place.post("password/forgot", json!({"email": owner().email})).await;
    let body = json!({"token": token(&place, owner().email), "password": NEW});
    assert_eq!(place.post("password/reset", body).await.0, 200);
    let set = stored_hash(&place, owner().email).await;
    let verify = json!({"challenge_id": challenge, "code": code});
    assert_eq!(place.post("login/2fa/verify", verify).await.0, 401);
    assert_eq!(stored_hash(&place, owner().email).await, set);
}
