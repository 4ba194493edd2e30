//! Secrets that rotate: a year of it, crashes, races, the emergency drill.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, their helpers included, fail by panicking")]

mod crashes;
mod drill;
mod events;
mod faults;
mod first;
mod keys;
mod protocol;
mod races;
mod signing;
mod year;
