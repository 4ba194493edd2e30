//! What fields can be. Each reader gives the value, or the sentence that says what it must be.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Call, Problem};
use crate::addresses::EmailAddress;
use crate::api_keys::Env;
use crate::passwords;
use crate::sensitive::Sensitive;

/// A string of so many characters (code points).
pub fn text_in(length: RangeInclusive<usize>) -> impl Fn(&Value) -> Result<String, String> {
    move |value| match value.as_str() {
        Some(text) if length.contains(&text.chars().count()) => Ok(text.to_owned()),
        _ => Err(format!("must be a string of {} to {} characters", length.start(), length.end())),
    }
}

/// A name of so many characters, none of which moves what stands around it: no control characters (line ends among them), no line or
/// paragraph separators, none that turn the direction of writing.
pub fn name_in(length: RangeInclusive<usize>) -> impl Fn(&Value) -> Result<String, String> {
    let text_in = text_in(length);
    move |value| {
        let name = text_in(value)?;
        if name.chars().any(unsettles) {
            return Err(
                "must not contain control characters or marks that turn the direction of writing".to_owned()
            );
        }
        Ok(name)
    }
}

fn unsettles(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A whole number in a range; `3.0` and `"3"` are none.
pub fn integer_in(range: RangeInclusive<i64>) -> impl Fn(&Value) -> Result<i64, String> {
    move |value| match value.as_i64() {
        Some(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("must be a whole number from {} to {}", range.start(), range.end())),
    }
}

/// An e-mail address.
pub fn email(value: &Value) -> Result<EmailAddress, String> {
    let parsed = value.as_str().map(EmailAddress::parse);
    parsed.and_then(Result::ok).ok_or_else(|| "must be an e-mail address".to_owned())
}

/// A password, exactly as it was sent.
pub fn password(value: &Value) -> Result<Sensitive<String>, String> {
    text_in(1..=passwords::MAX_CHARACTERS)(value).map(Sensitive::new)
}

/// An environment.
pub fn environment(value: &Value) -> Result<Env, String> {
    match value.as_str() {
        Some("test") => Ok(Env::Test),
        Some("live") => Ok(Env::Live),
        _ => Err("must be test or live".to_owned()),
    }
}

/// The `Idempotency-Key` header: 16 to 255 visible ASCII characters, once. An HTTP API joins headers of one name with commas, so behind
/// one a key with a comma may be two.
pub fn idempotency_key<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, Problem> {
    let mut sent = call.headers().get_all("idempotency-key").iter();
    let Some(first) = sent.next() else {
        return Ok(None);
    };
    let visible = first
        .to_str()
        .ok()
        .filter(|text| (16..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|text| !(call.joins_headers() && text.contains(',')));
    match (visible, sent.next()) {
        (Some(text), None) => Ok(Some(text)),
        _ => Err(Problem::field("Idempotency-Key", "must be 16 to 255 visible ASCII characters, given once")),
    }
}
