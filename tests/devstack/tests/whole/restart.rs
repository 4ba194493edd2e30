//! Data is kept in a folder: a restart ends no session, `fresh` ends them all.

use std::path::Path;

use devstack::seed::BIRCH;
use devstack::{Devstack, Options, StartError};
use reqwest::Method;
use serde_json::json;

use super::client::{get, log_in, post, send};

async fn start(folder: &Path, fresh: bool) -> Result<Devstack, StartError> {
    Devstack::start(Options { data: Some(folder.to_owned()), fresh, ..Options::default() }).await
}

/// Ends a devstack as the end of its process would: a connection that is still being served holds the table's files open for a moment, and
/// would take them away from the next.
pub async fn stop(devstack: Devstack, folder: &Path) {
    drop(devstack);
    let is_open = || {
        let files = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|path| path.starts_with(folder))
    };
    let closed = async {
        while is_open() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), closed).await.unwrap();
}

#[tokio::test]
async fn a_restart_on_another_port_ends_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), false).await.unwrap();
    let tokens = log_in(&first, BIRCH.owner).await;
    let made = post(&first, "/api/v1/auth/api-keys", Some(&tokens.access), json!({"key_name": "Till"})).await;
    let key = made["data"]["key"].as_str().unwrap();
    let (first_url, items) = (first.base_url.clone(), first.dynamodb.dump().await.unwrap().len());
    stop(first, folder.path()).await;

    let second = start(folder.path(), false).await.unwrap();
    assert_ne!(second.base_url, first_url);
    let event = 1;
    assert_eq!(second.dynamodb.dump().await.unwrap().len(), items + event, "nothing is seeded twice");
    assert_eq!(get(&second, "/api/v1/organizations/me", Some(key)).await.status(), 200);
    // The issuer is where the system is: an access token of before was for another.
    assert_eq!(get(&second, "/api/v1/organizations/me", Some(&tokens.access)).await.status(), 401);
    let refresh = json!({"refresh_token": tokens.refresh});
    let refreshed = post(&second, "/api/v1/auth/refresh", None, refresh.clone()).await;
    let access = refreshed["data"]["access_token"].as_str();
    assert_eq!(get(&second, "/api/v1/organizations/me", access).await.status(), 200);
    stop(second, folder.path()).await;

    let fresh = start(folder.path(), true).await.unwrap();
    assert_eq!(get(&fresh, "/api/v1/organizations/me", Some(key)).await.status(), 401);
    assert_eq!(send(&fresh, Method::POST, "/api/v1/auth/refresh", None, refresh).await.status(), 401);
}

#[tokio::test]
async fn two_devstacks_do_not_share_a_folder_or_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), false).await.unwrap();
    let same_folder = start(folder.path(), true).await.err().unwrap();
    assert!(matches!(same_folder, StartError::InUse { .. }), "{same_folder}");

    let port = first.base_url.rsplit(':').next().unwrap().parse().unwrap();
    let same_port = Devstack::start(Options { port, ..Options::default() }).await.err().unwrap();
    let sentence = same_port.to_string();
    assert!(sentence.contains(&format!("port {port} is taken")), "{sentence}");
    assert!(sentence.contains(&format!("make run PORT={}", port + 1)), "{sentence}");
}

#[tokio::test]
async fn functions_elsewhere_find_their_environment_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let devstack = start(folder.path(), false).await.unwrap();
    let file = std::fs::read_to_string(folder.path().join("env")).unwrap();
    assert!(file.contains("TABLE_NAME=devstack\n"), "{file}");
    assert!(file.contains(&format!("AWS_ENDPOINT_URL_DYNAMODB={}\n", devstack.dynamodb.endpoint)), "{file}");
    assert_eq!(file.lines().count(), devstack.environment.len());
}
