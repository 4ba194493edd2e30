//! The Rust of docs/integrate.md.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a client's own program, which reads its own environment"
)]

include!(concat!(env!("OUT_DIR"), "/integrate.rs"));
