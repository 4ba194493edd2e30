//! What the cases are told with.

mod cases;
pub mod emf;
mod forge;
pub mod gateways;
mod people;
mod snapshot;
mod stack;
mod tokens;
mod wire;

pub use cases::{Cases, Refusal};
pub use forge::{Forge, encode};
pub use people::Session;
pub use snapshot::Snapshot;
pub use stack::Stack;
pub use tokens::{all_refused, named};
pub use wire::{Request, Response, exchange};
