//! `docs/openapi.yaml`, made from the code's own types: bodies and answers by their types, errors by [`shared::http::Problem`], what the
//! gateway answers by itself by `infra/template.yaml`. What no type can know, the sentences about each route, is in `routes/`.

mod document;
pub mod gateway;
pub mod operation;
mod problems;
pub mod routes;
mod schemas;
mod yaml;

pub use document::{DocumentError, text};

use std::path::{Path, PathBuf};

/// What makes the file anew, for whoever finds that it is not what the code says.
pub const COMMAND: &str = "make openapi";

/// The file.
pub fn path() -> PathBuf {
    repository().join("docs/openapi.yaml")
}

/// The folder of the whole project.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
