//! This document.

use crate::operation::{Cache, Done, Operation, Shows, if_none_match};

pub fn all() -> Vec<Operation> {
    let page = Operation::new(
        ("get", "/docs"),
        ("Documents", "docs"),
        "This document, for people",
        "A page that shows it and tries requests. It asks nobody else for anything.",
    );
    let document = Operation::new(
        ("get", "/docs/openapi.yaml"),
        ("Documents", "document"),
        "This document, for programs",
        "",
    );
    vec![kept(page, "The page.", &["text/html"]), kept(document, "The document.", &["application/yaml"])]
}

/// Answers something that the client may have already.
pub fn kept(operation: Operation, about: &'static str, kinds: &'static [&'static str]) -> Operation {
    let done = |status, about, shows| Done { status, about, shows, cache: Cache::Asked };
    operation.with(if_none_match()).answered(done(200, about, Shows::Other(kinds))).answered(done(
        304,
        "The client has it.",
        Shows::Nothing,
    ))
}
