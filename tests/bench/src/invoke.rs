//! Lambda's `Invoke` API over the programs that ship, an environment of each: what a call takes of a processor is written down.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bench::process::Process;
use bench::programs::Built;
use bench::runtime::{Call, Kind};
use bench::share::Share;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The programs. They end, and their API with them, when this is dropped.
pub struct Programs {
    /// Where the API is.
    pub url: String,
    environments: Arc<Environments>,
    server: JoinHandle<()>,
}

/// A function, what it was asked and what it answered: `GET /docs 200`, or the function's name where no gateway asks.
pub type Asked = (String, String);

struct Environments {
    built: Built,
    variables: OnceLock<Vec<(String, String)>>,
    running: Mutex<BTreeMap<String, Arc<Mutex<Process>>>>,
    spent: Mutex<BTreeMap<Asked, Vec<Duration>>>,
}

impl Programs {
    /// Serves the API; nothing is started before the first call.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub async fn serve(built: Built) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let environments = Arc::new(Environments {
            built,
            variables: OnceLock::new(),
            running: Mutex::default(),
            spent: Mutex::default(),
        });
        let router = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .with_state(Arc::clone(&environments));
        let server = tokio::spawn(async move {
            // It serves until it is dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, environments, server })
    }

    /// What the programs find in their environment, which is only known when those who call have started.
    pub fn find(&self, variables: Vec<(String, String)>) {
        let _ = self.environments.variables.set(variables);
    }

    /// What each call took, in the order of the calls.
    pub fn spent(&self) -> BTreeMap<Asked, Vec<Duration>> {
        lock(&self.environments.spent).clone()
    }

    /// The most memory that each program had, in bytes.
    ///
    /// # Errors
    /// When one is gone.
    pub fn peaks(&self) -> io::Result<BTreeMap<String, u64>> {
        let running = lock(&self.environments.running);
        running.iter().map(|(name, process)| Ok((name.clone(), lock(process).peak_memory()?))).collect()
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Environments {
    /// One call at a time, as Lambda asks an environment.
    fn invoke(&self, name: &str, event: &[u8]) -> io::Result<Call> {
        let process = self.process(name)?;
        let process = lock(&process);
        let before = process.cpu()?;
        let call = process.call(&Arc::from(event))?;
        // The process has asked for its next event by now: all that the call left to do is in it.
        let took = process.cpu()? - before;
        let asked = (name.to_owned(), asked(name, event, &call.body));
        lock(&self.spent).entry(asked).or_default().push(took);
        Ok(call)
    }

    fn process(&self, name: &str) -> io::Result<Arc<Mutex<Process>>> {
        let mut running = lock(&self.running);
        if let Some(process) = running.get(name) {
            return Ok(Arc::clone(process));
        }
        let variables = self.variables.get().cloned().unwrap_or_default();
        let (process, _) = Process::start(&self.built.function(name, variables), Share::Full)?;
        let process = Arc::new(Mutex::new(process));
        running.insert(name.to_owned(), Arc::clone(&process));
        Ok(process)
    }
}

fn asked(name: &str, event: &[u8], answer: &[u8]) -> String {
    let read = |bytes| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let (event, answer) = (read(event), read(answer));
    match (event["httpMethod"].as_str(), event["resource"].as_str(), answer["statusCode"].as_u64()) {
        (Some(method), Some(resource), Some(status)) => format!("{method} {resource} {status}"),
        _ => name.to_owned(),
    }
}

async fn invoke(
    State(environments): State<Arc<Environments>>,
    Path(name): Path<String>,
    event: Bytes,
) -> Response {
    let called = tokio::task::spawn_blocking(move || environments.invoke(&name, &event)).await;
    match called.map_err(io::Error::other).flatten() {
        Ok(Call { kind: Kind::Response, body, .. }) => body.into_response(),
        Ok(Call { body, .. }) => ([("x-amz-function-error", "Unhandled")], body).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
