//! The Lambda runtime API: what a function's process asks for events, and tells its answers.
//!
//! AWS, "Using the Lambda runtime API for custom runtimes": `next`, `response`, `error` and `init/error`. It is served by hand, on
//! blocking sockets and without a runtime of its own, because what it costs is part of every time that is measured.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;

/// Longer than any call or init takes, at the smallest share of a processor.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process tells.
enum Said {
    /// It is ready for an event.
    Ready(Instant),
    /// It answers one, so long after that was handed over.
    Answered { took: Duration, kind: Kind, body: Vec<u8> },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With an answer.
    Response,
    /// With an error of the function's.
    Error,
    /// The process says that it cannot start.
    InitError,
}

/// One call, measured between handing the event over and having the whole answer.
#[derive(Debug)]
pub struct Call {
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub kind: Kind,
    /// The answer.
    pub body: Vec<u8>,
}

/// The API for one process.
pub struct RuntimeApi {
    /// `host:port`, as `AWS_LAMBDA_RUNTIME_API` has it.
    pub address: String,
    events: Sender<Arc<[u8]>>,
    said: Receiver<Said>,
}

struct Shared {
    events: Mutex<Receiver<Arc<[u8]>>>,
    say: Sender<Said>,
    /// When the latest event was handed over. Taken where it goes out, as the answer's time is where that arrives: on the way through a
    /// channel to another thread, as much time again is the operating system's.
    handed_over: Mutex<Instant>,
}

impl Shared {
    fn handed_over(&self) -> MutexGuard<'_, Instant> {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RuntimeApi {
    /// Listens. Its threads end with the process that talks to them.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let (events, waiting) = mpsc::channel();
        let (say, said) = mpsc::channel();
        let shared =
            Arc::new(Shared { events: Mutex::new(waiting), say, handed_over: Mutex::new(clock::now()) });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A connection that breaks off is the process's end, which the other side notices by the silence.
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Self { address, events, said })
    }

    /// Waits until the process asks for its first event.
    ///
    /// # Errors
    /// When it says that it cannot start, or says nothing.
    pub fn ready(&self) -> io::Result<Instant> {
        match self.said.recv_timeout(PATIENCE) {
            Ok(Said::Ready(at)) => Ok(at),
            Ok(Said::Answered { body, .. }) => Err(other(String::from_utf8_lossy(&body).into_owned())),
            Err(error) => Err(silence(error)),
        }
    }

    /// Hands an event over and waits for the answer, and until the process asks for the next one.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn call(&self, event: &Arc<[u8]>) -> io::Result<Call> {
        self.events.send(Arc::clone(event)).map_err(|_| other("the runtime API is gone".to_owned()))?;
        let mut call = None;
        loop {
            match self.said.recv_timeout(PATIENCE).map_err(silence)? {
                Said::Answered { took, kind, body } => call = Some(Call { took, kind, body }),
                Said::Ready(_) => match call {
                    Some(call) => return Ok(call),
                    None => {
                        return Err(other(
                            "it asks for a second event without answering the first".to_owned(),
                        ));
                    }
                },
            }
        }
    }
}

fn silence(error: RecvTimeoutError) -> io::Error {
    other(format!("the process says nothing: {error}"))
}

fn other(text: String) -> io::Error {
    io::Error::other(text)
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let body = body(&mut reader)?;
        let at = clock::now();
        if path.ends_with("/invocation/next") {
            let _ = shared.say.send(Said::Ready(at));
            let event = shared.events.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(event) = event else { return Ok(()) };
            let event = handed_over(&event);
            *shared.handed_over() = clock::now();
            writer.write_all(&event)?;
            continue;
        }
        let kind = match path.rsplit('/').next() {
            Some("response") => Kind::Response,
            _ if path.ends_with("/init/error") => Kind::InitError,
            _ => Kind::Error,
        };
        let _ = shared.say.send(Said::Answered { took: at - *shared.handed_over(), kind, body });
        writer.write_all(
            b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        )?;
    }
}

/// The rest of a request: its headers are of no interest beyond how long the body is.
fn body(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length =
                value.trim().parse().map_err(|_| other("a content-length that is no number".to_owned()))?;
        }
        chunked |= line.strip_prefix("transfer-encoding:").is_some_and(|value| value.trim() == "chunked");
    }
    if !chunked {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        return Ok(body);
    }
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size =
            usize::from_str_radix(size.trim(), 16).map_err(|_| other("a chunk without a size".to_owned()))?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn handed_over(event: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
         lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         lambda-runtime-deadline-ms: 99999999999999\r\n\
         lambda-runtime-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:f\r\n\
         content-length: {}\r\n\r\n",
        event.len()
    )
    .into_bytes();
    answer.extend_from_slice(event);
    answer
}
