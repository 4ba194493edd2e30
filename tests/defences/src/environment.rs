//! Execution environments: each an app with caches and connections of its own, called as Lambda calls it.

use std::sync::Arc;

use devstack::clock::DevClock;
use devstack::engines::recorder::{self, Recorder};
use devstack::gateway::authorizer::Context;
use devstack::gateway::event::{Incoming, build};
use devstack::gateway::invoke;
use lambda_http::Body;
use lambda_http::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use shared::app::{App, Outside};
use shared::clock::Clock;
use shared::principals::UserPrincipal;
use shared::rng::SystemRng;

use crate::Place;

/// An execution environment that has served no call yet.
pub struct Environment {
    /// Its app.
    pub app: App,
    /// What it asks for. Time may fly while it is not answered.
    pub requests: Recorder,
}

/// What a call gives, whatever kind of function it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The status that its client sees.
    pub status: u16,
    /// The body: of an authorizer, its answer.
    pub body: Value,
    /// The seconds in `Retry-After`.
    pub retry_after: Option<i64>,
    /// `Set-Cookie`.
    pub cookie: Option<String>,
}

/// Another clock than this place's.
struct Ahead {
    of: DevClock,
    by: time::Duration,
}

impl Clock for Ahead {
    fn now(&self) -> time::OffsetDateTime {
        self.of.now() + self.by
    }
}

impl Place {
    /// A new execution environment.
    pub fn environment(&self) -> Environment {
        self.environment_at(Arc::new(self.devstack.clock.clone()))
    }

    /// One whose clock is ahead by this much, or behind.
    pub fn environment_later(&self, by: time::Duration) -> Environment {
        self.environment_at(Arc::new(Ahead { of: self.devstack.clock.clone(), by }))
    }

    /// One with a clock of its own.
    #[expect(clippy::unwrap_used, reason = "tests only: an app that cannot be made fails the test")]
    pub fn environment_at(&self, clock: Arc<dyn Clock>) -> Environment {
        let requests = Recorder::default();
        let connections = crate::flight::in_real_time(recorder::plain_http());
        let outside =
            Outside { clock, rng: Arc::new(SystemRng), http_client: Some(requests.wrap(connections)) };
        Environment { app: App::new(&self.devstack.config, outside).unwrap(), requests }
    }
}

/// A call of an HTTP function, behind an authorizer that lets `user` in.
#[derive(Debug, Clone)]
pub struct HttpCall {
    /// The function.
    pub function: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path as the template has it.
    pub resource: &'static str,
    /// The path's parameter.
    pub parameter: Option<(&'static str, String)>,
    /// The body.
    pub body: Value,
    /// The `Idempotency-Key`.
    pub idempotency_key: Option<&'static str>,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// Who the authorizer says it is.
    pub user: Option<UserPrincipal>,
}

impl HttpCall {
    /// The gateway's event.
    #[expect(clippy::unwrap_used, reason = "tests only: a header that is none fails the test")]
    pub fn event(&self) -> Value {
        let authorizer: Option<Context> = self.user.as_ref().map(|user| {
            [
                ("auth_method", json!("jwt")),
                ("principal_id", json!(user.user_id)),
                ("org_id", json!(user.org_id)),
                ("role", json!(user.role.as_str())),
                ("session_id", json!(user.session_id)),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
        });
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if let Some(key) = self.idempotency_key {
            headers.insert("idempotency-key", HeaderValue::from_static(key));
        }
        for (name, value) in &self.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        let parameters =
            self.parameter.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        build(&Incoming {
            resource: self.resource,
            path: self.resource,
            query: None,
            method: self.method,
            headers: &headers,
            parameters: &parameters,
            authorizer: authorizer.as_ref(),
            body: body.as_bytes(),
            source_ip: "127.0.0.1",
            request_id: "test",
            api_id: "abc",
            stage: "prod",
            now: 0,
        })
    }
}

impl Environment {
    /// Calls an HTTP function.
    #[expect(clippy::unwrap_used, reason = "tests only: a function that is not there fails the test")]
    pub async fn http(&self, call: &HttpCall) -> Outcome {
        let event = call.event();
        let response = Box::pin(invoke::handle(&self.app, call.function, &event)).await.unwrap();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|it| it.to_str().ok()).and_then(|it| it.parse().ok());
        let cookie = response.headers().get("set-cookie").and_then(|it| it.to_str().ok()).map(str::to_owned);
        let body = match response.body() {
            Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        Outcome { status: response.status().as_u16(), body, retry_after, cookie }
    }

    /// Calls the operator's function. It answers no gateway, so there is no header: the error's code tells the status.
    pub async fn operator(&self, event: Value) -> Outcome {
        let body = Box::pin(operator::handle(&self.app, event, "test")).await;
        let status = match body["error"]["code"].as_str() {
            None if body["success"] == true => 200,
            Some("service_unavailable") => 503,
            Some("not_found") => 404,
            Some("address_taken" | "issuer_named") => 409,
            _ => 500,
        };
        Outcome { status, body, retry_after: (status == 503).then_some(5), cookie: None }
    }

    /// Calls the authorizer of a REST API; the status that the gateway would make of its answer.
    pub async fn authorize(&self, credential: &str) -> Outcome {
        let event = json!({
            "type": "TOKEN",
            "authorizationToken": format!("Bearer {credential}"),
            "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/organizations/me",
        });
        let (status, body) = match Box::pin(authorizer::handle(&self.app, event, "test")).await {
            Ok(answer) if answer["policyDocument"]["Statement"][0]["Effect"] == "Allow" => (200, answer),
            Ok(answer) => (403, answer),
            Err(authorizer::AuthorizerError::Unauthorized) => (401, Value::Null),
            Err(authorizer::AuthorizerError::Unavailable) => (503, Value::Null),
        };
        Outcome { status, body, retry_after: (status == 503).then_some(5), cookie: None }
    }
}
