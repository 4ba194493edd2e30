//! A function as Lambda runs it: its own program in its own process, which asks a runtime API for events. And an AWS that fails.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::engines::{Running, endpoint};

/// More than a runtime API's event is long.
const MAX_BODY: usize = 1 << 20;

/// How a process's init ended.
pub enum Init {
    /// It asked for its first event.
    Started(Bootstrap),
    /// It ended without; this is what it said, its log included.
    Failed(String),
}

/// A running process of a function. It ends when it is dropped.
pub struct Bootstrap {
    child: Child,
    events: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Value>,
    said: Option<Said>,
    _runtime: Running,
}

/// What a process says on standard output, which is its log, and on standard error: each whole when it ends.
struct Said {
    output: oneshot::Receiver<String>,
    error: oneshot::Receiver<String>,
}

struct RuntimeApi {
    started: watch::Sender<bool>,
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Value>,
}

impl Bootstrap {
    /// Starts `program` with `environment` and nothing else.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub async fn start(program: &Path, environment: &[(&'static str, String)]) -> std::io::Result<Init> {
        Self::run(Command::new(program), environment).await
    }

    /// The same for a program with arguments.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub async fn run(mut command: Command, environment: &[(&'static str, String)]) -> std::io::Result<Init> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (events, waiting) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let (started, mut start) = watch::channel(false);
        let api = RuntimeApi { started, events: Mutex::new(waiting), answers: answered };
        let router = Router::new().fallback(runtime_api).with_state(Arc::new(api));
        let runtime = Running::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        command.env_clear().envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
        command.env("AWS_LAMBDA_RUNTIME_API", address);
        // What Lambda sets and the runtime crate cannot do without.
        command.envs([("AWS_LAMBDA_FUNCTION_NAME", "f"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")]);
        command.envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_LAMBDA_LOG_STREAM_NAME", "s")]);
        command.env("AWS_LAMBDA_LOG_GROUP_NAME", "g");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = until_the_end_of(child.stdout.take());
        let mut error = until_the_end_of(child.stderr.take());
        tokio::select! {
            _ = start.wait_for(|started| *started) => {
                let said = Some(Said { output, error });
                Ok(Init::Started(Self { child, events, answers, said, _runtime: runtime }))
            }
            said = &mut error => {
                child.wait()?;
                Ok(Init::Failed(output.await.unwrap_or_default() + &said.unwrap_or_default()))
            }
        }
    }

    /// Calls the function with an event; what it answers, or the error it reports. `None` when it ends instead.
    pub async fn invoke(&mut self, event: Value) -> Option<Value> {
        self.events.send(event).await.ok()?;
        self.answers.recv().await
    }

    /// Ends the process; all that it said, its log first.
    pub async fn end(mut self) -> String {
        let _ = self.child.kill();
        let Some(Said { output, error }) = self.said.take() else {
            return String::new();
        };
        output.await.unwrap_or_default() + &error.await.unwrap_or_default()
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything a process says until it ends.
fn until_the_end_of(stream: Option<impl Read + Send + 'static>) -> oneshot::Receiver<String> {
    let (say, said) = oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = say.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    said
}

/// The three of the runtime API's four endpoints that a function needs whose init succeeds: the next event, its answer, its error.
async fn runtime_api(State(api): State<Arc<RuntimeApi>>, request: Request) -> Response {
    if request.uri().path().ends_with("/invocation/next") {
        api.started.send_replace(true);
        let Some(event) = api.events.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        let mut response = Response::new(Body::from(event.to_string()));
        for (name, value) in [
            ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            ("lambda-runtime-deadline-ms", "99999999999999"),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:000000000000:function:f"),
        ] {
            response.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        return response;
    }
    let body = to_bytes(request.into_body(), MAX_BODY).await.unwrap_or_default();
    let _ = api.answers.send(serde_json::from_slice(&body).unwrap_or_default()).await;
    status(StatusCode::ACCEPTED)
}

fn status(code: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

/// An AWS service that answers every call alike, until it is told to pass calls on.
pub struct Faulty {
    /// Where it listens.
    pub endpoint: String,
    behaviour: watch::Sender<Behaviour>,
    _server: Running,
}

#[derive(Clone)]
enum Behaviour {
    Always(u16, Value),
    PassOn(String),
}

impl Faulty {
    /// Answers `body` with `code`.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub async fn answering(code: u16, body: Value) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = endpoint(&listener)?;
        let (behaviour, now) = watch::channel(Behaviour::Always(code, body));
        let router = Router::new().fallback(faulty).with_state((now, reqwest::Client::new()));
        let server = Running::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { endpoint, behaviour, _server: server })
    }

    /// Refuses with an error code, as AWS's JSON services do.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub async fn refusing(status: u16, code: &str) -> std::io::Result<Self> {
        Self::answering(status, json!({"__type": code, "message": "no"})).await
    }

    /// From now on calls go on to `url`.
    pub fn pass_on_to(&self, url: &str) {
        self.behaviour.send_replace(Behaviour::PassOn(url.to_owned()));
    }
}

async fn faulty(
    State((behaviour, client)): State<(watch::Receiver<Behaviour>, reqwest::Client)>,
    request: Request,
) -> Response {
    let now = behaviour.borrow().clone();
    let (code, body) = match now {
        Behaviour::Always(code, body) => (code, body.to_string().into()),
        Behaviour::PassOn(url) => {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
            let call = client.post(url).headers(parts.headers).body(body).send().await;
            match call {
                Ok(answer) => (answer.status().as_u16(), answer.bytes().await.unwrap_or_default()),
                Err(_) => return status(StatusCode::BAD_GATEWAY),
            }
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
