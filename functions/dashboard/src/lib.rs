//! `GET /dashboard`: the app for people, one document. `GET /dashboard/{version}/{file}`: what the document asks for. Both are in this
//! program from its making: nothing is read at a start, and nothing of a request decides what is in an answer.

mod site;

use lambda_http::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use shared::flows::Refusal;
use shared::http::{self, Call, Problem};

pub use site::{Asset, Site};

/// What every answer says besides. A browser that was here once comes back by TLS alone; nothing takes a script for something else or
/// something else for a script; nothing frames us, opens us with a handle, or embeds what is ours; nothing learns where we were; and of what
/// a page can ask a device for, this one needs the clipboard.
const HEADERS: [(&str, &str); 7] = [
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), bluetooth=(), camera=(), clipboard-read=(), clipboard-write=(self), display-capture=(), geolocation=(), \
         gyroscope=(), hid=(), microphone=(), midi=(), payment=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()",
    ),
];

/// The policy of whatever is not the document: opened by itself, it does nothing.
const POLICY_ELSEWHERE: &str = "default-src 'none'; frame-ancestors 'none'";

/// Asked again every time, by its entity tag.
const ASK_AGAIN: &str = "no-cache";
/// For a year, without asking again.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// What a path leads to.
enum Found {
    /// The document.
    Document,
    /// The document, which the client has as it is.
    Unchanged,
    /// The document's address with a slash behind it, from which its relative references would lead elsewhere.
    Slash,
    /// What the document asks for.
    Asset(&'static Asset),
}

/// Answers one event.
pub async fn handle(site: &Site, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    let request_id = &call.origin().request_id;
    let mut response = match route(site, &call) {
        Ok(found) => found.answer(site, request_id),
        Err(problem) => http::respond(request_id, async { Err(problem) }).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY_ELSEWHERE));
    response
}

fn route(site: &Site, call: &Call<'_>) -> Result<Found, Problem> {
    let (method, path) = call.route();
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    if path != "/dashboard" {
        let parameter = |name| call.path_parameter(name).unwrap_or_default();
        let asset = site.asset(parameter("version"), parameter("file"));
        return asset.map(Found::Asset).ok_or_else(|| Refusal::NotFound.into());
    }
    if call.sent_path().ends_with('/') {
        return Ok(Found::Slash);
    }
    Ok(if has(call.headers(), &site.etag) { Found::Unchanged } else { Found::Document })
}

/// Whether the client has what an entity tag names: RFC 9110 section 13.1.2, by the weak comparison.
fn has(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let sent = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .flat_map(|value| value.as_bytes().split(|it| *it == b','));
    sent.map(<[u8]>::trim_ascii).any(|tag| tag == b"*" || opaque(tag) == opaque(etag.as_bytes()))
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

impl Found {
    fn answer(self, site: &Site, request_id: &str) -> Response<Body> {
        let (status, content_type, cache, body) = match &self {
            Self::Document => (
                StatusCode::OK,
                Some("text/html; charset=utf-8"),
                ASK_AGAIN,
                Body::from(site.document.as_str()),
            ),
            Self::Unchanged => (StatusCode::NOT_MODIFIED, None, ASK_AGAIN, Body::Empty),
            Self::Slash => (StatusCode::PERMANENT_REDIRECT, None, ASK_AGAIN, Body::Empty),
            Self::Asset(asset) => {
                (StatusCode::OK, Some(asset.content_type), FOR_GOOD, Body::from(asset.text))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        // The gateway compresses for whoever asks for it, and is not known to say so.
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert("x-request-id", id);
        }
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if matches!(self, Self::Document | Self::Unchanged) {
            headers.insert(header::ETAG, site.etag.clone());
            headers.insert(header::CONTENT_SECURITY_POLICY, site.policy.clone());
        }
        if matches!(self, Self::Slash) {
            // Relative, since only the client knows what stands in front.
            headers.insert(header::LOCATION, HeaderValue::from_static("../dashboard"));
        }
        response
    }
}
