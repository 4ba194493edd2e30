//! Takes the Rust out of the documents, so that what is compiled and run is what is printed.

use std::path::Path;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "this is how cargo tells a build script where to write")]
fn main() {
    let out = env::var("OUT_DIR").unwrap_or_default();
    for name in ["integrate", "verify-our-tokens", "webhooks"] {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/{name}.md"));
        println!("cargo::rerun-if-changed={}", document.display());
        let text = fs::read_to_string(&document).unwrap_or_default();
        let code: Vec<&str> =
            text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        if code.len() != 1 {
            println!("cargo::error=docs/{name}.md has {} blocks of Rust, not one", code.len());
        }
        if let Err(error) = fs::write(Path::new(&out).join(format!("{name}.rs")), code.concat()) {
            println!("cargo::error={error}");
        }
    }
}
