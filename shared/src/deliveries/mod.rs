//! Deliveries: audit events that a stream brings become webhooks in a queue, and those go to their receivers.

mod gather;
mod send;

pub use gather::gather;
pub use send::send;
