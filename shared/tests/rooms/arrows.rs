//! Imports go one way. A room may use what stands in a line before its own; nothing in its own line, nothing after it.

use std::fs;
use std::path::{Path, PathBuf};

const LINES: &[&[&str]] = &[
    &["causes", "clock", "deadline", "rng", "sensitive", "metrics", "panics"],
    &["crypto", "ids"],
    &["addresses", "allowed_addresses", "audit", "factors"],
    &["leaks"],
    &["api_keys", "guards", "links", "passwords", "reset_tokens", "tokens", "usage", "users"],
    &["challenges", "expiries", "invitations", "organizations", "principals", "sessions", "webhooks"],
    &["sign_ups"],
    &["config", "courier", "mail", "queue", "signer", "store"],
    &["key_sets", "secrets"],
    &["failure"],
    &["app", "batches"],
    &["authz"],
    &["chaining", "deliveries", "flows", "init", "reminding", "rotation"],
    &["http"],
];

fn line_of(room: &str) -> usize {
    LINES
        .iter()
        .position(|line| line.contains(&room))
        .unwrap_or_else(|| panic!("{room} stands in no line: give it one"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The rooms a source imports, with the import's text. Test modules may import what they like.
fn imports(source: &str) -> Vec<String> {
    let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
    let rest = shipped.split("crate::").skip(1);
    rest.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()).collect()
}

#[test]
fn no_room_imports_a_later_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if room == "lib" {
            continue;
        }
        for imported in imports(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            let inward = imported == room || line_of(&imported) < line_of(&room);
            assert!(inward, "{} imports {imported}, which stands beside or after {room}", inside.display());
        }
    }
    assert!(seen > 100, "only {seen} imports were found: the reading is broken");
}

#[test]
fn functions_know_no_sdk_and_no_other_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let names: Vec<String> =
        fs::read_dir(&root).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() >= 8, "the reading is broken: {names:?}");
    for name in &names {
        for path in sources(&root.join(name)) {
            let source = fs::read_to_string(&path).unwrap();
            assert!(
                !source.contains("aws_sdk_") && !source.contains("aws_smithy_"),
                "{} uses the SDK",
                path.display()
            );
            for other in names.iter().filter(|other| *other != name) {
                assert!(!source.contains(&format!("use {other}::")), "{} imports {other}", path.display());
            }
        }
    }
}

/// A panic is said by Lambda's own runtime with all that it quotes, unless it is caught before.
#[test]
fn functions_catch_their_panics() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let mut seen = 0;
    for entry in fs::read_dir(&root).unwrap() {
        let main = entry.unwrap().path().join("src/main.rs");
        let source = fs::read_to_string(&main).unwrap();
        let (plain, caught) = (source.matches("run(").count(), source.matches("run(caught(").count());
        assert!(
            plain == caught && (caught == 1 || source.contains("    serve(service_fn(")),
            "{}",
            main.display()
        );
        let hushes = source.contains(" start(") || source.contains("panics::hush();");
        assert!(hushes, "{} prints what a panic says", main.display());
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} functions were found");
}
