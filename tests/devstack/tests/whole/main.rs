//! The devstack as a whole, over HTTP. What the system does is told in `tests/e2e`; here it is what stands around it.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what went wrong by failing there; clippy knows only the test functions"
)]

mod audit;
mod client;
mod console;
mod dashboard;
mod deploy;
mod examples;
mod floods;
mod gateway;
mod openapi;
mod remote;
mod restart;
mod roles;
mod smoke;
mod template;
mod walk;
mod watching;
