//! Pages of what is listed: how many, and where the next one begins.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::Problem;
use crate::ids::InvalidId;

/// The `limit` of a query: how many at most.
pub fn limit(text: Option<&str>, default: usize, max: usize) -> Result<usize, Problem> {
    let Some(text) = text else {
        return Ok(default);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit) if digits && (1..=max).contains(&limit) => Ok(limit),
        _ => Err(Problem::field("limit", format!("must be a whole number from 1 to {max}"))),
    }
}

/// A cursor is opaque to clients: the last thing of the page before. It is only ever used within the caller's own organization.
pub fn write_page_cursor(after: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(after)
}

/// What every cursor of ids of this length looks like, as a regular expression.
pub fn page_cursor(id_length: usize) -> String {
    // Base64 writes three bytes in four characters, and an id's length is a multiple of three.
    format!("^[A-Za-z0-9_-]{{{}}}$", id_length / 3 * 4)
}

/// Reads what [`write_page_cursor`] wrote.
pub fn read_page_cursor<T>(text: &str, parse: fn(&str) -> Result<T, InvalidId>) -> Result<T, Problem> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id = decoded.and_then(|text| parse(&text).ok());
    id.ok_or_else(|| Problem::field("cursor", "must be the next_cursor of a page before"))
}
