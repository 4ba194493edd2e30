//! `make soak`: the whole mix through the programs that ship, as fast as they answer, for as long as one likes. No answer may be wrong,
//! and no program may grow.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::clock;
use crate::process::Process;
use crate::programs::Built;
use crate::runtime::Kind;
use crate::share::Share;
use crate::stage::{Event, Sent, Stage, authorizer_event, event, post_event};

type Failed = Box<dyn Error + Send + Sync>;

const FUNCTIONS: [&str; 15] = [
    "login",
    "verify",
    "register",
    "password",
    "refresh",
    "logout",
    "keys",
    "sessions",
    "factors",
    "organizations",
    "members",
    "invitations",
    "webhooks",
    "authorizer",
    "jwks",
];
/// What a viewer may look at, and may not.
const LOOKS: [(&str, &str, u16); 8] = [
    ("organizations", "/api/v1/organizations", 200),
    ("organizations", "/api/v1/organizations/me", 200),
    ("keys", "/api/v1/auth/api-keys", 200),
    ("sessions", "/api/v1/auth/sessions", 200),
    ("factors", "/api/v1/auth/factors", 200),
    ("members", "/api/v1/organizations/{id}/members", 200),
    ("organizations", "/api/v1/organizations/{id}/audit", 403),
    ("webhooks", "/api/v1/organizations/{id}/webhook", 403),
];
/// A program may have this much more memory at the end than when it was warm, in bytes: an allocator's own slack.
const SLACK: u64 = 1_500_000;
/// Refreshes of each session.
const REFRESHES: usize = 20;

/// How it went.
#[derive(Debug)]
pub struct Outcome {
    /// Right answers.
    pub calls: u64,
    /// Each program's memory when it was warm and at the end, in bytes, and the most it ever had.
    pub memory: BTreeMap<String, (u64, u64, u64)>,
}

impl Outcome {
    /// The programs that grew.
    pub fn grew(&self) -> Vec<&str> {
        let grew = |&(warm, end, _): &(u64, u64, u64)| end > warm + SLACK;
        self.memory.iter().filter(|(_, memory)| grew(memory)).map(|(name, _)| name.as_str()).collect()
    }
}

/// One person's environments, one of each function, and the calls that were right.
struct Worker<'a> {
    stage: &'a Stage,
    environments: BTreeMap<&'static str, Process>,
    calls: &'a AtomicU64,
    /// A server's key, of the same organization.
    key: &'a str,
}

/// Runs `people.len()` workers at once for `length`.
///
/// # Errors
/// The first wrong answer.
pub fn run(
    stage: &Stage,
    built: &Built,
    people: &[String],
    key: &str,
    length: Duration,
) -> Result<Outcome, Failed> {
    let (calls, started) = (AtomicU64::new(0), clock::now());
    let mut memory = BTreeMap::new();
    let results: Vec<Result<_, Failed>> = std::thread::scope(|scope| {
        let spawn = |email: &'_ String| {
            let (email, calls) = (email.clone(), &calls);
            scope.spawn(move || {
                worker(
                    Worker { stage, environments: environments(stage, built)?, calls, key },
                    &email,
                    started,
                    length,
                )
            })
        };
        let threads: Vec<_> = people.iter().map(spawn).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| Failed::from("a worker panicked"))?)
            .collect()
    });
    for (nth, result) in results.into_iter().enumerate() {
        for (function, sizes) in result? {
            memory.insert(format!("{function} {nth}"), sizes);
        }
    }
    Ok(Outcome { calls: calls.into_inner(), memory })
}

type Sizes = Vec<(&'static str, (u64, u64, u64))>;

/// An environment of each function.
fn environments(stage: &Stage, built: &Built) -> Result<BTreeMap<&'static str, Process>, Failed> {
    let start = |name| Process::start(&built.function(name, stage.environment(false)), Share::Full);
    FUNCTIONS.iter().map(|name| Ok((*name, start(name)?.0))).collect()
}

fn worker(worker: Worker<'_>, email: &str, started: Instant, length: Duration) -> Result<Sizes, Failed> {
    let mut warm = None;
    loop {
        worker.session(email)?;
        let passed = clock::now() - started;
        // Warm is after a tenth of the time: every path was gone many times by then.
        if warm.is_none() && passed > length / 10 {
            warm = Some(worker.memory()?);
        }
        if passed > length {
            break;
        }
    }
    let (warm, end) = (warm.map_or_else(|| worker.memory(), Ok)?, worker.memory()?);
    FUNCTIONS
        .iter()
        .map(|name| Ok((*name, (warm[name], end[name], worker.environments[name].peak_memory()?))))
        .collect()
}

impl Worker<'_> {
    fn memory(&self) -> Result<BTreeMap<&'static str, u64>, Failed> {
        self.environments.iter().map(|(name, process)| Ok((*name, process.memory_now()?))).collect()
    }

    /// A person's evening: what a stranger is told, a login, looks around, refreshes, what is refused, a logout.
    fn session(&self, email: &str) -> Result<(), Failed> {
        self.strangers(email)?;
        let mut tokens = self.log_in(email)?;
        let context = self.authorize(&tokens)?;
        let org = context["org_id"].as_str().unwrap_or_default();
        for _ in 0..REFRESHES {
            let body = json!({"refresh_token": tokens["data"]["refresh_token"]});
            tokens = self.http("refresh", &post_event("/api/v1/auth/refresh", &body), 200)?;
            self.authorize(&tokens)?;
            self.authorize(&tokens)?;
            self.allow(self.key)?;
            self.refuse("eyJhbGciOiJub25lIn0.e30.")?;
            for (function, resource, status) in LOOKS {
                let parameter = resource.contains("{id}").then_some(("id", org));
                let sent = Sent { method: "GET", resource, parameter, context: &context, body: &Value::Null };
                self.http(function, &event(&sent), status)?;
            }
        }
        let resource = "/.well-known/jwks.json";
        let none = Value::Null;
        let sent = Sent { method: "GET", resource, parameter: None, context: &none, body: &none };
        self.http("jwks", &event(&sent), 200)?;
        // A viewer makes no key.
        let body = json!({"key_name": "soak"});
        self.http("keys", &post_as(&context, "/api/v1/auth/api-keys", &body), 403)?;
        self.http("logout", &post_as(&context, "/api/v1/auth/logout", &none), 204)?;
        let body = json!({"refresh_token": tokens["data"]["refresh_token"]});
        self.http("refresh", &post_event("/api/v1/auth/refresh", &body), 401)?;
        Ok(())
    }

    /// What somebody is told who knows no password, no code and no token.
    fn strangers(&self, email: &str) -> Result<(), Failed> {
        let wrong = json!({"email": email, "password": "not the password"});
        self.http("login", &post_event("/api/v1/auth/login", &wrong), 401)?;
        let common =
            json!({"email": "somebody@soak.example", "password": "password1234", "full_name": "Somebody"});
        self.http("register", &post_event("/api/v1/auth/register", &common), 400)?;
        let unknown = json!({"token": format!("rst_{}", "A".repeat(43)), "password": "lamps over a harbour"});
        self.http("password", &post_event("/api/v1/auth/password/reset", &unknown), 401)?;
        let unknown = json!({"token": format!("it_{}", "A".repeat(43))});
        self.http("invitations", &post_event("/api/v1/auth/invitations/accept", &unknown), 401)?;
        Ok(())
    }

    /// Both steps; the code works once.
    fn log_in(&self, email: &str) -> Result<Value, Failed> {
        let right = json!({"email": email, "password": devstack::seed::PASSWORD});
        let challenge = self.http("login", &post_event("/api/v1/auth/login", &right), 200)?;
        let code = self.stage.code(email).ok_or("no code was mailed")?;
        let step = json!({"challenge_id": challenge["data"]["challenge_id"], "code": code});
        let tokens = self.http("verify", &post_event("/api/v1/auth/login/2fa/verify", &step), 200)?;
        self.http("verify", &post_event("/api/v1/auth/login/2fa/verify", &step), 401)?;
        Ok(tokens)
    }

    fn call(&self, function: &str, event: &Event) -> Result<(Kind, Value), Failed> {
        let call = self.environments.get(function).ok_or("no such function")?.call(event)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok((call.kind, serde_json::from_slice(&call.body)?))
    }

    fn http(&self, function: &str, event: &Event, status: u16) -> Result<Value, Failed> {
        let (_, answer) = self.call(function, event)?;
        if answer["statusCode"] != status {
            return Err(format!("{function} answers {answer} where {status} is right").into());
        }
        Ok(serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default())
    }

    fn authorize(&self, tokens: &Value) -> Result<Value, Failed> {
        self.allow(tokens["data"]["access_token"].as_str().unwrap_or_default())
    }

    fn allow(&self, credential: &str) -> Result<Value, Failed> {
        let (_, answer) = self.call("authorizer", &authorizer_event(credential))?;
        if answer["policyDocument"]["Statement"][0]["Effect"] != "Allow" {
            return Err(format!("the authorizer answers {answer} to a credential that is good").into());
        }
        Ok(answer["context"].clone())
    }

    fn refuse(&self, credential: &str) -> Result<(), Failed> {
        let (kind, answer) = self.call("authorizer", &authorizer_event(credential))?;
        if kind == Kind::Error && answer["errorMessage"] == "Unauthorized" {
            return Ok(());
        }
        Err(format!("the authorizer answers {answer} to a token that nobody signed").into())
    }
}

fn post_as(context: &Value, resource: &str, body: &Value) -> Event {
    event(&Sent { method: "POST", resource, parameter: None, context, body })
}
