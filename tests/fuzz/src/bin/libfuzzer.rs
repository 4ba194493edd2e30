//! One target under libFuzzer: `FUZZ_TARGET` names it. `make fuzz` builds and runs this.

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer, which is C++, calls in by names without a namespace")]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fuzz::Target> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "libFuzzer owns the command line")]
#[expect(clippy::expect_used, reason = "whoever starts it is told")]
fn choose() {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET is not set");
    let target = fuzz::target(&name).expect("FUZZ_TARGET names no target");
    let _ = TARGET.set(target);
}

fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = TARGET.get() {
        target.run(data);
    }
});
