//! What each route costs, counted as DynamoDB counts it, in a table that holds very much else.
//!
//! `make scale` fills tables with a thousand, a hundred thousand and a million people, organizations and keys, and counts what every route
//! reads and writes in each. It has to be the same: nothing here may scan, and no item may grow with the number of others. The figures
//! themselves are in `docs/cost/routes.json`, and `docs/cost.md` is computed from them.

pub mod load;
pub mod meter;
pub mod progress;
pub mod routes;
pub mod units;

use std::fmt::Display;
use std::path::Path;

use devstack::clock::DevClock;
use devstack::{Devstack, Options, StartError, seed};
use reqwest::Client;
use serde_json::{Value, json};
use time::Duration;

use load::text;
use meter::Meter;

/// Why it cannot go on: a sentence for the terminal.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScaleError(pub(crate) String);

impl ScaleError {
    /// A failure, in its own words.
    pub fn new(reason: &dyn Display) -> Self {
        Self(reason.to_string())
    }
}

impl From<StartError> for ScaleError {
    fn from(error: StartError) -> Self {
        Self::new(&error)
    }
}

impl From<reqwest::Error> for ScaleError {
    fn from(error: reqwest::Error) -> Self {
        Self::new(&error)
    }
}

/// A devstack over a table in a folder, whose requests to AWS are counted.
pub struct Table {
    /// The devstack.
    pub devstack: Devstack,
    /// What its functions asked of AWS.
    pub meter: Meter,
    client: Client,
    /// The functions go by a clock that cannot be moved.
    waits: bool,
}

/// Both tokens of a login.
#[derive(Debug, Clone)]
pub struct Session {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

/// What a route answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body's `data`, or all of it where there is none.
    pub data: Value,
    /// How many bytes went back, headers included.
    pub bytes: usize,
}

impl Table {
    /// Starts a devstack on what `folder` holds.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn open(folder: &Path) -> Result<Self, ScaleError> {
        let meter = Meter::default();
        let options = Options {
            data: Some(folder.to_owned()),
            connections: Some(meter.connections()),
            ..Options::default()
        };
        let devstack = Devstack::start(options).await?;
        meter.ask_at(std::sync::Arc::clone(&devstack.dynamodb));
        Ok(Self { devstack, meter, client: Client::new(), waits: false })
    }

    /// The same with the functions behind Lambda's `Invoke` API at `url`, where what they ask of AWS is not counted. They go by the
    /// machine's clock, which nobody moves: where the walk lets time pass, it waits.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn elsewhere(folder: &Path, url: &str) -> Result<Self, ScaleError> {
        let options = Options {
            data: Some(folder.to_owned()),
            invoke_at: Some(url.to_owned()),
            clock: DevClock::running(),
            ..Options::default()
        };
        let devstack = Devstack::start(options).await?;
        Ok(Self { devstack, meter: Meter::default(), client: Client::new(), waits: true })
    }

    /// Lets time pass.
    async fn pass(&self, time: Duration) {
        if self.waits {
            tokio::time::sleep(time.unsigned_abs()).await;
        } else {
            self.devstack.clock.advance(time);
        }
    }

    /// Calls a route, such as `POST /api/v1/auth/login`, with a bearer unless it is empty, and a body unless it is null.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn call(&self, route: &str, bearer: &str, body: &Value) -> Result<Answer, ScaleError> {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
        let method = method.parse().map_err(|_| ScaleError(format!("no method: {method}")))?;
        let mut request = self.client.request(method, format!("{}{path}", self.devstack.base_url));
        if !bearer.is_empty() {
            request = request.bearer_auth(bearer);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        // As a browser asks; only documents come packed.
        let response = request.header("accept-encoding", "br, gzip").send().await?;
        let status = response.status().as_u16();
        // "name: value" and a line's end each, as HTTP/1.1 has them.
        let headers: usize =
            response.headers().iter().map(|(name, it)| name.as_str().len() + it.len() + 4).sum();
        let body = response.bytes().await?;
        let whole: Value = serde_json::from_slice(&body).unwrap_or_default();
        let data = if whole["data"].is_null() { whole } else { whole["data"].clone() };
        Ok(Answer { status, data, bytes: headers + body.len() })
    }

    async fn post(&self, path: &str, bearer: &str, body: &Value) -> Result<Value, ScaleError> {
        let answer = self.call(&format!("POST /api/v1{path}"), bearer, body).await?;
        match answer.status {
            200..300 => Ok(answer.data),
            status => Err(ScaleError(format!("{path}: {status} {}", answer.data))),
        }
    }

    async fn operator(&self, event: Value) -> Result<Value, ScaleError> {
        let answer = self.devstack.functions.event("operator", event).await;
        let answer = answer.map_err(|error| ScaleError::new(&error))?;
        match answer["success"] == true {
            true => Ok(answer["data"].clone()),
            false => Err(ScaleError(answer.to_string())),
        }
    }

    /// A whole login.
    async fn log_in(&self, email: &str) -> Result<Session, ScaleError> {
        let challenge =
            self.post("/auth/login", "", &json!({"email": email, "password": seed::PASSWORD})).await?;
        let body = json!({"challenge_id": challenge["challenge_id"], "code": self.code(email)?});
        session(&self.post("/auth/login/2fa/verify", "", &body).await?)
    }

    /// The code that was mailed last.
    fn code(&self, email: &str) -> Result<String, ScaleError> {
        self.devstack.mailbox.code(email).ok_or_else(|| ScaleError(format!("no code was mailed to {email}")))
    }
}

fn session(data: &Value) -> Result<Session, ScaleError> {
    Ok(Session { access_token: text(&data["access_token"])?, refresh_token: text(&data["refresh_token"])? })
}
