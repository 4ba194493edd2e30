//! What listens on the port: the gateway, and the console beside it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use tokio::net::TcpListener;

use crate::console::{self, Console};
use crate::engines::Running;
use crate::gateway::Gateway;

/// Everything behind the port.
pub(crate) struct Front {
    pub gateway: Gateway,
    pub console: Console,
    pub base_url: String,
}

async fn answer(
    State(front): State<Arc<Front>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if request.headers().get(http::header::HOST).is_some_and(|host| !is_own_name(host.as_bytes())) {
        return forbidden();
    }
    let path = request.uri().path();
    if let Some(home) = front.home_of(&request) {
        return home;
    }
    match path.strip_prefix(console::PREFIX) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => front.console.answer(request).await,
        _ => front.gateway.answer(source.ip(), request).await,
    }
}

impl Front {
    /// Answers whoever comes, until what it gives is dropped.
    pub fn serve(self, listener: TcpListener) -> Running {
        let router = axum::Router::new().fallback(answer).with_state(Arc::new(self));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        Running::spawn(async move {
            // Ends only with the task: an accept that fails is tried again.
            let _ = axum::serve(listener, service).await;
        })
    }

    /// Where the dashboard is at home, for a browser that opens it under this machine's other name: its session is for the issuer's origin
    /// alone.
    fn home_of(&self, request: &Request) -> Option<Response> {
        let (_, port) = self.base_url.rsplit_once(':')?;
        let host = request.headers().get(http::header::HOST)?.to_str().ok()?;
        let elsewhere = host.eq_ignore_ascii_case(&format!("localhost:{port}"));
        let page = request.method() == http::Method::GET
            && request.uri().path().trim_end_matches('/') == "/dashboard";
        let location = HeaderValue::from_str(&format!("{}/dashboard", self.base_url)).ok()?;
        (elsewhere && page).then(|| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert(http::header::LOCATION, location);
            response
        })
    }
}

/// Whether a `Host` header names this machine: `localhost`, `127.0.0.1`, `[::1]`, with a port or without.
///
/// API Gateway answers to the names of its APIs alone. Here it also keeps a page in a browser from reading the mailbox by
/// way of a name of its own that points at 127.0.0.1.
fn is_own_name(host: &[u8]) -> bool {
    let Ok(host) = str::from_utf8(host) else {
        return false;
    };
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// What API Gateway answers to a name that is none of its own: no gateway response changes it.
fn forbidden() -> Response {
    let mut response = Response::new(Body::from(r#"{"message":"Forbidden"}"#));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_are_answered() {
        for own in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1",
            "127.0.0.1:3000",
            "127.9.9.9:1",
            "[::1]:3000",
            "[::1]",
        ] {
            assert!(is_own_name(own.as_bytes()), "{own}");
        }
        let others: [&[u8]; 8] = [
            b"",
            b"x",
            b"localhost.evil.example",
            b"10.0.0.1:3000",
            b"bad host^^",
            b"xn--a",
            b"localhost:80x",
            b"\xff",
        ];
        for other in others {
            assert!(!is_own_name(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
