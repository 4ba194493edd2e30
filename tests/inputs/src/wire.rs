//! HTTP/1.1 by hand: what is sent is to the byte what a case says, also where no HTTP library would send it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query, as they are sent.
    pub target: String,
    /// Names and values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request without headers and without a body.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None }
    }

    /// `GET`.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// `POST`.
    pub fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    /// `PUT`.
    pub fn put(target: &str) -> Self {
        Self::new("PUT", target)
    }

    /// `DELETE`.
    pub fn delete(target: &str) -> Self {
        Self::new("DELETE", target)
    }

    /// Adds a header; the same name again makes it two headers.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds a credential.
    pub fn bearer(self, credential: &str) -> Self {
        self.header("Authorization", format!("Bearer {credential}"))
    }

    /// A body as it is, without a `Content-Type`.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Bytes that are declared to be JSON.
    pub fn said_json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    /// A JSON body, declared as such.
    pub fn json(self, body: &Value) -> Self {
        self.said_json(body.to_string())
    }

    /// The target's two parts.
    pub fn path_and_query(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }

    /// The values of a header, its name in any case.
    pub fn values(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Whether the answer has no body.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The credential it carries, if any: no answer may repeat it.
    pub fn credential(&self) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
        let text = String::from_utf8_lossy(value);
        let credential = text.split_whitespace().next_back()?;
        (credential.len() > 12).then(|| credential.to_owned())
    }

    /// What is sent, to the byte.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.body.is_some() || self.method == "POST" || self.method == "PUT" {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        bytes.extend_from_slice(body);
        bytes
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// An answer that came another way than over a connection.
    pub fn new(status: u16, headers: impl IntoIterator<Item = (String, String)>, body: String) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        Self { status, headers, body }
    }

    /// A header that is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let first = all.next();
        assert_eq!(all.next(), None, "{name} comes twice");
        first
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The `data` of a success.
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// Status and body without the request's own id: what must be the same for two requests that nobody may tell apart.
    pub fn indistinguishable(&self) -> (u16, String) {
        let id = self.header("x-request-id").unwrap_or_default();
        (self.status, if id.is_empty() { self.body.clone() } else { self.body.replace(id, "…") })
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        assert!(
            !headers.iter().any(|(name, _)| name == "transfer-encoding"),
            "chunks are not read here: {head}"
        );
        let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
        Self { status: status.unwrap_or_else(|| panic!("no status: {head}")), headers, body }
    }
}

/// Sends bytes on a connection of their own and reads until the server closes it.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Response {
    exchange_from(IpAddr::V4(Ipv4Addr::LOCALHOST), address, bytes).await
}

/// The same from another loopback address: one of another /24 is another network.
pub async fn exchange_from(source: IpAddr, address: SocketAddr, bytes: &[u8]) -> Response {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source, 0)).unwrap();
    let mut connection = socket.connect(address).await.unwrap();
    let mut answer = Vec::new();
    let talk = async {
        // A server that refuses early may close before it has read everything: its answer is what counts.
        let _ = connection.write_all(bytes).await;
        let _ = connection.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(PATIENCE, talk).await.unwrap_or_else(|_| panic!("no answer in {PATIENCE:?}"));
    Response::parse(&answer)
}
