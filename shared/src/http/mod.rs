//! HTTP: from a gateway's event to what a use case is asked, and from its result to the envelope.

mod body;
mod call;
mod dashboard;
mod fields;
mod json;
mod pages;
mod problem;
mod report;
mod request;
mod respond;
mod schemas;
mod serve;
mod views;
mod webhooks;

pub use body::{Fields, MAX_BYTES};
pub use call::Call;
pub use dashboard::{Client, DASHBOARD, session_cookie, without_session};
pub use fields::{
    Country, Field, Grantable, Mailbox, Name, NewPassword, Password, Text, Whole, idempotency_key,
};
pub use pages::{limit, page_cursor, read_page_cursor, write_page_cursor};
pub use problem::{FieldProblem, Problem};
pub use report::{MAX_REPORT_BYTES, read_report, single_header};
pub use request::{Member, Request};
pub use respond::{Answer, COMPRESSED_FROM, Failure, Success, envelope, respond};
pub use schemas::idempotency_key_schema;
pub use serve::{serve, settled};
pub use views::{
    Key, Leak, Member as MemberView, Message, Organization, Shown, Time, TokenType, Tokens, User,
};
pub use webhooks::{EventTypes, Url, Webhook, WebhookFailure};
