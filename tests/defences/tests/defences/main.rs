//! What must hold: races, and what each call costs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, their helpers included, fail by panicking")]

mod budget;
mod faults;
mod outages;
mod races;
mod recovery;
mod rotation;
mod shapes;
mod writes;
