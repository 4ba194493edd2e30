//! This document.

use schemars::json_schema;

use crate::operation::{Cache, Done, Operation, Parameter, Shows};

pub fn all() -> Vec<Operation> {
    vec![
        document(
            "/docs",
            "docs",
            "This document, for people",
            "A page that shows it and tries requests. It asks nobody else for anything.",
            "The page.",
            "text/html",
        ),
        document(
            "/docs/openapi.yaml",
            "document",
            "This document, for programs",
            "",
            "The document.",
            "application/yaml",
        ),
    ]
}

fn document(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    about: &'static str,
    shown: &'static str,
    kind: &'static str,
) -> Operation {
    let if_none_match = Parameter {
        place: "header",
        name: "If-None-Match",
        about: "The `ETag` of the text that the client has.",
        schema: |_| json_schema!({ "type": "string" }),
        example: None,
    };
    let done = |status, about, shows| Done { status, about, shows, cache: Cache::Asked };
    Operation::new(("get", path), ("Documents", id), summary, about)
        .with(if_none_match)
        .answered(done(200, shown, Shows::Other(kind)))
        .answered(done(304, "The client has it.", Shows::Nothing))
}
