//! The clients of `docs/integrate.md`, each taken out of the document and run: it works, says what went wrong, comes back when it is
//! told to wait, and outlasts a rotation of its key.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devstack::Devstack;
use devstack::engines::recorder::{Fault, Recorded};
use documents::blocks::{blocks, only};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::place::{Ended, call, devstack, file, log_in, run};

const DOCUMENT: &str = "docs/integrate.md";
const LANGUAGES: [&str; 4] = ["curl", "js", "python", "rust"];

/// One client, with a home of its own that has the key in it.
struct Client {
    language: &'static str,
    home: TempDir,
}

impl Client {
    /// One of each language. `make test` needs no Node.js: where there is none, there is no such client.
    fn each(key: &str) -> Vec<Self> {
        let node = Command::new("node").arg("--version").output().is_ok_and(|it| it.status.success());
        let all = LANGUAGES.into_iter().filter(|language| node || *language != "js");
        all.map(|language| Self::with(language, key)).collect()
    }

    fn with(language: &'static str, key: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("key"), format!("{key}\n")).unwrap();
        let document = file(DOCUMENT);
        match language {
            "js" => fs::write(home.path().join("client.mjs"), only(&document, "js").unwrap()),
            "python" => fs::write(home.path().join("client.py"), only(&document, "python").unwrap()),
            "curl" => {
                let mut shell = blocks(&document).into_iter().filter(|it| it.language == "sh");
                let client = shell.find(|it| it.text.starts_with("syncgram() {")).unwrap();
                fs::write(home.path().join("client.sh"), client.text)
            }
            // Compiled already, by the build script.
            _ => Ok(()),
        }
        .unwrap();
        Self { language, home }
    }

    async fn run(&self, devstack: &Devstack) -> Ended {
        let home = self.home.path();
        match self.language {
            "js" => run("node", &["client.mjs"], home, devstack).await,
            "python" => run("python3", &["client.py"], home, devstack).await,
            "curl" => run("bash", &["-euo", "pipefail", "client.sh"], home, devstack).await,
            _ => run(env!("CARGO_BIN_EXE_integrate"), &[], home, devstack).await,
        }
    }

    async fn works(&self, devstack: &Devstack) {
        let Ended { well, said } = self.run(devstack).await;
        assert!(well && said.contains("Acorn Books") && said.contains("test"), "{}: {said}", self.language);
    }
}

/// A key of Acorn's, made by `access`: its id and itself.
async fn make_key(devstack: &Devstack, access: &str) -> (String, String) {
    let made = json!({"key_name": "Documents"});
    let made = call(devstack, Method::POST, "/api/v1/auth/api-keys", access, made).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("api_key_id"), text("key"))
}

async fn revoke(devstack: &Devstack, access: &str, id: &str) {
    call(devstack, Method::DELETE, &format!("/api/v1/auth/api-keys/{id}"), access, Value::Null).await;
}

/// Whether the authorizer looks up a key.
fn looks_up(request: &Recorded) -> bool {
    request.body.to_string().contains("KEYHASH#") && request.is_read()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_works_and_says_why_it_does_not() {
    let devstack = devstack().await;
    let access = log_in(&devstack).await;
    let (id, key) = make_key(&devstack, &access).await;
    let clients = Client::each(&key);
    join_all(clients.iter().map(|it| it.works(&devstack))).await;

    revoke(&devstack, &access, &id).await;
    let said = join_all(clients.iter().map(|it| it.run(&devstack))).await;
    let with_id = regex::Regex::new(r#"\(request [0-9a-f-]{36}\)|"request_id": ?"[0-9a-f-]{36}""#).unwrap();
    for (client, Ended { well, said }) in clients.iter().zip(said) {
        assert!(!well && said.contains("unauthorized"), "{}: {said}", client.language);
        assert!(with_id.is_match(&said), "{} names no request: {said}", client.language);
        assert!(!said.contains(&key), "{} shows its key: {said}", client.language);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_comes_back_when_it_is_told_to_wait() {
    let devstack = devstack().await;
    let (_, key) = make_key(&devstack, &log_in(&devstack).await).await;
    let clients = Client::each(&key);
    let told = Arc::new(AtomicUsize::new(0));
    let (many, counted) = (clients.len(), told.clone());
    let away = json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException"});
    devstack.requests.inject(move |request| {
        let refused = looks_up(request) && counted.fetch_add(1, Ordering::SeqCst) < many;
        refused.then(|| Fault::Answer(400, away.clone()))
    });
    join_all(clients.iter().map(|it| it.works(&devstack))).await;
    assert_eq!(told.load(Ordering::SeqCst), 2 * many, "each was told 503 once, and once its answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_outlasts_a_rotation() {
    let devstack = devstack().await;
    let access = log_in(&devstack).await;
    let (id, old) = make_key(&devstack, &access).await;
    revoke(&devstack, &access, &id).await;
    devstack.clock.advance(time::Duration::minutes(1));
    let (_, new) = make_key(&devstack, &access).await;
    for client in Client::each(&old) {
        // The new key comes while the first call with the old one is on its way.
        let (file, new) = (client.home.path().join("key"), new.clone());
        devstack.requests.inject(move |request| {
            if looks_up(request) {
                replace(&file, &new);
            }
            None
        });
        client.works(&devstack).await;
    }
}

fn replace(file: &Path, key: &str) {
    let next = file.with_extension("new");
    fs::write(&next, key).unwrap();
    fs::rename(next, file).unwrap();
}

#[test]
fn every_code_that_the_interface_has_is_explained() {
    let document = file(DOCUMENT);
    let openapi: serde_yaml_ng::Value = serde_yaml_ng::from_str(&file("docs/openapi.yaml")).unwrap();
    let mut codes = Vec::new();
    collect_codes(&openapi, &mut codes);
    assert!(codes.len() > 20, "the reading is broken: {codes:?}");
    for code in codes {
        assert!(document.contains(&format!("| `{code}` | ")), "{DOCUMENT} does not explain {code}");
    }
}

/// The values that members named `code` may have.
fn collect_codes<'a>(value: &'a serde_yaml_ng::Value, found: &mut Vec<&'a str>) {
    use serde_yaml_ng::Value;
    match value {
        Value::Mapping(members) => {
            let named = value.get("code").and_then(|code| code.get("enum")).and_then(Value::as_sequence);
            found.extend(named.into_iter().flatten().filter_map(Value::as_str));
            members.values().for_each(|it| collect_codes(it, found));
        }
        Value::Sequence(all) => all.iter().for_each(|it| collect_codes(it, found)),
        _ => {}
    }
}
