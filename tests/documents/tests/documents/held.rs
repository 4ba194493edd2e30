//! What documents say is held by a test is held by one that is there, and each requirement has its line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::place::file;

/// Each requirement, race and fault that `docs/security.md` accounts for: how a family begins, and its members.
const FAMILIES: [(&str, &str); 13] = [
    ("PW-", "1 2 3 4 5 6"),
    ("TH-", "1 2"),
    ("EN-", "1"),
    ("OTP-", "1 2 3 4 5"),
    ("PA-", "1"),
    ("JT-", "1 2 3 4 5 6 7 8 9 10"),
    ("RT-", "A B C D E F G H"),
    ("AK-", "A B C D E"),
    ("TN-", "1 2"),
    ("CF-", "1 2 3 4 5"),
    ("ER-", "1 2"),
    ("R", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18"),
    ("F", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"),
];

/// The files of Rust, and what they are called by in documents: the words of their paths.
fn sources() -> Vec<(Vec<String>, String)> {
    let mut folders: Vec<PathBuf> =
        ["tests", "shared", "functions"].map(|name| documents::root().join(name)).into();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((words(&path), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 300, "only {} files: the reading is broken", found.len());
    found
}

fn words(path: &Path) -> Vec<String> {
    let path = path.strip_prefix(documents::root()).unwrap().with_extension("");
    path.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect()
}

/// Whether `module::name` is there: `name` is a module, or a word of a file whose path has `module` in it.
fn is_there(sources: &[(Vec<String>, String)], name: &str) -> bool {
    let mut modules: Vec<&str> = name.split("::").collect();
    let last = modules.pop().unwrap();
    // A module of unit tests stands in the file of what it tests.
    modules.retain(|module| *module != "tests");
    let word = Regex::new(&format!(r"\b{last}\b")).unwrap();
    let has = |(path, text): &(Vec<String>, String)| {
        modules.iter().all(|module| path.iter().any(|part| part == module))
            && (path.iter().any(|part| part == last) || word.is_match(text))
    };
    sources.iter().any(has)
}

#[test]
fn every_test_that_is_named_exists() {
    let sources = sources();
    let named = Regex::new(r"`([a-z0-9_]+(?:::[a-z0-9_]+)+)`").unwrap();
    let mut seen = 0;
    for document in ["docs/security.md", "docs/threat-model.md"] {
        for found in named.captures_iter(&file(document)) {
            seen += 1;
            assert!(is_there(&sources, &found[1]), "{document} names {}, which is not there", &found[1]);
        }
    }
    assert!(seen > 150, "only {seen} were found: the reading is broken");
}

/// Each line names a test, or says what is not there.
#[test]
fn every_requirement_has_its_line() {
    let text = file("docs/security.md");
    let (_, text) = text.split_once("\n## Requirements\n").unwrap();
    let (text, _) = text.split_once("\n## ").unwrap();
    let mut lines: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id ")) {
        let id = line[2..].split(' ').next().unwrap();
        assert!(lines.insert(id, line).is_none(), "{id} is there twice");
    }
    for (family, members) in FAMILIES {
        for member in members.split(' ') {
            let id = format!("{family}{member}");
            let line = lines.remove(id.as_str()).unwrap_or_else(|| panic!("{id} has no line"));
            let held = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
            assert!(held.contains("::") || held.contains("**not**") || held.contains("fuzz"), "{id}: {held}");
        }
    }
    assert!(lines.is_empty(), "nobody asked for these: {lines:?}");
}
