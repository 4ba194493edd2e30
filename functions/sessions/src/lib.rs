//! `/auth/sessions`: where somebody is logged in, and an end to it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, ListedSession};
use shared::http::{self, Answer, Call, Problem, Time};
use shared::ids::{OrgId, SessionId};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 50;

/// Which page of the sessions.
#[derive(JsonSchema)]
pub struct Page {
    /// At most so many sessions.
    #[schemars(with = "Option<usize>", range(min = 1, max = MAX_LIMIT), extend("default" = DEFAULT_LIMIT))]
    pub limit: usize,
    /// The `next_cursor` of the page before.
    #[schemars(with = "Option<String>", extend("pattern" = cursor_pattern()))]
    pub cursor: Option<SessionId>,
}

/// A page of sessions.
#[derive(Serialize, JsonSchema)]
pub struct Sessions {
    /// For the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// Newest first. Those that are over are left out, so a page can have fewer than were asked for.
    pub sessions: Vec<Session>,
}

/// A device that is logged in.
#[derive(Serialize, JsonSchema)]
pub struct Session {
    /// Its id, by which it can be ended.
    pub session_id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The organization that it is for.
    pub org_id: OrgId,
    /// When it logged in.
    pub created_at: Time,
    /// When it last refreshed its tokens; null: it has not yet.
    pub last_refreshed_at: Option<Time>,
    /// When it ends by itself.
    pub expires_at: Time,
    /// The address it logged in from, as the gateway saw it.
    pub address: Option<String>,
    /// What it said it is (`User-Agent`): anybody can say anything.
    pub client: Option<String>,
}

impl From<&ListedSession> for Session {
    fn from(listed: &ListedSession) -> Self {
        let session = &listed.session;
        let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            session_id: session.session_id.clone(),
            current: listed.is_current,
            org_id: session.identity.org_id.clone(),
            created_at: Time::at(session.created_at),
            last_refreshed_at: session.rotated_at.map(Time::at),
            expires_at: Time::at(session.expires_at),
            address: said(&session.source_address),
            client: said(&session.client),
        }
    }
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match (call.route(), call.path_parameter("session_id")) {
        ((&Method::GET, _), None) => list(app, call).await,
        ((&Method::DELETE, _), None) => end_others(app, call).await,
        ((&Method::DELETE, _), Some(id)) => end(app, call, id).await,
        (_, None) => Err(Problem::MethodNotAllowed("DELETE, GET")),
        (_, Some(_)) => Err(Problem::MethodNotAllowed("DELETE")),
    }
}

async fn list(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let page = Page {
        limit: limit(call.query_parameter("limit")?)?,
        cursor: call.query_parameter("cursor")?.map(read_cursor).transpose()?,
    };
    let listed = flows::list_sessions(app, call.origin(), user, page.limit, page.cursor.as_ref()).await?;
    let sessions = listed.sessions.iter().map(Session::from).collect();
    Ok(Answer::ok(Sessions { next_cursor: listed.next.as_ref().map(write_cursor), sessions }))
}

async fn end(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    flows::end_session(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::Empty)
}

async fn end_others(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    flows::end_other_sessions(app, call.origin(), call.user()?).await?;
    Ok(Answer::Empty)
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit @ 1..=MAX_LIMIT) if digits => Ok(limit),
        _ => Err(Problem::field("limit", format!("must be a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// A cursor is opaque to clients: the last session of the page before. It is only ever used among the caller's own.
fn write_cursor(after: &SessionId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(after.as_str())
}

/// What every cursor looks like, as a regular expression.
fn cursor_pattern() -> String {
    // Base64 writes three bytes in four characters, and an id's length is a multiple of three.
    format!("^[A-Za-z0-9_-]{{{}}}$", SessionId::LENGTH / 3 * 4)
}

fn read_cursor(text: &str) -> Result<SessionId, Problem> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id = decoded.and_then(|text| SessionId::parse(&text).ok());
    id.ok_or_else(|| Problem::field("cursor", "must be the next_cursor of a page before"))
}
