//! `make operator ARGS='audit verify --org …'`, as an operator runs it where `make run` runs.

use std::process::Command;
use std::time::Duration;

use devstack::seed::{ACORN, BIRCH};
use devstack::{Devstack, Options};
use serde_json::{Value, json};

use super::client::log_in;

/// The exit code, and what was printed.
async fn operator(devstack: &Devstack, words: &[&str]) -> (i32, String) {
    let port = devstack.base_url.rsplit(':').next().unwrap();
    let mut command = Command::new(devstack::repository().join("scripts/operator"));
    command.args(["--port", port]).args(words);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), said)
}

async fn verify(devstack: &Devstack, org: &str) -> (i32, Value) {
    let (code, said) = operator(devstack, &["audit", "verify", "--org", org]).await;
    (code, serde_json::from_str(&said).unwrap())
}

#[tokio::test]
async fn a_running_devstack_chains_by_itself_and_an_operator_sees_what_was_altered() {
    let options = Options { chain_every: Some(Duration::from_millis(20)), ..Options::default() };
    let devstack = Devstack::start(options).await.unwrap();
    log_in(&devstack, BIRCH.owner).await;
    let whole = async {
        loop {
            let (code, answer) = verify(&devstack, BIRCH.id).await;
            assert_eq!(code, 0, "{answer}");
            if answer["data"]["unchained"] == json!([]) {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), whole).await.unwrap();
    assert_eq!((&answer["data"]["links"], &answer["data"]["last"]), (&json!(4), &json!(4)));
    assert_eq!(answer["data"]["checkpoint"]["number"], 4);
    let (code, answer) = verify(&devstack, "platform").await;
    assert_eq!((code, &answer["data"]["links"]), (0, &json!(1)), "the keys that were published");

    let link = format!("LINK#{:012}", 2);
    devstack.dynamodb.forget(&format!("CHAIN#{}", BIRCH.id), &link).await.unwrap();
    let (code, answer) = verify(&devstack, BIRCH.id).await;
    assert_eq!((code, &answer["data"]["findings"][0]["kind"]), (1, &json!("deleted")));
    assert_eq!(verify(&devstack, ACORN.id).await.0, 0, "each organization by itself");
}

#[tokio::test]
async fn what_an_operator_mistypes_is_said() {
    let devstack = Devstack::start(Options::default()).await.unwrap();
    for words in [["audit", "verify"].as_slice(), &["audit", "check", "--org", BIRCH.id], &["audit"]] {
        let (code, said) = operator(&devstack, words).await;
        assert!(code == 1 && said.contains("audit verify --org"), "{said}");
    }
    let (code, said) = operator(&devstack, &["audit", "verify", "--org", "org_1"]).await;
    assert!(code == 1 && said.contains("must be the id of an organization"), "{said}");
}

#[tokio::test]
async fn a_table_from_before_there_was_a_stream_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let first = Devstack::start(options()).await.unwrap();
    let off = json!({"TableName": first.dynamodb.table, "StreamSpecification": {"StreamEnabled": false}});
    first.dynamodb.ask("DynamoDB_20120810.UpdateTable", &off).await.unwrap();
    super::restart::stop(first, folder.path()).await;
    let second = Devstack::start(options()).await.unwrap();
    log_in(&second, BIRCH.owner).await;
    second.chain().await.unwrap();
    let links = second.dynamodb.dump().await.unwrap();
    let links = links.iter().filter(|item| item["sk"].as_str().is_some_and(|sk| sk.starts_with("LINK#")));
    assert!(links.count() >= 1, "what came since is chained");
    super::restart::stop(second, folder.path()).await;
}
