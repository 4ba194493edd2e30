//! What an answer's time and shape would tell: nobody learns by them which addresses somebody has.

use std::net::{IpAddr, Ipv4Addr};

use defences::{Answer, Place, admin, owner};
use devstack::seed::ACORN;
use devstack::{Devstack, Options};
use reqwest::Client;
use serde_json::{Value, json};

/// An answer without what differs from call to call.
fn bytes(mut answer: Answer) -> Answer {
    if let Some(id) = answer.1["error"].get_mut("request_id") {
        *id = Value::Null;
    }
    answer
}

/// What a login is answered, how much hashing it is, and what it asks of the table.
async fn login(place: &Place, email: &str, password: &str) -> (Answer, u64, Vec<(String, usize)>) {
    let before = place.app().passwords.work();
    place.devstack.requests.take();
    let answer = place.post("login", json!({"email": email, "password": password})).await;
    let work = place.app().passwords.work() - before;
    let requests = place.devstack.requests.take();
    let asked = requests.iter().map(|request| (request.operation.clone(), request.items())).collect();
    (bytes(answer), work, asked)
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_the_same_answer_the_same_work_and_the_same_requests() {
    let place = Place::new().await;
    // Somebody who has a code in their mail and has not typed it, somebody who has none, and nobody.
    place.challenge(admin()).await;
    let pending = login(&place, admin().email, "not the password").await;
    let wrong = login(&place, owner().email, "not the password").await;
    let unknown = login(&place, "nobody@elsewhere.example", "not the password").await;
    assert_eq!(wrong.0.0, 401, "{}", wrong.0.1);
    // OWASP's parameters: 19 MiB, twice.
    assert_eq!(wrong.1, 2 * 19 * 1024, "one hash");
    assert_eq!(pending, wrong);
    assert_eq!(unknown, wrong);
}

#[tokio::test]
async fn a_locked_address_is_answered_without_hashing_whether_somebody_has_it_or_not() {
    let place = Place::new().await;
    let mut answers = Vec::new();
    for email in [owner().email, "nobody@elsewhere.example"] {
        for _ in 0..10 {
            let (answer, work, _) = login(&place, email, "not the password").await;
            assert_eq!((answer.0, work > 0), (401, true));
        }
        let locked = login(&place, email, "not the password").await;
        assert_eq!((locked.0.0, locked.1), (429, 0), "{}", locked.0.1);
        // The right password is not even looked at.
        let right = login(&place, email, devstack::seed::PASSWORD).await;
        assert_eq!(right, locked);
        answers.push(locked);
    }
    assert_eq!(answers[0], answers[1]);
}

/// Ten wrong codes shut the address to passwords, too: nothing is hashed for those either.
#[tokio::test]
async fn an_address_that_codes_have_shut_is_answered_without_hashing() {
    let place = Place::new().await;
    for _ in 0..2 {
        let (challenge_id, code) = place.challenge(owner()).await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        for _ in 0..5 {
            place.post("login/2fa/verify", json!({"challenge_id": challenge_id, "code": wrong})).await;
        }
    }
    let (answer, work, _) = login(&place, owner().email, devstack::seed::PASSWORD).await;
    assert_eq!((answer.0, work), (429, 0), "{}", answer.1);
}

/// More logins than there is memory for: the surplus is told to come back, the others are served, and so is everybody who needs no hash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_beyond_the_bound_are_refused_while_everything_else_is_answered() {
    const BOUND: usize = 2;
    const LOGINS: usize = 24;
    let options = Options { hashes_at_once: BOUND, ..Options::default() };
    let devstack = Devstack::start(options).await.unwrap();
    let url = format!("{}/api/v1/auth/login", devstack.base_url);
    let logins = (0..LOGINS).map(|nth| {
        let url = url.clone();
        tokio::spawn(async move {
            // Everybody from a network of their own.
            let from = IpAddr::V4(Ipv4Addr::new(127, 1, u8::try_from(nth).unwrap(), 1));
            let client = Client::builder().local_address(from).build().unwrap();
            let email = format!("nobody-{nth}@elsewhere.example");
            let answer =
                client.post(url).json(&json!({"email": email, "password": "x"})).send().await.unwrap();
            let (status, wait) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
            (status, wait, answer.json::<Value>().await.unwrap()["error"]["code"].clone())
        })
    });
    let logins: Vec<_> = logins.collect();
    let client = Client::new();
    let mut others = 0;
    while logins.iter().any(|login| !login.is_finished()) {
        let answer = client.get(format!("{}/.well-known/jwks.json", devstack.base_url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        others += 1;
    }
    let (mut served, mut refused) = (0, 0);
    for login in logins {
        match login.await.unwrap() {
            (401, false, code) if code == "invalid_credentials" => served += 1,
            (503, true, code) if code == "service_unavailable" => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    eprintln!("{served} served, {refused} refused, {others} other calls answered meanwhile");
    assert!(
        served >= BOUND && refused > 0 && others > 0,
        "{served} served, {refused} refused, {others} others"
    );
    let after =
        client.post(url).json(&json!({"email": ACORN.owner.email, "password": devstack::seed::PASSWORD}));
    assert_eq!(after.send().await.unwrap().status(), 200, "the memory is free again");
}
