//! HTTP: from a gateway's event to what a use case is asked, and from its result to the envelope.

mod body;
mod call;
mod dashboard;
mod fields;
mod json;
mod problem;
mod respond;
mod serve;
mod views;

pub use body::Fields;
pub use call::Call;
pub use dashboard::{Client, session_cookie, without_session};
pub use fields::{email, environment, idempotency_key, integer_in, name_in, password, text_in};
pub use problem::{FieldProblem, Problem};
pub use respond::{Answer, COMPRESSED_FROM, envelope, respond};
pub use serve::{serve, settled};
pub use views::{key, organization, user};
