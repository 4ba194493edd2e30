//! The devstack as a whole, over HTTP. What the system does is told in `tests/e2e`; here it is what stands around it.

mod client;
mod console;
mod gateway;
mod remote;
mod restart;
mod walk;
