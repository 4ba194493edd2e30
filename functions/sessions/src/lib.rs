//! `/auth/sessions`: where somebody is logged in, and an end to it.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, ListedSession};
use shared::http::{
    self, Answer, Call, Problem, Time, limit, page_cursor, read_page_cursor, write_page_cursor,
};
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
    #[schemars(with = "Option<String>", extend("pattern" = page_cursor(SessionId::LENGTH)))]
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
        limit: limit(call.query_parameter("limit")?, DEFAULT_LIMIT, MAX_LIMIT)?,
        cursor: call
            .query_parameter("cursor")?
            .map(|text| read_page_cursor(text, SessionId::parse))
            .transpose()?,
    };
    let listed = flows::list_sessions(app, call.origin(), user, page.limit, page.cursor.as_ref()).await?;
    let sessions = listed.sessions.iter().map(Session::from).collect();
    let next_cursor = listed.next.map(|next| write_page_cursor(next.as_str()));
    Ok(Answer::ok(Sessions { next_cursor, sessions }))
}

async fn end(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    flows::end_session(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::Empty)
}

async fn end_others(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    flows::end_other_sessions(app, call.origin(), call.user()?).await?;
    Ok(Answer::Empty)
}
