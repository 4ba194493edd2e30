//! `scripts/deploy`, as far as it goes without an account: what it asks, what it remembers, what it would run.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::template::{of_type, template};

fn deploy(config: &Path, more: &[&str], typed: &str) -> Output {
    let mut child = Command::new("python3")
        .arg(devstack::repository().join("scripts/deploy"))
        .args(["--dry-run", "--config"])
        .arg(config)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading everything.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The parameters of the `sam` command it would run, without the release.
fn parameters(output: &Output) -> Vec<String> {
    let said = said(output);
    let given = said.split_once("--parameter-overrides ").unwrap().1;
    let words = given.split_whitespace().filter(|word| !word.starts_with("Release="));
    words.map(str::to_owned).collect()
}

#[test]
fn what_was_answered_is_never_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("samconfig.toml");
    let typed = "shop\neu-north-1\n\ncodes@pay.example\n\napi.pay.example\narn:aws:acm:eu-north-1:1:certificate/c\nZ1\nx86_64\n\n";
    let first = deploy(&config, &[], typed);
    assert!(first.status.success(), "{}", said(&first));
    let expected = [
        "GradualDeployment=true",
        "StageName=prod",
        "MailFrom=codes@pay.example",
        "MailIdentity=pay.example",
        "DomainName=api.pay.example",
        "CertificateArn=arn:aws:acm:eu-north-1:1:certificate/c",
        "HostedZoneId=Z1",
        "Architecture=x86_64",
        "AlarmTopicArn=\"\"",
    ];
    assert_eq!(parameters(&first), expected);
    let known: Vec<String> = template()["Parameters"]
        .as_mapping()
        .unwrap()
        .keys()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    for parameter in expected {
        let name = parameter.split('=').next().unwrap().to_owned();
        assert!(known.contains(&name), "the template has no parameter {name}");
    }

    let second = deploy(&config, &[], "");
    // The questions of the first stand in one line, having met no terminal; what it would do comes after the last.
    let done = said(&first).split_once(": make build").map(|(_, rest)| format!("make build{rest}"));
    assert_eq!(Some(said(&second)), done);
    // What is set, and that a stage is deployed at once, changes nothing else; what was set stays, the other does not.
    let set = deploy(&config, &["--at-once", "--set", "LoginConcurrency=20"], "");
    assert!(parameters(&set).contains(&"LoginConcurrency=20".to_owned()), "{}", said(&set));
    assert!(parameters(&set).contains(&"GradualDeployment=false".to_owned()), "{}", said(&set));
    let third = deploy(&config, &[], "");
    assert!(parameters(&third).contains(&"LoginConcurrency=20".to_owned()), "{}", said(&third));
    assert!(parameters(&third).contains(&"GradualDeployment=true".to_owned()), "{}", said(&third));
    assert_ne!(said(&third).split("Release=").nth(1), said(&first).split("Release=").nth(1));
}

#[test]
fn without_questions_everything_that_is_missing_is_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("samconfig.toml");
    let ended = deploy(&config, &["--yes", "--set", "DomainName=api.pay.example"], "");
    assert_eq!(ended.status.code(), Some(2));
    for name in ["MailFrom", "MailIdentity", "CertificateArn"] {
        assert!(said(&ended).contains(&format!("--set {name}=")), "{}", said(&ended));
    }
    assert!(!config.exists(), "half an answer is not remembered");
    assert_eq!(deploy(&config, &["--yes", "--set", "NoSuch=1"], "").status.code(), Some(2));
    let complete = ["--yes", "--set", "MailFrom=a@pay.example"];
    assert!(deploy(&config, &complete, "").status.success());
}

/// A version is published when the release's word changes; without it, new code and new variables would serve nobody.
#[test]
fn every_function_publishes_a_version_for_every_release() {
    let template = template();
    assert_eq!(template["Globals"]["Function"]["AutoPublishAlias"], "live");
    for (name, function) in of_type(&template, "AWS::Serverless::Function") {
        let word = serde_yaml_ng::to_string(&function["Properties"]["AutoPublishCodeSha256"]).unwrap();
        assert_eq!(word.trim(), "!Ref Release", "{name}");
    }
}
