//! A key in a public repository: GitHub reports it, it is revoked at once, and its owner is told once.

use e2e::reporter::{PLACE, Reporter, found, verdict};
use e2e::{Answer, Method, Stage, Value, json, text};
use shared::api_keys::{Env, PlainKey};
use shared::rng::SystemRng;

/// Somebody whom the operator trusts.
async fn trusted(stage: &Stage) -> Reporter {
    let reporter = Reporter::stranger();
    stage.operate(&reporter.order()).await;
    reporter
}

async fn report(stage: &Stage, reporter: &Reporter, report: &Value) -> Answer {
    let body = report.to_string();
    send(stage, &reporter.identifier, &reporter.sign(&body), &body).await
}

async fn send(stage: &Stage, identifier: &str, signature: &str, body: &str) -> Answer {
    let call = stage.call(Method::POST, "/secret-scanning/github");
    let call = call
        .header("Github-Public-Key-Identifier", identifier)
        .header("Github-Public-Key-Signature", signature);
    call.header("Content-Type", "application/json").body(body).await
}

#[tokio::test]
async fn a_signed_report_revokes_on_the_very_next_call_and_mails_the_owner_once() {
    let stage = Stage::open().await;
    let reporter = trusted(&stage).await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Leaked").await;
    let mails = stage.mails(&stage.birch.owner).await.len();
    stage.me(&key.key).await.data(200);

    let made_up = PlainKey::generate(Env::Live, &SystemRng);
    let other = "not one of ours";
    let all = json!([found(made_up.expose()), found(&key.key), found(other), found(&key.key)]);
    let answer = report(&stage, &reporter, &all).await.bare(200);
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
    let again = report(&stage, &reporter, &json!([found(&key.key)])).await.bare(200);
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
    let (reporter, stranger) = (trusted(&stage).await, Reporter::stranger());
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
    let reporter = trusted(&stage).await;
    assert_eq!(report(&stage, &reporter, &json!([])).await.bare(200), json!([]));
    for bad in
        [json!({}), json!("x"), json!([7]), json!([{ "token": "x" }]), json!([{ "token": 7, "type": "t" }])]
    {
        report(&stage, &reporter, &bad).await.refused(400, "invalid_report");
    }
    let twice = r#"[{"token": "a", "token": "b", "type": "t"}]"#;
    send(&stage, &reporter.identifier, &reporter.sign(twice), twice).await.refused(400, "invalid_report");
    let long = format!("[{}]", " ".repeat(256 * 1024));
    send(&stage, &reporter.identifier, &reporter.sign(&long), &long).await.refused(413, "body_too_large");
    let made_up = || PlainKey::generate(Env::Test, &SystemRng);
    let many: Vec<Value> = (0..300).map(|_| found(made_up().expose())).collect();
    let answer = report(&stage, &reporter, &json!(many)).await.bare(200);
    assert_eq!(answer.as_array().unwrap().len(), 300);
}

#[tokio::test]
async fn a_suspended_organizations_key_is_revoked_as_well() {
    let stage = Stage::open().await;
    let reporter = trusted(&stage).await;
    let owner = stage.login(&stage.birch.owner).await;
    let key = stage.create_key(&owner, "Suspended").await;
    stage.suspend(&stage.birch, true).await;
    report(&stage, &reporter, &json!([found(&key.key)])).await.bare(200);
    stage.suspend(&stage.birch, false).await;
    stage.me(&key.key).await.asks_for_credential();
}
