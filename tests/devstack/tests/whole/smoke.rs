//! `scripts/smoke`, as an operator runs it against a live stage: the code is typed when it has come.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use devstack::engines::recorder::Fault;
use devstack::seed::{ACORN, PASSWORD, Person};
use devstack::{Devstack, Options};
use serde_json::{Value, json};

use super::client::{get, log_in, post};

struct Ended {
    code: i32,
    said: String,
}

/// Runs it as `person`, who types `code`, or the one that was mailed.
async fn smoke(devstack: &Devstack, person: Person, more: &[&str], code: Option<&str>) -> Ended {
    let mut child = Command::new(devstack::repository().join("scripts/smoke"))
        .arg(&devstack.base_url)
        .args(more)
        .envs([("SMOKE_EMAIL", person.email), ("SMOKE_PASSWORD", PASSWORD)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mailbox = devstack.mailbox.clone();
    let typed = code.map(str::to_owned);
    let dialogue = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            said += &(line.clone() + "\n");
            if line.starts_with("Type the code") {
                let code = typed.clone().or_else(|| mailbox.code(person.email)).unwrap();
                writeln!(child.stdin.as_mut().unwrap(), "{code}").unwrap();
            }
        }
        end(child, said)
    });
    dialogue.await.unwrap()
}

fn end(mut child: Child, mut said: String) -> Ended {
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    for secret in [PASSWORD, "eyJ", "rt_", "sk_test_"] {
        assert!(!said.contains(secret), "{secret} was printed: {said}");
    }
    Ended { code, said }
}

/// The organization's keys, newest first.
async fn keys(devstack: &Devstack) -> Vec<Value> {
    let access = log_in(devstack, ACORN.admin).await.access;
    let listed = get(devstack, "/api/v1/auth/api-keys", Some(&access)).await;
    let listed: Value = listed.json().await.unwrap();
    listed["data"]["keys"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_works_passes_and_nothing_is_left_behind() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let ended = smoke(&devstack, ACORN.owner, &[], None).await;
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert!(ended.said.ends_with("everything works\n"), "{}", ended.said);
    for told in
        ["verified by the public keys", "refreshed", "revoked; the very next call with it: 401", "logged out"]
    {
        assert!(ended.said.contains(told), "{told}: {}", ended.said);
    }
    let keys = keys(&devstack).await;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["status"], "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_active_key_is_left_alone_unless_it_is_named() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let access = log_in(&devstack, ACORN.owner).await.access;
    let made = post(&devstack, "/api/v1/auth/api-keys", Some(&access), json!({"key_name": "Shop"})).await;
    let id = made["data"]["api_key_id"].as_str().unwrap().to_owned();

    for more in [vec![], vec!["--revoke", "key_01J0ACRN000000000000000000"]] {
        let ended = smoke(&devstack, ACORN.admin, &more, None).await;
        assert_eq!(ended.code, 2, "{}", ended.said);
        assert!(ended.said.contains(&format!("REVOKE={id}")), "{}", ended.said);
        assert!(ended.said.contains("cleaned up: logged out"), "{}", ended.said);
        assert_eq!(keys(&devstack).await[0]["status"], "active");
    }
    let ended = smoke(&devstack, ACORN.admin, &["--revoke", &id], None).await;
    assert_eq!(ended.code, 0, "{}", ended.said);
    let statuses: Vec<Value> = keys(&devstack).await.iter().map(|key| key["status"].clone()).collect();
    assert_eq!(statuses, ["revoked", "revoked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_revoked_even_when_the_run_fails_in_the_middle() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    // The key comes to be, and the authorizer cannot look it up.
    devstack.requests.inject(|request| {
        let looked_up = request.operation == "GetItem" && request.body.to_string().contains("KEYHASH#");
        looked_up.then_some(Fault::NotSent)
    });
    let ended = smoke(&devstack, ACORN.owner, &[], None).await;
    assert_eq!(ended.code, 1, "{}", ended.said);
    assert!(ended.said.contains("expected 200, got 503"), "{}", ended.said);
    assert!(ended.said.contains("cleaned up: key_"), "{}", ended.said);
    assert_eq!(keys(&devstack).await[0]["status"], "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_and_a_person_who_may_not_end_it() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    let ended = smoke(&devstack, ACORN.owner, &[], Some("not-it")).await;
    assert_eq!(ended.code, 1, "{}", ended.said);
    assert!(ended.said.contains("invalid_code"), "{}", ended.said);
    let ended = smoke(&devstack, ACORN.viewer, &[], None).await;
    assert_eq!(ended.code, 2, "{}", ended.said);
    assert!(ended.said.contains("owner or admin") && ended.said.contains("cleaned up: logged out"));
}
