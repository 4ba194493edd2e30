//! `/organizations/{id}/audit`: what was done to an organization, and by whom.

use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::audit::Event;
use shared::flows;
use shared::http::{Answer, Call, Problem, Time, limit, page_cursor, read_page_cursor, write_page_cursor};
use shared::ids::EventId;
use shared::store::EventFilter;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;
/// The longest name of an action or an actor that is looked for, in characters.
const MAX_WORD: usize = 64;

/// Which events, and which page of them.
#[derive(JsonSchema)]
pub struct AuditPage {
    /// At most so many events.
    #[schemars(with = "Option<usize>", range(min = 1, max = MAX_LIMIT), extend("default" = DEFAULT_LIMIT))]
    pub limit: usize,
    /// The `next_cursor` of the page before.
    #[schemars(with = "Option<String>", extend("pattern" = page_cursor(EventId::LENGTH)))]
    pub cursor: Option<EventId>,
    /// Of this action alone: `key.create`.
    #[schemars(length(min = 1, max = MAX_WORD), extend("pattern" = "^[!-~]*$"))]
    pub action: Option<String>,
    /// By this actor alone: a user's id, `operator`.
    #[schemars(length(min = 1, max = MAX_WORD), extend("pattern" = "^[!-~]*$"))]
    pub actor: Option<String>,
    /// At this time or later.
    #[schemars(with = "Option<String>", extend("format" = "date-time", "pattern" = "Z$"))]
    pub from: Option<Time>,
    /// Before this time.
    #[schemars(with = "Option<String>", extend("format" = "date-time", "pattern" = "Z$"))]
    pub to: Option<Time>,
}

/// A page of events.
#[derive(Serialize, JsonSchema)]
pub struct AuditEvents {
    /// For the next page; null when everything was looked through. A page can be short, or empty, and not be the last.
    pub next_cursor: Option<String>,
    /// Newest first.
    pub events: Vec<AuditEvent>,
}

/// Something that was done.
#[derive(Serialize, JsonSchema)]
pub struct AuditEvent {
    /// Its id.
    pub event_id: EventId,
    /// When.
    pub at: Time,
    /// What: `key.create`, `organization.rename`, …
    pub action: String,
    /// What tells it from others of that action, if anything does: `locked`, …
    pub reason: Option<String>,
    /// Who: a user's id, `operator`, … Null where nobody was known yet.
    pub actor: Option<String>,
    /// To what: a key's, a session's, a user's id, …
    pub target: Option<String>,
    /// From which network: the /24 or the /48 of the caller's address.
    pub network: Option<String>,
    /// The request it was asked for in, as its answer's `X-Request-Id`.
    pub request_id: Option<String>,
}

impl From<&Event> for AuditEvent {
    fn from(event: &Event) -> Self {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            event_id: event.event_id.clone(),
            at: Time::at(event.at),
            action: event.action.clone(),
            reason: said(&event.reason),
            actor: said(&event.actor),
            target: said(&event.target),
            network: said(&event.network),
            request_id: said(&event.request_id),
        }
    }
}

pub(crate) async fn list(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let filter = EventFilter {
        limit: limit(call.query_parameter("limit")?, DEFAULT_LIMIT, MAX_LIMIT)?,
        before: call
            .query_parameter("cursor")?
            .map(|text| read_page_cursor(text, EventId::parse))
            .transpose()?,
        action: word(call, "action")?,
        actor: word(call, "actor")?,
        from: time(call, "from")?,
        to: time(call, "to")?,
    };
    let listed = flows::list_events(app, call.origin(), user, id, &filter).await?;
    Ok(Answer::ok(AuditEvents {
        next_cursor: listed.next.map(|next| write_page_cursor(next.as_str())),
        events: listed.events.iter().map(AuditEvent::from).collect(),
    }))
}

/// A word to look for: it is compared with, never read.
fn word(call: &Call<'_>, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(text) = call.query_parameter(name)? else {
        return Ok(None);
    };
    let good = (1..=MAX_WORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::field(name, format!("must be 1 to {MAX_WORD} visible ASCII characters")))
}

fn time(call: &Call<'_>, name: &'static str) -> Result<Option<i64>, Problem> {
    let Some(text) = call.query_parameter(name)? else {
        return Ok(None);
    };
    let read =
        Time::read(text).ok_or_else(|| Problem::field(name, "must be a time in RFC 3339, in UTC with Z"));
    read.map(|time| Some(time.seconds()))
}
