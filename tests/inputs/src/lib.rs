//! What tests with bad inputs are told with: a devstack in memory, requests to the byte, forged tokens, every kind of gateway's question to
//! the authorizer, and a look at everything that could have changed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod cases;
pub mod emf;
pub mod events;
mod forge;
pub mod gateways;
mod people;
mod snapshot;
mod stack;
mod tokens;
mod wire;

pub use cases::{Cases, Refusal};
pub use forge::{Forge, encode, with, with_checksum};
pub use people::{MadeKey, Session};
pub use snapshot::Snapshot;
pub use stack::Stack;
pub use tokens::{all_refused, named};
pub use wire::{Request, Response, exchange, exchange_from};
