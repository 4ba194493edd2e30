//! What documents name is there: files, folders, make's targets.

use std::fs;

use regex::Regex;

use super::place::file;

/// The documents at the root and under `docs`.
fn documents() -> Vec<(String, String)> {
    let root = documents::root();
    let mut names: Vec<String> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned).into();
    for folder in ["docs", "docs/adr", "docs/secret-scanning"] {
        let entries =
            fs::read_dir(root.join(folder)).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        names.extend(entries.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")));
    }
    assert!(names.len() > 20, "the reading is broken: {names:?}");
    names.into_iter().map(|name| (name.clone(), file(&name))).collect()
}

#[test]
fn files_and_folders_that_are_named_exist() {
    let named =
        Regex::new(r"[`(]((?:docs|functions|infra|scripts|shared|tests)/[A-Za-z0-9_./-]*)[`)#]").unwrap();
    let mut seen = 0;
    for (document, text) in documents() {
        for found in named.captures_iter(&text) {
            seen += 1;
            assert!(documents::root().join(&found[1]).exists(), "{document} names {}", &found[1]);
        }
    }
    assert!(seen > 50, "only {seen} were found: the reading is broken");
}

#[test]
fn targets_that_are_named_exist() {
    let makefile = file("Makefile");
    let named = Regex::new(r"(?m)(?:`|^)make ([a-z][a-z-]*)").unwrap();
    let mut seen = 0;
    for (document, text) in documents() {
        for found in named.captures_iter(&text) {
            seen += 1;
            assert!(makefile.contains(&format!("\n{}:", &found[1])), "{document} names make {}", &found[1]);
        }
    }
    assert!(seen > 20, "only {seen} were found: the reading is broken");
}
