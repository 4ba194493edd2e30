//! The shell commands of the documents, pasted as they are printed.

use documents::blocks::{Block, blocks};

use super::place::{Ended, devstack, file, run};

/// Where `make run` listens, and so where the documents call.
const PRINTED: &str = "http://127.0.0.1:3000";
/// What a block may be besides commands. A fence of another name would be left out unnoticed.
const NOT_COMMANDS: [&str; 7] = ["json", "js", "python", "rust", "text", "mermaid", "yaml"];

/// All commands of a document in one shell, as a person pastes them: in bash, which stops at the first that fails. Blocks of nothing
/// but `make` are left out: `names` looks those up.
async fn paste(path: &str) -> Ended {
    let devstack = devstack().await;
    let commands = |it: &Block| {
        assert!(it.language == "sh" || NOT_COMMANDS.contains(&&*it.language), "{path}: ```{}", it.language);
        it.language == "sh" && !it.text.lines().all(|line| line.starts_with("make "))
    };
    let script: String = blocks(&file(path)).into_iter().filter(commands).map(|it| it.text).collect();
    assert!(script.contains(PRINTED), "{path} calls nothing: the reading is broken");
    let script = script.replace(PRINTED, &devstack.base_url);
    let home = tempfile::tempdir().unwrap();
    run("bash", &["-euo", "pipefail", "-c", &script], home.path(), &devstack).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_ends_with_a_refused_key() {
    let Ended { well, said } = paste("README.md").await;
    assert!(well, "{said}");
    assert!(said.contains("\"name\":\"Acorn Books\"") && said.contains("\"status\":\"revoked\""), "{said}");
    assert!(said.trim_end().ends_with(" 401"), "{said}");
    assert!(!said.contains("curl:") && !said.contains("unexpected answer"), "{said}");
}

#[test]
fn the_readme_prints_the_walk_that_the_system_prints() {
    let walk = devstack::walk::script(PRINTED);
    assert!(file("README.md").contains(&format!("```sh\n{walk}```\n")), "README.md has not:\n{walk}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integrating_works_from_the_first_login_to_the_logout() {
    let Ended { well, said } = paste("docs/integrate.md").await;
    assert!(well, "{said}");
    assert_eq!(said.matches("\"name\":\"Acorn Books\"").count(), 2, "before and after the rotation: {said}");
    assert!(said.contains("\"code\":\"address_not_allowed\"") && said.contains("not here"), "{said}");
    assert!(said.contains("the same refresh token") && said.trim_end().ends_with("204"), "{said}");
    assert!(said.contains("Olivia Shop") && said.contains("Your password was changed"), "{said}");
    assert!(said.contains("\"backup_codes_left\":10"), "{said}");
    // The login that set the app up, and the one that asks.
    assert!(said.contains("\"current\":true") && said.contains("\"current\":false"), "{said}");
    assert!(!said.contains("curl:") && !said.contains("Traceback"), "{said}");
    assert!(!said.contains("rst_") && !said.contains("otpauth"), "a secret was printed: {said}");
    assert!(!said.contains("sk_test_") || said.contains("sk_test_…"), "a key was printed: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_set_tested_and_gets_another_secret() {
    let Ended { well, said } = paste("docs/webhooks.md").await;
    assert!(well, "{said}");
    assert!(said.contains("\"event_id\":\"evt_") && said.contains("another secret"), "{said}");
    assert!(!said.contains("whsec_") && !said.contains("Traceback"), "{said}");
}
