//! Every route: its sentences, its types, its examples, and why it may refuse.

mod dashboard;
mod discovery;
mod docs;
mod keys;
mod login;
mod organizations;
mod samples;
mod webhooks;

use shared::ids::InvalidId;

use crate::operation::Operation;

/// All of them, in the order of the document.
///
/// # Errors
/// When an id of the examples is none.
pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok([
        login::all()?,
        keys::all()?,
        organizations::all()?,
        webhooks::all()?,
        discovery::all(),
        dashboard::all(),
        docs::all(),
    ]
    .into_iter()
    .flatten()
    .collect())
}
