//! A body: its size, its type, its JSON, its fields.

use lambda_http::http::{HeaderMap, header};
use lambda_http::{Body, Request};
use serde_json::{Map, Value};

use super::{FieldProblem, Problem, json};

/// The longest body we read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// The fields of a JSON object. Unknown ones are ignored; wrong types are not coerced; all problems are told at once.
pub struct Fields {
    members: Map<String, Value>,
    problems: Vec<FieldProblem>,
}

impl Fields {
    /// Reads a body: its size first, then its type, then its JSON.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        let bytes = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes.as_slice(),
            _ => &[],
        };
        if bytes.len() > MAX_BYTES {
            return Err(Problem::TooLarge);
        }
        if !is_json(request.headers()) {
            return Err(Problem::UnsupportedMediaType);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Problem::InvalidJson)?;
        // A REST API hands bodies over as text, with U+FFFD for whatever was not UTF-8. A password with such a character in it could not be
        // compared exactly as it was sent, so the body is refused.
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Problem::InvalidJson);
        }
        match json::parse(text) {
            Ok(Value::Object(members)) => Ok(Self { members, problems: Vec::new() }),
            _ => Err(Problem::InvalidJson),
        }
    }

    /// No field at all.
    pub fn none() -> Self {
        Self { members: Map::new(), problems: Vec::new() }
    }

    /// The fields of an event that came without HTTP.
    pub fn of(event: Value) -> Result<Self, Problem> {
        match event {
            Value::Object(members) => Ok(Self { members, problems: Vec::new() }),
            _ => Err(Problem::InvalidJson),
        }
    }

    /// A field that must be there. `None`: it is missing or wrong, and [`Fields::problem`] will say so.
    pub fn required<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.members.get(field) {
            None => self.wrong(field, "is required".to_owned()),
            Some(value) => match read(value) {
                Ok(value) => Some(value),
                Err(message) => self.wrong(field, message),
            },
        }
    }

    /// A field that may be missing, or null, which is the same.
    pub fn optional<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.members.get(field) {
            None | Some(Value::Null) => None,
            Some(_) => self.required(field, read),
        }
    }

    /// How many fields read so far were wrong.
    pub(super) fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Whether every field read so far was right.
    pub fn are_right(&self) -> bool {
        self.problems.is_empty()
    }

    /// All that was wrong.
    pub fn problem(self) -> Problem {
        Problem::Invalid(self.problems)
    }

    fn wrong<T>(&mut self, field: &'static str, message: String) -> Option<T> {
        self.problems.push(FieldProblem { field, message });
        None
    }
}

/// `application/json`, with no charset but UTF-8 (RFC 8259 section 8.1), declared once, and not compressed. An HTTP API joins what was
/// declared twice with a comma, which one declaration of JSON has no use for.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut declared = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(declared), None) = (declared.next().and_then(|value| value.to_str().ok()), declared.next())
    else {
        return false;
    };
    let mut parts = declared.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let plain = !headers.contains_key(header::CONTENT_ENCODING);
    json && plain
        && !declared.contains(',')
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}
