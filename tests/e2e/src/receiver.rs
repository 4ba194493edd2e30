//! A merchant's server, on this machine: it takes webhooks, or does not, as a story wants it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use shared::crypto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A webhook that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    /// The request's first line.
    pub line: String,
    /// `Syncgram-Signature`.
    pub signature: String,
    /// Its headers, as they came.
    pub headers: String,
    /// Its body, as it came.
    pub body: String,
}

impl Arrived {
    /// The body's JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// When it says that it was signed.
    pub fn signed_at(&self) -> i64 {
        let at = self.signature.split(',').find_map(|part| part.strip_prefix("t="));
        at.and_then(|at| at.parse().ok()).expect("a time")
    }

    /// How many signatures it has.
    pub fn signatures(&self) -> usize {
        self.signature.matches(",v1=").count()
    }

    /// Whether one of its signatures is made with this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let at = self.signed_at().to_string();
        let mac = crypto::hmac_sha256(secret.as_bytes(), &[at.as_bytes(), b".", self.body.as_bytes()]);
        self.signature.split(',').any(|part| part == format!("v1={}", crypto::hex(&mac)))
    }
}

#[derive(Default)]
struct State {
    arrived: Vec<Arrived>,
    answers: VecDeque<&'static str>,
}

/// The server. It ends when it is dropped.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/syncgram?shop=1", listener.local_addr().expect("an address"));
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self { url, state, server }
    }

    /// What it answers next: a status line with whatever follows it; nothing, and it hangs up.
    pub fn answer_next(&self, answers: &[&'static str]) {
        self.lock().answers.extend(answers);
    }

    /// What arrived since this was last asked.
    pub fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.lock().arrived)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(arrived) = read(&mut stream).await else {
        return;
    };
    let answer = {
        let mut state = lock(state);
        state.arrived.push(arrived);
        state.answers.pop_front().unwrap_or("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    };
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                lines
                    .filter(|(it, _)| it.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.to_owned())
                    .next()
            };
            let length: usize = header("content-length")?.parse().ok()?;
            if body.len() >= length {
                let (line, headers) = head.split_once("\r\n")?;
                let signature = header("syncgram-signature").unwrap_or_default();
                let (line, headers) = (line.to_owned(), headers.to_owned());
                return Some(Arrived { line, signature, headers, body: body.to_owned() });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
