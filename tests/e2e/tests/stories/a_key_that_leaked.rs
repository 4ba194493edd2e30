//! A key in a public repository: GitHub reports it, it is revoked at once, and its owner is told once.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use e2e::{Answer, Method, Stage, Value, json, text};
use shared::api_keys::{Env, PlainKey};
use shared::crypto::sha256_hex;
use shared::rng::SystemRng;

const PLACE: &str = "https://github.com/octocat/hello/blob/0123456789abcdef/config.txt";

/// Somebody who reports, with a key of their own.
struct Reporter {
    pair: EcdsaKeyPair,
    identifier: String,
}

impl Reporter {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let identifier = sha256_hex(&[pair.public_key().as_ref()]);
        Self { pair, identifier }
    }

    /// The key as it is published: PEM without its first and last line.
    fn public_key(&self) -> String {
        let header = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let header =
            (0..header.len()).step_by(2).map(|at| u8::from_str_radix(&header[at..at + 2], 16).unwrap());
        BASE64_STANDARD
            .encode(header.chain(self.pair.public_key().as_ref().iter().copied()).collect::<Vec<_>>())
    }

    async fn trusted(stage: &Stage) -> Self {
        let reporter = Self::new();
        let (key_identifier, public_key) = (&reporter.identifier, reporter.public_key());
        let action = "trust_leak_reporter";
        stage
            .operate(&json!({ "action": action, "key_identifier": key_identifier, "public_key": public_key }))
            .await;
        reporter
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "aws-lc-rs takes its own randomness to sign with, and no other"
    )]
    fn sign(&self, body: &str) -> String {
        let random = aws_lc_rs::rand::SystemRandom::new();
        BASE64_STANDARD.encode(self.pair.sign(&random, body.as_bytes()).unwrap())
    }

    async fn report(&self, stage: &Stage, report: &Value) -> Answer {
        let body = report.to_string();
        send(stage, &self.identifier, &self.sign(&body), &body).await
    }
}

async fn send(stage: &Stage, identifier: &str, signature: &str, body: &str) -> Answer {
    let call = stage.call(Method::POST, "/secret-scanning/github");
    let call = call
        .header("Github-Public-Key-Identifier", identifier)
        .header("Github-Public-Key-Signature", signature);
    call.header("Content-Type", "application/json").body(body).await
}

fn found(token: &str) -> Value {
    json!({ "token": token, "type": "syncgram_pay_api_key", "url": PLACE, "source": "commit" })
}

fn verdict(token: &str, label: &str) -> Value {
    json!({ "token_hash": sha256_hex(&[token.as_bytes()]), "token_type": "syncgram_pay_api_key", "label": label })
}

#[tokio::test]
async fn a_signed_report_revokes_on_the_very_next_call_and_mails_the_owner_once() {
    let stage = Stage::open().await;
    let reporter = Reporter::trusted(&stage).await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Leaked").await;
    let mails = stage.mails(&stage.birch.owner).await.len();
    stage.me(&key.key).await.data(200);

    let made_up = PlainKey::generate(Env::Live, &SystemRng);
    let other = "not one of ours";
    let report = json!([found(made_up.expose()), found(&key.key), found(other), found(&key.key)]);
    let answer = reporter.report(&stage, &report).await.bare(200);
    assert!(!answer.to_string().contains(&key.key[8..]), "a token is never sent back");
    let expected = json!([
        verdict(made_up.expose(), "false_positive"),
        verdict(&key.key, "true_positive"),
        verdict(other, "false_positive"),
        verdict(&key.key, "true_positive"),
    ]);
    assert_eq!(answer, expected);
    stage.me(&key.key).await.asks_for_credential();

    let record = stage.keys(&owner).await[0].clone();
    assert_eq!((&record["api_key_id"], &record["status"]), (&json!(key.id), &json!("revoked")));
    assert_eq!(record["leak"], json!({ "reported_by": "github", "source": "commit", "url": PLACE }));
    let told = stage.mails(&stage.birch.owner).await;
    assert_eq!(told.len(), mails + 1);
    let letter = text(&told[0]["text"]);
    assert!(letter.contains("Leaked") && letter.contains(PLACE) && letter.contains("github"), "{letter}");
    assert!(!letter.contains(&key.key[8..]), "{letter}");
    let route = format!("/organizations/{}/audit?action=key.leaked", stage.birch.id);
    let trail = stage.get(&route).bearer(&owner.access_token).await.data(200);
    assert_eq!(trail["events"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&trail["events"][0]["actor"], &trail["events"][0]["target"]),
        (&json!("github"), &json!(key.id))
    );

    // Again: it was a key of ours, nothing changes, and nobody is mailed.
    let again = reporter.report(&stage, &json!([found(&key.key)])).await.bare(200);
    assert_eq!(again, json!([verdict(&key.key, "true_positive")]));
    assert_eq!(stage.mails(&stage.birch.owner).await.len(), mails + 1);
    assert_eq!(stage.keys(&owner).await[0], record);

    // The way on is a new key.
    stage.advance(61).await;
    let next = stage.create_key(&owner, "Kept better").await;
    stage.me(&next.key).await.data(200);
    assert_eq!(stage.keys(&owner).await[0]["leak"], Value::Null);
}

#[tokio::test]
async fn what_nobody_signed_who_is_trusted_does_nothing() {
    let stage = Stage::open().await;
    let (reporter, stranger) = (Reporter::trusted(&stage).await, Reporter::new());
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Safe").await;
    let mails = stage.mails(&stage.birch.owner).await.len();
    let report = json!([found(&key.key)]).to_string();
    let (good, other) = (reporter.sign(&report), reporter.sign("[]"));
    let spaced = format!("{report} ");
    for (what, identifier, signature, body) in [
        ("a stranger", stranger.identifier.as_str(), stranger.sign(&report), report.as_str()),
        ("a stranger under a trusted name", &reporter.identifier, stranger.sign(&report), &report),
        ("another body's signature", &reporter.identifier, other, &report),
        ("a byte more", &reporter.identifier, good.clone(), &spaced),
        ("no signature", &reporter.identifier, String::new(), &report),
        ("no name", "", good.clone(), &report),
        ("a name in capitals", &reporter.identifier.to_uppercase(), good.clone(), &report),
        ("no base64", &reporter.identifier, "%".to_owned(), &report),
    ] {
        let answer = send(&stage, identifier, &signature, body).await.refused(401, "invalid_signature");
        assert!(answer.find_header("www-authenticate").is_none(), "{what}");
    }
    let unsigned = stage.call(Method::POST, "/secret-scanning/github").json(&json!([found(&key.key)])).await;
    unsigned.refused(401, "invalid_signature");
    let twice = stage.call(Method::POST, "/secret-scanning/github");
    let twice =
        twice.header("Github-Public-Key-Signature", &good).header("Github-Public-Key-Signature", &good);
    let twice = twice.header("Github-Public-Key-Identifier", &reporter.identifier);
    twice
        .header("Content-Type", "application/json")
        .body(report.clone())
        .await
        .refused(401, "invalid_signature");

    // Whoever is trusted no longer is a stranger.
    let event = json!({ "action": "distrust_leak_reporter", "key_identifier": reporter.identifier });
    stage.operate(&event).await;
    send(&stage, &reporter.identifier, &good, &report).await.refused(401, "invalid_signature");
    stage.me(&key.key).await.data(200);
    assert_eq!(stage.mails(&stage.birch.owner).await.len(), mails);
    assert_eq!(stage.keys(&owner).await[0]["status"], "active");
}

#[tokio::test]
async fn a_signed_report_is_a_list_or_refused() {
    let stage = Stage::open().await;
    let reporter = Reporter::trusted(&stage).await;
    assert_eq!(reporter.report(&stage, &json!([])).await.bare(200), json!([]));
    for bad in
        [json!({}), json!("x"), json!([7]), json!([{ "token": "x" }]), json!([{ "token": 7, "type": "t" }])]
    {
        reporter.report(&stage, &bad).await.refused(400, "invalid_report");
    }
    let twice = r#"[{"token": "a", "token": "b", "type": "t"}]"#;
    send(&stage, &reporter.identifier, &reporter.sign(twice), twice).await.refused(400, "invalid_report");
    let long = format!("[{}]", " ".repeat(256 * 1024));
    send(&stage, &reporter.identifier, &reporter.sign(&long), &long).await.refused(413, "body_too_large");
    let made_up = || PlainKey::generate(Env::Test, &SystemRng);
    let many: Vec<Value> = (0..300).map(|_| found(made_up().expose())).collect();
    let answer = reporter.report(&stage, &json!(many)).await.bare(200);
    assert_eq!(answer.as_array().unwrap().len(), 300);
}

#[tokio::test]
async fn a_suspended_organizations_key_is_revoked_as_well() {
    let stage = Stage::open().await;
    let reporter = Reporter::trusted(&stage).await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Suspended").await;
    stage.suspend(&stage.birch, true).await;
    reporter.report(&stage, &json!([found(&key.key)])).await.bare(200);
    stage.suspend(&stage.birch, false).await;
    stage.me(&key.key).await.asks_for_credential();
}
