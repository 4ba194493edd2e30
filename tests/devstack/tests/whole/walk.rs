//! The commands that `make run` prints do what they say.

use std::process::Command;

use super::client::devstack;

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_walk_runs_from_login_to_a_refused_key() {
    let devstack = devstack().await;
    let script = devstack::walk::script(&devstack.base_url);
    let run = move || Command::new("sh").arg("-euc").arg(script).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("\"name\":\"Acorn Books\""), "{text}{errors}");
    assert!(text.contains("\"status\":\"revoked\""), "{text}{errors}");
    assert!(text.trim_end().ends_with(" 401"), "{text}{errors}");
    assert_eq!(errors, "", "{text}");
}
