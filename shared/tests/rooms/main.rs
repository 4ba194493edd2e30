//! What holds between rooms: which may import which, and what their parts do together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, their helpers included, fail by panicking"
)]

mod access_tokens;
mod arrows;
mod latency;
mod measures;
mod sessions;
