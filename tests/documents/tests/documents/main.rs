//! What the documents print does what they say.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what went wrong by failing there; clippy knows only the test functions"
)]

mod architecture;
mod held;
mod integrate;
mod names;
mod pasted;
mod place;
mod roles;
mod scanning;
mod tokens;
