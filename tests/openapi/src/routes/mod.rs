//! Every route: its sentences, its types, its examples, and why it may refuse.

mod accounts;
mod dashboard;
mod discovery;
mod docs;
mod factors;
mod keys;
mod leaks;
mod login;
mod members;
mod organizations;
mod samples;
mod sessions;
mod webhooks;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use shared::ids::InvalidId;

use crate::operation::Operation;

/// All of them, in the order of the document.
///
/// # Errors
/// When an id of the examples is none.
pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok([
        accounts::all()?,
        login::all()?,
        sessions::all()?,
        factors::all(),
        keys::all()?,
        leaks::all(),
        organizations::all()?,
        members::all()?,
        webhooks::all()?,
        discovery::all(),
        dashboard::all(),
        docs::all(),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// What a query's type says of one of its members.
pub fn member<T: JsonSchema>(generator: &mut SchemaGenerator, name: &str) -> Schema {
    let whole = T::json_schema(generator);
    let member = whole.get("properties").and_then(|all| all.get(name)).cloned().unwrap_or_default();
    let mut schema = Schema::try_from(member).unwrap_or_default();
    schema.remove("description");
    // A parameter is there or not; null is nothing that a query can say.
    if let Some([kind, _]) = schema.get("type").and_then(|it| it.as_array()).map(Vec::as_slice) {
        let kind = kind.clone();
        schema.insert("type".to_owned(), kind);
    }
    schema
}
