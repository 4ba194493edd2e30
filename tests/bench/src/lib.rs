//! A function's process and what it finds around it: the Lambda runtime API, a share of a processor, a table and people in it. Other
//! measurements than `make bench` start from the same.

pub mod clock;
pub mod process;
pub mod programs;
pub mod runtime;
pub mod share;
pub mod stage;
mod tls;
