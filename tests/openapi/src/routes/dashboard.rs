//! The app for people.

use super::docs::kept;
use crate::operation::{Cache, Done, Operation, Shows, in_path};

pub fn all() -> Vec<Operation> {
    let document = Operation::new(
        ("get", "/dashboard"),
        ("Dashboard", "dashboard"),
        "The app for people",
        "One document, with its style in it. Ask again each time, with `If-None-Match`. With a slash behind it, it is answered with 308.",
    );
    let asset = Operation::new(
        ("get", "/dashboard/{version}/{file}"),
        ("Dashboard", "dashboardAsset"),
        "What the app is made of",
        "The document names them. What an address once answered it always answers: keep it for a year.",
    );
    let shows = Shows::Other(&["text/javascript", "image/svg+xml"]);
    vec![
        kept(document, "The document.", &["text/html"]),
        asset
            .with(in_path("version", "The hash of all of them.", "0123456789abcdef"))
            .with(in_path("file", "Which one.", "app.js"))
            .answered(Done { status: 200, about: "A script or a picture.", shows, cache: Cache::ForGood }),
    ]
}
