//! From a bearer to a principal, and from a principal to what the gateway is told.

mod answer;
mod authenticate;
mod bearer;
mod decide;
mod event;
mod permissions;

pub use answer::Answer;
pub use authenticate::{DENIALS, Rejection, authenticate, authenticate_from};
pub use bearer::bearer;
pub use decide::{AuthorizerError, decide};
pub use permissions::Permission;
