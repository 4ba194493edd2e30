//! The program as Lambda runs it, in front of an AWS where something is wrong: for good, or for the moment.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by failing there; clippy knows only the test functions"
)]

use std::path::Path;

use devstack::bootstrap::{Bootstrap, Faulty, Init};
use devstack::{Devstack, Options};
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::flows::{self, Origin};
use shared::sensitive::Sensitive;

/// Nothing listens there: the port is the discard service's, which nobody runs.
const NOWHERE: &str = "http://127.0.0.1:9";
const TABLE_AT: &str = "AWS_ENDPOINT_URL_DYNAMODB";
const SECRETS_AT: &str = "AWS_ENDPOINT_URL_SECRETS_MANAGER";

async fn start(devstack: &Devstack, changes: &[(&'static str, &str)]) -> Init {
    let mut environment = devstack.environment.clone();
    for (name, value) in changes {
        environment.iter_mut().find(|(it, _)| it == name).unwrap().1 = (*value).to_owned();
    }
    environment.push(("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()));
    Bootstrap::start(Path::new(env!("CARGO_BIN_EXE_verify")), &environment).await.unwrap()
}

/// What the program says when it does not start: one line.
async fn refused(devstack: &Devstack, changes: &[(&'static str, &str)]) -> String {
    match start(devstack, changes).await {
        Init::Started(_) => panic!("it started with {changes:?}"),
        Init::Failed(said) => {
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
            assert!(said.starts_with("Error: cannot start: "), "{said}");
            said
        }
    }
}

async fn started(devstack: &Devstack, changes: &[(&'static str, &str)]) -> Bootstrap {
    match start(devstack, changes).await {
        Init::Started(running) => running,
        Init::Failed(said) => panic!("{changes:?}: {said}"),
    }
}

/// Verifies the code of a challenge that is open: that needs the table and both secrets.
async fn call(devstack: &Devstack, running: &mut Bootstrap) -> (u64, Value) {
    let email = devstack::seed::ACORN.owner.email;
    let address = EmailAddress::parse(email).unwrap();
    let origin =
        Origin { request_id: "r".to_owned(), network: "127.0.0.0/24".to_owned(), ..Origin::default() };
    let password = Sensitive::new(devstack::seed::PASSWORD.to_owned());
    let begun = flows::login(&devstack.app, &origin, &address, &password).await.unwrap();
    let mut event: Value = serde_json::from_str(include_str!("../../../tests/events/verify.json")).unwrap();
    let body = json!({"challenge_id": begun.challenge_id, "code": devstack.mailbox.code(email).unwrap()});
    event["body"] = body.to_string().into();
    let answer = running.invoke(event).await.unwrap();
    (answer["statusCode"].as_u64().unwrap(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_retry_cures_ends_the_start_with_a_line_that_names_it() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let denied = Faulty::refusing(400, "com.amazon.coral.service#AccessDeniedException").await.unwrap();
    let text = Faulty::answering(200, json!({"SecretString": "no json, but secret"})).await.unwrap();
    for (changes, words) in [
        (vec![("TABLE_NAME", "")], vec!["TABLE_NAME", "not set"]),
        (vec![("SIGNING_SECRET", "")], vec!["SIGNING_SECRET", "not set"]),
        (vec![("TABLE_NAME", "another-table")], vec!["another-table", "TABLE_NAME", "not there"]),
        (vec![(TABLE_AT, denied.endpoint.as_str())], vec!["devstack", "TABLE_NAME", "may not be read"]),
        (vec![("CODES_SECRET", "another-secret")], vec!["another-secret", "CODES_SECRET", "not there"]),
        (vec![(SECRETS_AT, &denied.endpoint)], vec!["devstack/signing", "SIGNING_SECRET", "may not be read"]),
        (vec![(SECRETS_AT, &text.endpoint)], vec!["devstack/signing", "SIGNING_SECRET", "nothing usable"]),
    ] {
        let said = refused(&devstack, &changes).await;
        for word in words {
            assert!(said.contains(word), "{word} is missing: {said}");
        }
        assert!(!said.contains("but secret"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_merely_away_is_answered_with_503() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let broken = Faulty::refusing(500, "InternalServerError").await.unwrap();
    let busy = Faulty::refusing(400, "ThrottlingException").await.unwrap();
    for at in [NOWHERE, &broken.endpoint, &busy.endpoint] {
        let mut running = started(&devstack, &[(TABLE_AT, at), (SECRETS_AT, at)]).await;
        let (status, answer) = call(&devstack, &mut running).await;
        assert_eq!(status, 503, "{at}: {answer}");
        assert!(answer.to_string().to_ascii_lowercase().contains("retry-after"), "{answer}");
    }
}

/// As in the minutes between a stack's creation and the first rotation: Secrets Manager knows one code for a secret that is not
/// there and for one without a value.
#[tokio::test(flavor = "multi_thread")]
async fn a_signing_secret_without_a_value_yet_is_waited_for() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let mut running = started(&devstack, &[("SIGNING_SECRET", "devstack/not-yet")]).await;
    let (status, answer) = call(&devstack, &mut running).await;
    assert_eq!(status, 503, "{answer}");
}

/// Whatever Secrets Manager or the table give in place of what is needed, it is quoted neither by an init that fails, nor by calls.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_quoted_by_nobody() {
    const SECRET: &str = "what-was-found-instead-of-a-secret";
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let signing = json!({"kid": SECRET, "pkcs8": SECRET});
    let of = |value: Value| json!({"Name": "n", "SecretString": value.to_string()});
    for wrong in [
        json!({ "SecretString": SECRET }),
        json!({ "SecretString": format!("{{\"signing\": \"{SECRET}") }),
        of(json!(SECRET)),
        of(json!({ SECRET: SECRET })),
        of(json!({"signing": signing, "refresh": {"key": SECRET}})),
        of(
            json!({"signing": signing, "refresh": {"key": [SECRET]}, "key": SECRET, "previous": SECRET, "next": "short"}),
        ),
    ] {
        let secrets = Faulty::answering(200, wrong.clone()).await.unwrap();
        let said = refused(&devstack, &[(SECRETS_AT, &secrets.endpoint)]).await;
        assert!(said.contains("nothing usable") && !said.contains(SECRET), "{wrong}: {said}");
    }
    let away = Faulty::answering(400, json!({"__type": "InternalServiceError", "SecretString": SECRET}));
    let away = away.await.unwrap();
    let key = json!({"M": {"kid": {"S": SECRET}, "kty": {"N": "7"}, "x": {"S": SECRET}}});
    let item = json!({"pk": {"S": "KEYSET"}, "sk": {"S": "KEYSET"}, "v": {"N": "1"}, "issuer": {"S": SECRET}, "keys": {"L": [key]}});
    let corrupt = Faulty::answering(200, json!({"Item": item, "Responses": [{"Item": item}]})).await.unwrap();
    let binary = Faulty::answering(200, json!({ "SecretBinary": SECRET })).await.unwrap();
    for (name, at) in [(SECRETS_AT, away), (SECRETS_AT, binary), (TABLE_AT, corrupt)] {
        let mut running = started(&devstack, &[(name, &at.endpoint)]).await;
        let (status, answer) = call(&devstack, &mut running).await;
        let said = running.end().await;
        assert_eq!(status, 503, "{answer}");
        assert!(said.contains("cannot be read"), "the log says why: {said}");
        for text in [said, answer.to_string()] {
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}
