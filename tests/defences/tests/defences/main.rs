//! What must hold: races, and what each call costs.

#![expect(clippy::unwrap_used, reason = "tests, their helpers included, fail by panicking")]

mod audit_chains;
mod audit_events;
mod audit_stream;
mod budget;
mod faults;
mod outages;
mod races;
mod recovery;
mod rotation;
mod shapes;
mod writes;
