//! Secrets Manager and SES v2, which are winterbaume's, and the queue, which is ours: behind one loopback port.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use shared::clock::{Clock, rfc3339};
use tokio::net::TcpListener;
use winterbaume_core::{MockRequest, MockResponse, MockService};
use winterbaume_sesv2::SesV2Service;

use super::mailbox::Mailbox;
use super::queue::Queue;
use super::secrets_manager::SecretsManager;
use super::{Running, endpoint};
use crate::StartError;

/// More than any secret or mail is.
const MAX_BODY: usize = 1024 * 1024;

/// The services.
pub struct Aws {
    /// Where they listen.
    pub endpoint: String,
    _server: Running,
}

struct Services {
    secrets: SecretsManager,
    mail: SesV2Service,
    mailbox: Mailbox,
    clock: Arc<dyn Clock>,
    region: String,
    queue: Queue,
}

impl Aws {
    /// Starts them, with these secrets (by name) in the one, `mailbox` behind the other, and `queue`.
    pub async fn start(
        secrets: BTreeMap<&str, String>,
        mailbox: Mailbox,
        queue: Queue,
        clock: Arc<dyn Clock>,
        region: &str,
    ) -> Result<Self, StartError> {
        let services = Services {
            secrets: SecretsManager::new(region),
            mail: SesV2Service::new(),
            mailbox,
            clock,
            region: region.to_owned(),
            queue,
        };
        for (name, value) in secrets {
            services.create_secret(name, &value).await?;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = endpoint(&listener)?;
        let router = axum::Router::new().fallback(answer).with_state(Arc::new(services));
        let server = Running::spawn(async move {
            // Ends only with the task: an accept that fails is tried again.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { endpoint, _server: server })
    }
}

impl Services {
    async fn create_secret(&self, name: &str, value: &str) -> Result<(), StartError> {
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-amz-target"),
            http::HeaderValue::from_static("secretsmanager.CreateSecret"),
        )]);
        let body = json!({"Name": name, "SecretString": value}).to_string();
        let answer = self.call(Method::POST, "/", headers, body.into()).await;
        match answer.status {
            200 => Ok(()),
            status => Err(StartError::engine("Secrets Manager", &format!("CreateSecret answers {status}"))),
        }
    }

    /// Passes a request on to the service it is for.
    async fn call(&self, method: Method, path: &str, headers: HeaderMap, body: Bytes) -> MockResponse {
        let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
        if target.starts_with("AmazonSQS.") {
            return self.queue.handle(&headers, &body);
        }
        // SES v2 is the one with a path; Secrets Manager has a target in a header.
        if !path.starts_with("/v2/email/") {
            return self.secrets.handle(&headers, body).await;
        }
        // The service reads the region from the host name.
        let uri = format!("https://email.{}.amazonaws.com{path}", self.region);
        let sends = method == Method::POST && path == "/v2/email/outbound-emails";
        let sent = sends.then(|| body.clone());
        let request = MockRequest { method: method.to_string(), uri, headers, body };
        let answer = self.mail.handle(request).await;
        // Only what SES accepted was sent.
        if let Some(mail) = sent.filter(|_| answer.status == 200) {
            let mail: Value = serde_json::from_slice(&mail).unwrap_or_default();
            self.mailbox.deliver(&mail, &rfc3339(self.clock.now_seconds()));
        }
        answer
    }
}

async fn answer(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = services.call(parts.method, path, parts.headers, body).await;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
