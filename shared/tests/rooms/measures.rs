//! What made it fast stands in one place, and every function has it from there (docs/performance.md, "What made it fast").

use std::fs;
use std::path::{Path, PathBuf};

/// They ask nobody anything: no table, no secret, no client, so nothing to set up or to read ahead.
const ALONE: [&str; 2] = ["dashboard", "docs"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn functions() -> Vec<String> {
    let folder = fs::read_dir(repository().join("functions")).unwrap();
    let names: Vec<String> = folder.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() >= 14, "the reading is broken: {names:?}");
    names
}

#[test]
fn every_function_has_one_thread() {
    for name in functions() {
        let main = read(&format!("functions/{name}/src/main.rs"));
        let threads = main.matches("#[tokio::main(flavor = \"local\")]").count();
        assert!(
            threads == 1 && main.matches("tokio::main").count() == 1 && !main.contains("Runtime"),
            "{name} has threads that only cost their switches"
        );
        let whole = "async fn main() -> Result<(), Error> {\n    in_a_task(async {\n";
        assert!(main.contains(whole), "{name} is woken through the operating system");
        let manifest = read(&format!("functions/{name}/Cargo.toml"));
        assert!(!manifest.contains("rt-multi-thread"), "{name} can start more threads");
    }
    // What one of them is built with, all are: features add up.
    let shipped = read("Cargo.toml") + &read("shared/Cargo.toml");
    assert!(!shipped.contains("rt-multi-thread"), "the functions are built with threads");
}

/// Connections are opened, and secrets and keys read and parsed, while a start still has a whole processor.
#[test]
fn every_function_starts_through_init() {
    for name in functions() {
        let main = read(&format!("functions/{name}/src/main.rs"));
        let imported = main.lines().any(|line| {
            line.strip_prefix("use shared::init::{")
                .is_some_and(|names| names.contains("Uses, ") && names.ends_with(" start};"))
        });
        let starts = imported && main.matches("start(Uses {").count() == 1;
        if ALONE.contains(&name.as_str()) {
            let alone = ["shared::init", "App", "Config", "clients"].iter().all(|word| !main.contains(word));
            assert!(alone, "{name} is no longer alone: it has to start through shared::init");
        } else {
            assert!(starts, "{name} starts by itself");
        }
        // Whoever is called while somebody waits reads the key set: that opens the connection to the table.
        let called_later =
            ["audit_chain", "key_usage", "key_expiry", "rotate_key", "webhook_queue", "webhook_send"]
                .contains(&name.as_str());
        assert!(
            !starts || called_later || main.contains("key_set: true"),
            "{name} opens its connection at the first call"
        );
    }
    let init = read("shared/src/init.rs");
    assert!(init.contains("read_ahead(&app, &config, uses).await?;"), "nothing is read ahead");
}

/// One HTTP client with Amazon's roots, configured by hand; nobody makes another.
#[test]
fn clients_are_made_in_one_place() {
    let mut made = Vec::new();
    let mut folders = vec![repository().join("shared/src"), repository().join("functions")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            if ["::from_conf(", "build_https(", "TrustStore::", "aws_config"]
                .iter()
                .any(|it| source.contains(it))
            {
                made.push(path.strip_prefix(repository()).unwrap().display().to_string());
            }
        }
    }
    made.sort();
    // The second leads to whoever an organization named, and trusts what the machine trusts.
    assert_eq!(made, ["shared/src/config/aws.rs", "shared/src/courier.rs"]);
    let clients = read("shared/src/config/aws.rs");
    for left_out in [".interceptor(WithoutAgent)", "StalledStreamProtectionConfig::disabled()"] {
        assert_eq!(clients.matches(left_out).count(), 1, "{left_out}: once, for all clients");
    }
    for name in functions() {
        let manifest = read(&format!("functions/{name}/Cargo.toml"));
        let own =
            ["aws-sdk-", "aws-smithy-", "aws-config", "[profile"].iter().find(|it| manifest.contains(**it));
        assert_eq!(own, None, "in the manifest of {name}");
    }
    assert!(!read("shared/Cargo.toml").contains("aws-config"), "the SDK's search for a configuration ships");
}

#[test]
fn what_ships_is_built_for_speed() {
    let manifest = read("Cargo.toml");
    let line = |start: &str| {
        let found = manifest.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line {start} in Cargo.toml"))
    };
    for sdk in ["aws-sdk-dynamodb", "aws-sdk-secretsmanager", "aws-sdk-sesv2", "aws-sdk-sqs"] {
        // Its default features bring a second, older TLS.
        let line = line(&format!("{sdk} ="));
        let features = r#"default-features = false, features = ["default-https-client", "rt-tokio"] }"#;
        assert!(line.ends_with(features), "{line}");
    }
    // What ships verifies and signs by AWS-LC itself. Tests and the bench use this library over the same: its other implementation takes
    // three times as long to verify.
    assert!(read("shared/Cargo.toml").contains("aws-lc-rs.workspace = true"));
    assert!(!read("shared/Cargo.toml").contains("jsonwebtoken"), "what ships verifies by AWS-LC itself");
    assert!(line("jsonwebtoken =").ends_with(r#"features = ["aws_lc_rs"] }"#));
    let release =
        manifest.split("[profile.release]").nth(1).and_then(|it| it.split("[profile").next()).unwrap();
    for setting in ["opt-level = 3", "lto = \"fat\"", "codegen-units = 1", "strip = true"] {
        assert!(release.contains(setting), "[profile.release] has lost {setting}");
    }
    let environment = read(".cargo/config.toml");
    assert!(
        environment.contains("AWS_LC_SYS_NO_JITTER_ENTROPY = \"1\""),
        "the first random number takes 26 ms"
    );
}
