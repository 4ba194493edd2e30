//! Chaining: the audit events that a stream brings become links, and chains of links are verified.

mod extend;
mod verify;

pub use extend::extend;
pub use verify::{Cursor, Finding, Verified, verify};
