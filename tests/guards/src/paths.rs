//! The hot paths: what is called, and which answers are right.

use std::error::Error;
use std::io;
use std::path::Path;

use bench::process::Process;
use bench::programs::Built;
use bench::runtime::Kind;
use bench::stage::{Event, Stage, authorizer_event, post_event};
use serde_json::{Value, json};

use crate::counted::{Tool, count};

/// What goes wrong while something is counted.
pub type Failed = Box<dyn Error>;

/// Calls of each path before those that count: connections, tables and buffers have their size by then.
const WARM: usize = 24;
/// Calls that count.
pub const CALLS: usize = 120;

/// Processes of which the least counts.
const REPEATS: usize = 2;
/// How often a path is tried again when it is answered wrong.
const TRIES: usize = 3;

/// A path through a function that is called often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The authorizer and a token that it checked before.
    JwtSeen,
    /// The authorizer and a token that it sees for the first time.
    JwtFirstSight,
    /// The authorizer and an API key.
    Key,
    /// A refresh token for the next one.
    Refresh,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::JwtSeen, Self::JwtFirstSight, Self::Key, Self::Refresh];

    /// What it is called in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::JwtSeen => "authorizer, JWT seen before",
            Self::JwtFirstSight => "authorizer, JWT at first sight",
            Self::Key => "authorizer, key",
            Self::Refresh => "refresh",
        }
    }

    fn function(self) -> &'static str {
        if self == Self::Refresh { "refresh" } else { "authorizer" }
    }
}

/// Where it is counted.
pub struct Place<'a> {
    /// The table and the people.
    pub stage: &'a Stage,
    /// The programs.
    pub built: &'a Built,
    /// Where valgrind's files go.
    pub work: &'a Path,
    /// An API key: an organization has one at a time.
    pub key: &'a str,
}

impl Place<'_> {
    /// Counts every path: the cost of a call is what a process with [`CALLS`] more of them did more, over their number. Its start and
    /// its first calls are in both, and drop out.
    ///
    /// # Errors
    /// When something does not start, or answers wrong.
    pub async fn costs(&self, tool: Tool) -> Result<Vec<(Route, f64)>, Failed> {
        let authorizer = self.total(tool, Route::Key, 0).await?;
        let refresh = self.total(tool, Route::Refresh, 0).await?;
        let mut costs = Vec::new();
        for route in Route::ALL {
            let start = if route == Route::Refresh { refresh } else { authorizer };
            let more = self.total(tool, route, CALLS).await?.saturating_sub(start);
            #[expect(clippy::cast_precision_loss, reason = "a few thousand million")]
            let cost = more as f64 / CALLS as f64;
            costs.push((route, cost));
        }
        Ok(costs)
    }

    /// What a process did in all, with so many calls of this path after its first ones: the least of [`REPEATS`] processes, since what
    /// disturbs one, a request to the table that is tried again, only adds.
    async fn total(&self, tool: Tool, route: Route, calls: usize) -> Result<u64, Failed> {
        let (mut least, mut counted, mut wrong) = (u64::MAX, 0, 0);
        while counted < REPEATS {
            match self.total_once(tool, route, calls).await {
                // Under valgrind on a busy machine, a second for an answer of the table can be too little.
                Err(Uncounted::Answer(_)) if wrong < TRIES => wrong += 1,
                Err(error) => return Err(error.into()),
                Ok(total) => (least, counted) = (least.min(total), counted + 1),
            }
        }
        Ok(least)
    }

    async fn total_once(&self, tool: Tool, route: Route, calls: usize) -> Result<u64, Uncounted> {
        let program = self.built.function(route.function(), self.stage.environment(false));
        let given = Given::new(self.stage, self.key, calls).await.map_err(|error| error.to_string())?;
        let label = format!("{route:?}-{tool:?}-{calls}");
        // From here on nothing of this program's runs but the engine, when it is asked.
        tokio::task::block_in_place(|| {
            count(tool, self.work, &label, &program, |process| given.use_up(process, route, calls))
        })
    }
}

/// Why a process was not counted.
#[derive(Debug)]
enum Uncounted {
    /// It did not start, or did not say what it counted.
    Process(io::Error),
    /// It answered, and wrong.
    Answer(String),
}

impl From<io::Error> for Uncounted {
    fn from(error: io::Error) -> Self {
        Self::Process(error)
    }
}

impl From<serde_json::Error> for Uncounted {
    fn from(error: serde_json::Error) -> Self {
        Self::Answer(error.to_string())
    }
}

impl From<String> for Uncounted {
    fn from(answer: String) -> Self {
        Self::Answer(answer)
    }
}

impl From<&str> for Uncounted {
    fn from(answer: &str) -> Self {
        Self::Answer(answer.to_owned())
    }
}

impl From<Uncounted> for Failed {
    fn from(why: Uncounted) -> Self {
        match why {
            Uncounted::Process(error) => error.into(),
            Uncounted::Answer(answer) => answer.into(),
        }
    }
}

/// Credentials for one process: it has seen none of them.
struct Given {
    warm: Vec<Event>,
    tokens: Vec<Event>,
    key: Event,
    refresh_token: String,
}

impl Given {
    async fn new(stage: &Stage, key: &str, calls: usize) -> Result<Self, Failed> {
        let credentials = stage.log_in().await?;
        let mut events = stage
            .tokens(&credentials.access_token, WARM + calls)
            .await?
            .iter()
            .map(|token| authorizer_event(token))
            .collect::<Vec<_>>();
        let tokens = events.split_off(WARM);
        Ok(Self {
            warm: events,
            tokens,
            key: authorizer_event(key),
            refresh_token: credentials.refresh_token,
        })
    }

    fn use_up(&self, process: &Process, route: Route, calls: usize) -> Result<(), Uncounted> {
        if route == Route::Refresh {
            return self.refresh(process, WARM + calls);
        }
        let seen = self.warm.first().ok_or("no token")?;
        for event in &self.warm {
            allowed(process, event)?;
            allowed(process, seen)?;
            allowed(process, &self.key)?;
        }
        for nth in 0..calls {
            let event = match route {
                Route::JwtFirstSight => self.tokens.get(nth).ok_or("too few tokens")?,
                Route::Key => &self.key,
                _ => seen,
            };
            allowed(process, event)?;
        }
        Ok(())
    }

    /// Each takes the token that the one before gave.
    fn refresh(&self, process: &Process, calls: usize) -> Result<(), Uncounted> {
        let mut token = self.refresh_token.clone();
        for _ in 0..calls {
            let event = post_event("/api/v1/auth/refresh", &json!({ "refresh_token": token }));
            let call = process.call(&event)?;
            let answer: Value = serde_json::from_slice(&call.body)?;
            if call.kind != Kind::Response || answer["statusCode"] != 200 {
                return Err(format!("refresh answers {answer}").into());
            }
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
            body["data"]["refresh_token"].as_str().ok_or("no refresh token")?.clone_into(&mut token);
        }
        Ok(())
    }
}

fn allowed(process: &Process, event: &Event) -> Result<(), Uncounted> {
    let call = process.call(event)?;
    let answer: Value = serde_json::from_slice(&call.body)?;
    if call.kind == Kind::Response && answer["policyDocument"]["Statement"][0]["Effect"] == "Allow" {
        return Ok(());
    }
    Err(format!("the authorizer answers {answer} to a credential that is good").into())
}
