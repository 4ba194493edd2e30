//! The receivers of `docs/webhooks.md`, each taken out of the document: it takes what we sign, and nothing else.

use std::fs;
use std::process::Command;

use documents::blocks::only;
use documents::webhooks::is_ours;
use serde_json::{Value, json};
use shared::clock::{Clock, SystemClock};
use shared::rng::SystemRng;
use shared::webhooks::{EventType, Subject, WebhookSecret, signature};

use super::place::file;

const DOCUMENT: &str = "docs/webhooks.md";

/// A question to a receiver, and what it must answer.
struct Case {
    what: &'static str,
    header: String,
    body: &'static str,
    now: i64,
    ours: bool,
}

fn cases(secret: &WebhookSecret) -> Vec<Case> {
    const BODY: &str = "{\"id\":\"evt_1\",\"data\":{\"key_name\":\"Caf\u{e9}\"}}";
    let at = SystemClock.now_seconds();
    let signed = |at: i64| signature(std::slice::from_ref(secret), at, BODY);
    let other = WebhookSecret::generate(&SystemRng);
    let both = signature(&[other.clone(), secret.clone()], at, BODY);
    let v1 = signed(at).split_once(",v1=").unwrap().1.to_owned();
    let case = |what, header: String, ours| Case { what, header, body: BODY, now: at, ours };
    vec![
        case("ours", signed(at), true),
        case("signed along", both, true),
        Case { now: at + 299, ..case("still young", signed(at), true) },
        Case { now: at + 301, ..case("too old", signed(at), false) },
        Case { now: at - 301, ..case("from the future", signed(at), false) },
        Case { body: "{\"id\":\"evt_2\"}", ..case("another body", signed(at), false) },
        case("another secret", signature(&[other], at, BODY), false),
        case("another time", signed(at).replace(&format!("t={at}"), &format!("t={}", at + 1)), false),
        case("no time", format!("v1={v1}"), false),
        case("no signature", format!("t={at}"), false),
        case("another version", format!("t={at},v0={v1}"), false),
        case("half a signature", format!("t={at},v1={}", &v1[..32]), false),
        case("no hexadecimal", format!("t={at},v1={}", "\u{e9}".repeat(32)), false),
        case("no number", signed(at).replace("t=", "t=+"), false),
        case("nothing", String::new(), false),
        case("rubbish", ",,=,t,v1,==".to_owned(), false),
    ]
}

/// What a program answers to all cases: it gets them as JSON in a file, and prints a list of yes and no.
fn answers(program: &str, code: &str, name: &str, secret: &WebhookSecret, cases: &[Case]) -> Vec<bool> {
    let home = tempfile::tempdir().unwrap();
    let asked: Vec<Value> =
        cases.iter().map(|it| json!({"header": it.header, "body": it.body, "now": it.now})).collect();
    fs::write(home.path().join("cases.json"), json!({"secret": secret.expose(), "cases": asked}).to_string())
        .unwrap();
    fs::write(home.path().join(name), code).unwrap();
    let output = Command::new(program).arg(name).current_dir(home.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn expect(language: &str, cases: &[Case], answers: &[bool]) {
    assert_eq!(cases.len(), answers.len(), "{language}");
    for (case, answer) in cases.iter().zip(answers) {
        assert_eq!(*answer, case.ours, "{language}: {}", case.what);
    }
}

#[test]
fn the_rust_takes_what_is_ours_and_nothing_else() {
    let secret = WebhookSecret::generate(&SystemRng);
    let cases = cases(&secret);
    let one = |it: &Case| is_ours(secret.expose(), &it.header, it.body.as_bytes(), it.now.cast_unsigned());
    expect("rust", &cases, &cases.iter().map(one).collect::<Vec<_>>());
}

#[test]
fn the_python_takes_what_is_ours_and_nothing_else() {
    const ASK: &str = "\nimport json\nasked = json.load(open('cases.json'))\n\
        print(json.dumps([is_ours(asked['secret'], it['header'], it['body'].encode(), it['now']) for it in asked['cases']]))\n";
    let secret = WebhookSecret::generate(&SystemRng);
    let cases = cases(&secret);
    let code = only(&file(DOCUMENT), "python").unwrap() + ASK;
    expect("python", &cases, &answers("python3", &code, "receiver.py", &secret, &cases));
}

/// `make test` needs no Node.js: where there is none, there is no such receiver.
#[test]
fn the_node_takes_what_is_ours_and_nothing_else() {
    const ASK: &str = "\nimport { readFileSync } from \"node:fs\";\n\
        const asked = JSON.parse(readFileSync(\"cases.json\", \"utf8\"));\n\
        console.log(JSON.stringify(asked.cases.map((it) => isOurs(asked.secret, it.header, it.body, it.now))));\n";
    if !Command::new("node").arg("--version").output().is_ok_and(|it| it.status.success()) {
        return;
    }
    let secret = WebhookSecret::generate(&SystemRng);
    let cases = cases(&secret);
    let code = only(&file(DOCUMENT), "js").unwrap() + ASK;
    expect("js", &cases, &answers("node", &code, "receiver.mjs", &secret, &cases));
}

#[test]
fn every_type_is_explained() {
    let document = file(DOCUMENT);
    let types = EventType::ALL.into_iter().map(Subject::Event).chain([Subject::Test]);
    for subject in types {
        assert!(document.contains(&format!("| `{}` | ", subject.as_str())), "{}", subject.as_str());
    }
}
