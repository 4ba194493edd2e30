//! `/_devstack/…`: the mailbox, the clock, and what an operator would do, on the gateway's own port and before it.
//!
//! It exists on this machine only: nothing of it is in the template.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::app::App;
use shared::clock::{Clock, rfc3339};
use shared::ids::{OrgId, UserId};
use shared::store::StoreError;
use shared::users::Role;
use time::Duration;

use crate::clock::DevClock;
use crate::engines::dynamodb::DynamoDb;
use crate::engines::log_group::LogGroup;
use crate::engines::mailbox::Mailbox;
use crate::engines::stream::Stream;
use crate::engines::webhooks::Webhooks;
use crate::gateway::event::decoded;
use crate::gateway::invoke::Functions;
use crate::logs::Logs;

/// What every path of the console begins with.
pub const PREFIX: &str = "/_devstack";

/// The console.
pub struct Console {
    /// For the operator's writes.
    pub app: Arc<App>,
    /// What `operator` and `audit` call.
    pub functions: Functions,
    /// What is chained before `clock` is moved: an event is as late as its record.
    pub stream: Arc<Stream>,
    /// What is delivered before and after `clock` is moved.
    pub webhooks: Arc<Webhooks>,
    /// What `usage` delivers.
    pub log_group: Arc<LogGroup>,
    /// What `clock` shows and moves.
    pub clock: DevClock,
    /// What `mailbox` shows.
    pub mailbox: Mailbox,
    /// What `logs` shows.
    pub logs: Logs,
    /// What `table` shows.
    pub dynamodb: Arc<DynamoDb>,
    /// Whether the functions run in other processes, which the clock does not reach.
    pub functions_elsewhere: bool,
}

/// A refusal: a status and a sentence.
type Refused = (StatusCode, String);

#[derive(Deserialize)]
struct Advance {
    seconds: i64,
}

#[derive(Deserialize)]
struct Member {
    role: Role,
}

impl Console {
    /// Answers a request whose path begins with [`PREFIX`].
    pub async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
        let rest = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let segments: Vec<_> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
        let query = parts.uri.query().unwrap_or_default();
        let answer = match (&parts.method, segments.as_slice()) {
            (&Method::GET, []) => Ok(json!(HELP)),
            (&Method::GET, ["mailbox"]) => Ok(json!(self.mailbox.newest_first(recipient(query).as_deref()))),
            (&Method::GET, ["clock"]) => Ok(self.now()),
            (&Method::POST, ["clock", "advance"]) => self.advance(&body).await,
            (&Method::GET, ["table"]) => self.table().await,
            (&Method::GET, ["logs"]) => Ok(json!(self.logs.lines())),
            (&Method::POST, ["operator"]) => self.call("operator", &body).await,
            (&Method::POST, ["audit"]) => self.call("audit_chain", &body).await,
            (&Method::POST, ["usage"]) => self.usage().await,
            (&Method::POST, ["organizations", org, "members", user]) => self.member(org, user, &body).await,
            _ => Err((
                StatusCode::NOT_FOUND,
                format!("{} {PREFIX}{rest} is nothing here: {HELP:?}", parts.method),
            )),
        };
        match answer {
            Ok(value) => respond(StatusCode::OK, &value),
            Err((status, sentence)) => respond(status, &json!({"error": sentence})),
        }
    }

    fn now(&self) -> Value {
        json!({"now": rfc3339(self.clock.now_seconds()), "seconds": self.clock.now_seconds()})
    }

    async fn advance(&self, body: &[u8]) -> Result<Value, Refused> {
        if self.functions_elsewhere {
            let sentence = "the functions run in processes of their own, which this clock does not reach";
            return Err((StatusCode::CONFLICT, sentence.to_owned()));
        }
        let Advance { seconds } = parse(body)?;
        // Further than any test goes, and near enough that no sum of times overflows.
        if !(-TEN_YEARS..=TEN_YEARS).contains(&seconds) {
            return Err((StatusCode::BAD_REQUEST, "seconds: at most ten years".to_owned()));
        }
        self.stream.deliver(&self.functions).await.map_err(away)?;
        self.webhooks.deliver(&self.functions).await.map_err(away)?;
        self.clock.advance(Duration::seconds(seconds));
        self.clock.save().map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        self.webhooks.deliver(&self.functions).await.map_err(away)?;
        Ok(self.now())
    }

    async fn table(&self) -> Result<Value, Refused> {
        let items = self.dynamodb.dump().await;
        items.map(Value::Array).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))
    }

    async fn usage(&self) -> Result<Value, Refused> {
        self.log_group.deliver(&self.functions).await.map_err(away)?;
        Ok(json!({"done": true}))
    }

    /// What `aws lambda invoke` is on AWS.
    async fn call(&self, function: &str, body: &[u8]) -> Result<Value, Refused> {
        self.functions.event(function, parse(body)?).await.map_err(away)
    }

    async fn member(&self, org: &str, user: &str, body: &[u8]) -> Result<Value, Refused> {
        let (org, Member { role }) = (org_id(org)?, parse(body)?);
        let user =
            UserId::parse(user).map_err(|_| (StatusCode::NOT_FOUND, format!("{user} is no user id")))?;
        let event = crate::event(&self.app, org.as_str());
        done(self.app.store.set_role(&org, &user, role, &event).await)
    }
}

const TEN_YEARS: i64 = 10 * 366 * 86_400;

/// Every path of the console.
const HELP: [&str; 10] = [
    "GET /_devstack",
    "GET /_devstack/mailbox[?to=address]",
    "GET /_devstack/clock",
    "POST /_devstack/clock/advance {\"seconds\": 60}",
    "GET /_devstack/table",
    "GET /_devstack/logs",
    "POST /_devstack/operator {\"action\": \"unlock_account\", \"email\": \"…\"}",
    "POST /_devstack/audit {\"verify\": {\"chain\": \"org_…\"}}",
    "POST /_devstack/usage",
    "POST /_devstack/organizations/{id}/members/{user_id} {\"role\": \"viewer\"}",
];

/// The value of `to` in a query.
fn recipient(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.strip_prefix("to=")).map(|value| {
        // A plus is a letter of an address; here nobody means a space by it.
        decoded(&value.replace('+', "%2B"))
    })
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

fn org_id(text: &str) -> Result<OrgId, Refused> {
    OrgId::parse(text).map_err(|_| (StatusCode::NOT_FOUND, format!("{text} is no organization id")))
}

fn away(error: impl ToString) -> Refused {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn done(written: Result<bool, StoreError>) -> Result<Value, Refused> {
    match written {
        Ok(_) => Ok(json!({"done": true})),
        Err(StoreError::ConditionFailed(reason)) => Err((StatusCode::NOT_FOUND, reason.to_owned())),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn respond(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(format!("{value}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipient_is_read_from_the_query() {
        assert_eq!(recipient("to=a%40example.com").as_deref(), Some("a@example.com"));
        assert_eq!(recipient("x=1&to=a+b@example.com").as_deref(), Some("a+b@example.com"));
        assert_eq!(recipient(""), None);
    }
}
