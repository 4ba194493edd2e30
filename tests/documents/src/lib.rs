//! The documents at the repository's root and under `docs`: what is printed in them, and the picture that is drawn from the template.

use std::path::{Path, PathBuf};

pub mod blocks;
pub mod picture;
pub mod template;

/// The Rust of docs/verify-our-tokens.md.
pub mod verify_our_tokens {
    include!(concat!(env!("OUT_DIR"), "/verify-our-tokens.rs"));
}

/// The Rust of docs/webhooks.md.
pub mod webhooks {
    include!(concat!(env!("OUT_DIR"), "/webhooks.rs"));
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
