//! A devstack, and programs that call it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use devstack::seed::{ACORN, PASSWORD};
use devstack::{Devstack, Options};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

/// A file of the repository.
pub fn file(path: &str) -> String {
    std::fs::read_to_string(documents::root().join(path)).map_err(|error| format!("{path}: {error}")).unwrap()
}

/// A devstack in memory, whose time stands still.
pub async fn devstack() -> Devstack {
    Devstack::start(Options::default()).await.unwrap()
}

/// What a program said, on both its outputs, and whether it succeeded.
pub struct Ended {
    pub well: bool,
    pub said: String,
}

/// Runs a program whose home and working folder is `home`, and which finds the devstack's address and a key's file where the documents
/// say.
pub async fn run(program: impl AsRef<OsStr>, arguments: &[&str], home: &Path, devstack: &Devstack) -> Ended {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("SYNCGRAM_URL", &devstack.base_url)
        .env("SYNCGRAM_KEY_FILE", home.join("key"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said += &String::from_utf8_lossy(&output.stderr);
    Ended { well: output.status.success(), said }
}

/// Sends JSON, and reads the `data` of what must be a success.
pub async fn call(devstack: &Devstack, method: Method, path: &str, bearer: &str, body: Value) -> Value {
    let request = reqwest::Client::new().request(method, format!("{}{path}", devstack.base_url)).json(&body);
    let answer = request.bearer_auth(bearer).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    answer.json::<Value>().await.unwrap()["data"].take()
}

/// The access token of Acorn's owner.
pub async fn log_in(devstack: &Devstack) -> String {
    let email = ACORN.owner.email;
    let login = json!({"email": email, "password": PASSWORD});
    let login = call(devstack, Method::POST, "/api/v1/auth/login", "", login).await;
    let second =
        json!({"challenge_id": login["challenge_id"], "code": devstack.mailbox.code(email).unwrap()});
    let tokens = call(devstack, Method::POST, "/api/v1/auth/login/2fa/verify", "", second).await;
    tokens["access_token"].as_str().unwrap().to_owned()
}
