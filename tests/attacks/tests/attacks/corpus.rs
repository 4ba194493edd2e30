//! The corpus as it is written: one JSON object a line.
//!
//! Text between « and » stands for something of the world a line is told in (`placeholders.rs`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::expected::{Changes, Expected};

/// The files, and the area each is about.
pub const AREAS: [&str; 12] = [
    "accounts",
    "api_key",
    "authz_header",
    "jwt",
    "login_verify",
    "members",
    "names_orgs",
    "refresh_token",
    "session_cookie",
    "account",
    "webhooks",
    "events",
];

/// One attack.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: String,
    pub area: String,
    pub why: String,
    /// Why the attack has nothing to aim at here. Its request shows that there is nothing.
    pub not_ours: Option<String>,
    /// What happens, step by step, in a world of its own; else the one request.
    pub steps: Vec<Step>,
    /// Whether it is told in a world of its own.
    pub alone: bool,
}

/// A step of an attack.
#[derive(Debug, Clone)]
pub enum Step {
    Ask(Box<Ask>),
    Act(Act),
}

/// Something that happens besides requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// So many seconds pass.
    Pass(i64),
    /// The organization is suspended.
    Suspend(String),
    /// Somebody of the own organization gets another role: who, and which.
    Role(String, String),
    /// Somebody logs in once more: the name of the session, and who.
    LogIn(String, String),
    /// Somebody begins another login: the challenge is a new one.
    Again(String),
    /// The last mail went to this address.
    Mailed(String),
    /// An item goes that no code of ours deletes: pk and sk.
    Forget(String, String),
    /// So many items have a key that begins so.
    Items(String, usize),
    /// At most so many mails were sent since the world began.
    Mails(usize),
    /// Nothing in the table and in the log has this text in it.
    Nowhere(String),
}

/// A request, and what must come of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ask {
    /// Method and path, the path below `/api/v1` unless it begins with two slashes.
    pub send: Option<String>,
    /// A good credential to send it with.
    #[serde(rename = "as")]
    pub credential: Option<String>,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// Whole `Authorization` headers.
    pub authorization: Vec<String>,
    /// A bad credential.
    pub bearer: Option<String>,
    /// A bad access token.
    pub token: Option<TokenSpec>,
    /// A JSON body.
    pub body: Option<Value>,
    /// A body that is said to be JSON.
    pub raw: Option<String>,
    /// The same in base64.
    pub base64: Option<String>,
    /// What the body is said to be instead; nothing when it is empty.
    #[serde(rename = "type")]
    pub media: Option<String>,
    /// The number of the network that it comes from.
    pub from: Option<String>,
    /// What is put into the authorizer's event, by JSON pointer. A client cannot: the gateway gets the request without.
    pub event: BTreeMap<String, Value>,
    /// An event in place of the authorizer's.
    pub instead: Option<Value>,
    /// The kinds of gateway that are meant; all, when there is none.
    pub kinds: Vec<String>,
    /// What is put into the function's event, by JSON pointer.
    pub call: BTreeMap<String, Value>,
    pub expect: Expected,
    /// What is expected without a gateway, where that is something else.
    pub straight: Option<Expected>,
    /// What is expected through the gateway, where that is something else.
    pub gateway: Option<Expected>,
    /// The most requests that may be sent to the table.
    pub requests: Option<usize>,
    /// What may change: nothing, when it says nothing.
    pub changes: Changes,
    /// What the answer's `data` must hold.
    pub data: Option<Value>,
    /// The same with some members changed is answered with the same bytes.
    pub twin: Option<Map<String, Value>>,
    /// How often it is sent, one after another, the answer every time the same; `«n»` counts from 1.
    pub times: Option<usize>,
    /// How many are sent at once, and how many of each answer there must be.
    pub at_once: Option<(usize, BTreeMap<String, usize>)>,
    /// Names under which members of `data` are kept for later steps, by JSON pointer without its first slash.
    pub save: BTreeMap<String, String>,
    /// The text it was read from.
    #[serde(skip)]
    pub source: Value,
}

/// How an access token differs from one that was issued.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSpec {
    /// Members of the header that are set; with null, set to null.
    pub header: Map<String, Value>,
    /// Members of the header that are missing.
    pub header_without: Vec<String>,
    /// A text in place of the header.
    pub header_raw: Option<String>,
    /// Claims that are set.
    pub claims: Map<String, Value>,
    /// Claims that are missing.
    pub claims_without: Vec<String>,
    /// A text in place of the claims.
    pub claims_raw: Option<String>,
    /// What is put behind the encoded claims before they are signed.
    pub tail: String,
    /// Who signs, or what stands there instead.
    pub sign: Option<String>,
    /// How the three parts, `«h»`, `«p»` and `«s»`, are put together.
    pub text: Option<String>,
}

impl Ask {
    /// Reads one; a member it does not know is an error.
    fn read(value: Value) -> Result<Self, String> {
        let mut ask: Self = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        ask.source = value;
        let credentials = [ask.credential.is_some(), ask.bearer.is_some(), ask.token.is_some()];
        let credentials = credentials.into_iter().filter(|it| *it).count();
        let bodies = [ask.body.is_some(), ask.raw.is_some(), ask.base64.is_some()];
        if credentials + usize::from(!ask.authorization.is_empty()) > 1 {
            return Err("more than one credential".to_owned());
        }
        if bodies.into_iter().filter(|it| *it).count() > 1 {
            return Err("more than one body".to_owned());
        }
        if !ask.expect.is_said() && ask.at_once.is_none() {
            return Err("nothing is expected".to_owned());
        }
        Ok(ask)
    }

    /// The same with some members changed.
    pub fn with(&self, changes: &Map<String, Value>) -> Self {
        let mut source = self.source.clone();
        let members = source.as_object_mut().unwrap();
        members.remove("twin");
        members.extend(changes.clone());
        Self::read(source).unwrap()
    }
}

impl Step {
    fn read(value: Value) -> Result<Self, String> {
        let is_act = value.as_object().is_some_and(|it| it.len() == 1) && value.get("send").is_none();
        match is_act {
            true => serde_json::from_value(value).map(Self::Act).map_err(|error| error.to_string()),
            false => Ask::read(value).map(|ask| Self::Ask(Box::new(ask))),
        }
    }
}

impl Line {
    /// Reads one line.
    ///
    /// # Errors
    /// What in it the runner cannot express.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut members: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut text = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(format!("{name} is no text")),
        };
        let (id, area, why, not_ours) = (text("id")?, text("area")?, text("why")?, text("not_ours")?);
        let alone = members.remove("alone").is_some();
        let steps = match members.remove("story") {
            Some(Value::Array(steps)) if members.is_empty() => {
                steps.into_iter().map(Step::read).collect::<Result<Vec<_>, _>>()?
            }
            Some(_) => return Err("a story has steps, and nothing beside them".to_owned()),
            None => vec![Step::Ask(Box::new(Ask::read(Value::Object(members))?))],
        };
        Ok(Self {
            alone: alone || steps.len() > 1,
            id: id.ok_or("no id")?,
            area: area.ok_or("no area")?,
            why: why.ok_or("no why")?,
            not_ours,
            steps,
        })
    }
}

/// Every line of an area, in order.
pub fn area(name: &str) -> Vec<Line> {
    let path = devstack::repository().join(format!("tests/attacks/corpus/{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap();
    let read = |(at, line): (usize, &str)| {
        let line = Line::read(line).unwrap_or_else(|why| panic!("{name}.jsonl, line {}: {why}", at + 1));
        assert_eq!(line.area, name, "{} stands in another area's file", line.id);
        line
    };
    text.lines().enumerate().map(read).collect()
}

/// The whole corpus.
pub fn all() -> Vec<Line> {
    AREAS.into_iter().flat_map(area).collect()
}
