//! What the stories under `tests/stories` stand on: a stage, people, and the steps that most stories share.
//!
//! Everything goes over HTTP, so that the stories can be told to any devstack. Without more, each story starts its own, in
//! memory and with time standing still. With `E2E_BASE_URL=http://127.0.0.1:3000` they are told to the one that runs
//! there, one after the other, since they move its clock and suspend its organizations.
//!
//! Whoever uses this is a test: what fails, panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "panicking is how a test fails")]

mod call;
mod console;
mod stage;
mod steps;

pub use call::{Answer, Call, Refused};
pub use devstack::seed::{ACORN, BIRCH, DemoOrganization, PASSWORD, Person};
pub use reqwest::{Client, Method};
pub use serde_json::{Value, json};
pub use shared::users::Role;
pub use stage::Stage;
pub use steps::{Challenge, Key, Session, other_code, text};
