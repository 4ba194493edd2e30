//! A request, and what every answer must be.

use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::pin::Pin;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use shared::authz::DENIALS;

use crate::document;

/// What an emulator leaves as it is written, where API Gateway fills in what the authorizer said (docs/unproven.md).
const UNFILLED: &str = "$context.authorizer.code";

/// A request. It is sent when it is awaited.
#[must_use]
pub struct Call {
    request: RequestBuilder,
    what: String,
}

impl Call {
    pub(crate) fn new(request: RequestBuilder, what: String) -> Self {
        Self { request, what }
    }

    /// With `Authorization: Bearer {credential}`.
    pub fn bearer(self, credential: &str) -> Self {
        self.authorization(&format!("Bearer {credential}"))
    }

    /// With an `Authorization` header as it is.
    pub fn authorization(self, value: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), value)
    }

    /// With a header; again, with both.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value.as_bytes());
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header(CONTENT_TYPE.as_str(), "application/json").body(body.to_string())
    }

    /// With a body of any bytes, and no `Content-Type`.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    async fn send(self) -> Answer {
        let response = self.request.send().await.unwrap_or_else(|error| panic!("{}: {error:?}", self.what));
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap_or_else(|error| panic!("{}: {error:?}", self.what));
        Answer { what: self.what, status, headers, text }
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// An answer. One of [`Answer::data`], [`Answer::empty`], [`Answer::document`] and [`Answer::refused`] says what it must be, and
/// with it checks what every answer of that kind must be.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    what: String,
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header that is there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.find_header(name).unwrap_or_else(|| panic!("no {name}: {self}"))
    }

    /// A header that may be there.
    pub fn find_header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Every header but those that name this one request or the time, and the body without the request's id: two answers that
    /// are the same in this cannot be told apart.
    pub fn indistinguishable_part(&self) -> (u16, Vec<(String, String)>, String) {
        // All but the first and the last are the gateway's: AWS's, and an emulator's.
        let own = [
            "x-request-id",
            "x-amzn-requestid",
            "x-amz-apigw-id",
            "x-amzn-trace-id",
            "x-amz-request-id",
            "date",
        ];
        let headers = self.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.sort();
        (self.status(), headers, self.text.replace(self.header("x-request-id"), "…"))
    }

    /// The body as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A success: this status, in the envelope. Gives its `data`.
    #[track_caller]
    pub fn data(self, status: u16) -> Value {
        assert_eq!(self.status(), status, "{self}");
        self.check_private();
        let body = self.body();
        assert_eq!(members(&body), ["data", "success"], "{self}");
        assert_eq!(body["success"], true, "{self}");
        assert!(body["data"].is_object(), "{self}");
        self.check_documented(None);
        body["data"].clone()
    }

    /// A success that has nothing to say: 204.
    #[track_caller]
    pub fn empty(self) {
        assert_eq!(self.status(), 204, "{self}");
        self.check_private();
        assert_eq!(self.text, "", "{self}");
        self.check_documented(None);
    }

    /// A public document: 200, outside the envelope, and kept by caches.
    #[track_caller]
    pub fn document(self) -> Value {
        assert_eq!(self.status(), 200, "{self}");
        assert_eq!(self.header("cache-control"), "public, max-age=300", "{self}");
        self.check_request_id();
        self.check_documented(None);
        self.body()
    }

    /// A success in the form of whoever asked, outside the envelope, and kept by nobody.
    #[track_caller]
    pub fn bare(self, status: u16) -> Value {
        assert_eq!(self.status(), status, "{self}");
        self.check_private();
        self.check_documented(None);
        self.body()
    }

    /// A refusal: this status and this code, in the envelope.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Refused {
        assert_eq!(self.status(), status, "{self}");
        self.check_private();
        let body = self.body();
        assert_eq!(members(&body), ["error", "success"], "{self}");
        assert_eq!(body["success"], false, "{self}");
        let error = &body["error"];
        let unfilled = error["code"] == UNFILLED && self.status() == 403 && crate::deployed::is_emulated();
        assert!(error["code"] == code || (unfilled && DENIALS.contains(&code)), "not {code}: {self}");
        self.check_documented(Some(code));
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{self}");
        assert_eq!(error["request_id"], self.header("x-request-id"), "{self}");
        if code == "validation_failed" {
            assert_eq!(members(error), ["code", "fields", "message", "request_id"], "{self}");
            assert!(!self.fields().is_empty(), "{self}");
        } else {
            assert_eq!(members(error), ["code", "message", "request_id"], "{self}");
        }
        let must_wait = status == 429 || status == 503;
        assert_eq!(self.find_header("retry-after").is_some(), must_wait, "{self}");
        Refused(self)
    }

    /// A refusal of a protected route: the credential is nobody's. The gateway asks for a bearer.
    #[track_caller]
    pub fn asks_for_credential(self) {
        let answer = self.refused(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="syncgram""#, "{answer}");
    }

    /// Which fields a validation complains about.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        let body = self.body();
        let fields = body["error"]["fields"].as_array().unwrap_or_else(|| panic!("no fields: {self}"));
        let name = |problem: &Value| {
            assert_eq!(members(problem), ["field", "message"], "{self}");
            problem["field"].as_str().expect("a field's name").to_owned()
        };
        fields.iter().map(name).collect()
    }

    /// `Retry-After`, in seconds.
    #[track_caller]
    pub fn retry_after(&self) -> i64 {
        self.header("retry-after").parse().unwrap_or_else(|_| panic!("Retry-After is no number: {self}"))
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn body(&self) -> Value {
        let content_type = self.header("content-type");
        assert!(content_type.starts_with("application/json"), "{self}");
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The answer stands in docs/openapi.yaml, its code too.
    #[track_caller]
    fn check_documented(&self, code: Option<&str>) {
        let (method, path) = self.what.split_once(' ').expect("a method and a path");
        if let Some(objection) = document::objection(method, path, self.status(), code) {
            panic!("{objection}: {self}");
        }
    }

    #[track_caller]
    fn check_private(&self) {
        assert_eq!(self.header("cache-control"), "no-store", "{self}");
        self.check_request_id();
    }

    #[track_caller]
    fn check_request_id(&self) {
        assert!(!self.header("x-request-id").is_empty(), "{self}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} answered {} {:?} {}", self.what, self.status, self.headers, self.text)
    }
}

/// An answer that is the refusal it must be, for those who want to know more of it.
#[derive(Debug)]
pub struct Refused(Answer);

impl Deref for Refused {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.0
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// The names of an object's members, in order.
fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        value.as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap_or_default();
    names.sort_unstable();
    names
}
