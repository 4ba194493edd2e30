//! What the stories under `tests/stories` stand on: a stage, people, and the steps that most stories share.
//!
//! Everything goes over HTTP, so that the stories can be told anywhere:
//!
//! - Without more, each story starts a devstack of its own, in memory and with time standing still.
//! - With `E2E_BASE_URL=http://127.0.0.1:3000` they are told to the devstack that runs there, one after the other, since they
//!   move its clock and suspend its organizations.
//! - With `E2E_MAILBOX` as well they are told to a deployed stage, each with organizations of its own. `make rehearse` does it; see
//!   [`deployed`] for what else that takes.
//!
//! Whoever uses this is a test: what fails, panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "panicking is how a test fails")]

mod account;
mod call;
mod controls;
pub mod deployed;
mod document;
mod people;
mod receiver;
pub mod reporter;
mod stage;
mod steps;

pub use account::{App, backup_codes};
pub use call::{Answer, Call, Refused};
pub use devstack::seed::{DemoOrganization, PASSWORD, Person};
pub use receiver::{Arrived, Receiver};
pub use reqwest::{Client, Method};
pub use serde_json::{Value, json};
pub use shared::users::Role;
pub use stage::Stage;
pub use steps::{Challenge, Key, Session, other_code, text};
