//! A corpus of attacks, told to the functions straight and through the gateway.
//!
//! Each line of `corpus/*.jsonl` is one attack: what is sent, what must be answered, what it may change. It is told through the
//! devstack's gateway and, with nothing in front, to the authorizer as every kind of gateway asks it and to the function behind it. All
//! lines of an area are told before it fails, and each that failed says why it is there, what was expected and what was seen.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, their helpers included, fail by panicking"
)]

mod areas;
mod complete;
mod corpus;
mod expected;
mod judge;
mod placeholders;
mod story;
mod tokens;
mod values;
mod vectors;
mod ways;
mod world;
