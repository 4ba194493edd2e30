//! The one place that looks at the machine's clock: measuring is what this program is for.

use std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "a measurement has no other clock than the machine's")]
pub fn now() -> Instant {
    Instant::now()
}
