//! A body that is signed: its bytes, before anything is read out of them.

use lambda_http::{Body, Request};
use serde_json::Value;

use super::body::is_json;
use super::{Call, Problem, json};

/// The longest report that is read, in bytes: more than a thousand matches. Of a body that nobody signed, less is read elsewhere.
pub const MAX_REPORT_BYTES: usize = 256 * 1024;

/// The bytes of a report: its size and its type are looked at, nothing else.
pub(super) fn bytes(request: &Request) -> Result<&[u8], Problem> {
    let bytes = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes.as_slice(),
        _ => &[],
    };
    if bytes.len() > MAX_REPORT_BYTES {
        return Err(Problem::ReportTooLarge);
    }
    if !is_json(request.headers()) {
        return Err(Problem::UnsupportedMediaType);
    }
    Ok(bytes)
}

/// The JSON of a report whose signature was right.
///
/// # Errors
/// [`Problem::InvalidReport`]: it is none.
pub fn read_report(bytes: &[u8]) -> Result<Value, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::InvalidReport)?;
    json::parse(text).map_err(|_| Problem::InvalidReport)
}

/// A header that came once; twice, nobody can say which one counts.
pub fn single_header<'a>(call: &'a Call<'_>, name: &str) -> Option<&'a str> {
    let mut all = call.headers().get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}
