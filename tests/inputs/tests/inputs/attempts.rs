//! What is tried for the log's sake, and what it must leave there.

use devstack::seed::{ACORN, BIRCH, PASSWORD, Person};
use serde_json::json;

use crate::harness::{Request, Response, Stack};

/// What was tried, and which event it must have left.
pub struct Attempts<'a> {
    pub stack: &'a Stack,
    /// Request id, what it was, action, outcome, reason.
    pub expected: Vec<(String, String, &'static str, &'static str, &'static str)>,
    /// What must not be in any line, and what it is.
    pub secrets: Vec<(&'static str, String)>,
}

impl<'a> Attempts<'a> {
    pub fn of(stack: &'a Stack) -> Self {
        let secrets = ACORN
            .people()
            .into_iter()
            .chain(BIRCH.people())
            .map(|person| ("an address", person.email.to_owned()));
        let mut secrets: Vec<_> = secrets.collect();
        secrets.push(("a password", PASSWORD.to_owned()));
        Self { stack, expected: Vec::new(), secrets }
    }

    pub fn secret(&mut self, what: &'static str, text: &str) {
        self.secrets.push((what, text.to_owned()));
    }

    pub async fn make(
        &mut self,
        request: &Request,
        action: &'static str,
        outcome: &'static str,
        reason: &'static str,
    ) -> Response {
        let answer = self.stack.send(request).await;
        let id = answer.header("x-request-id").unwrap_or_default().to_owned();
        let line = String::from_utf8_lossy(&request.bytes()).lines().next().unwrap_or_default().to_owned();
        self.expected.push((id, format!("{line} → {}", answer.status), action, outcome, reason));
        for (name, what) in
            [("access_token", "an access token"), ("refresh_token", "a refresh token"), ("key", "an API key")]
        {
            if let Some(text) = answer.data()[name].as_str() {
                self.secret(what, text);
            }
        }
        answer
    }

    pub async fn login(
        &mut self,
        email: &str,
        password: &str,
        outcome: &'static str,
        reason: &'static str,
    ) -> Response {
        self.secret("an address that was typed", email);
        self.secret("a password that was typed", password);
        let request =
            Request::post("/api/v1/auth/login").json(&json!({"email": email, "password": password}));
        self.make(&request, "login", outcome, reason).await
    }

    pub async fn verify(
        &mut self,
        challenge: &str,
        code: &str,
        outcome: &'static str,
        reason: &'static str,
    ) -> Response {
        self.secret("a code", code);
        let request = Request::post("/api/v1/auth/login/2fa/verify")
            .json(&json!({"challenge_id": challenge, "code": code}));
        self.make(&request, "verify", outcome, reason).await
    }

    pub async fn log_in(&mut self, person: Person) -> (String, String) {
        let challenge = self.login(person.email, PASSWORD, "ok", "").await.data()["challenge_id"].clone();
        let code = self.stack.devstack.mailbox.code(person.email).unwrap();
        let tokens = self.verify(challenge.as_str().unwrap(), &code, "ok", "").await.data();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    pub async fn refresh(
        &mut self,
        token: &str,
        key: Option<&str>,
        outcome: &'static str,
        reason: &'static str,
    ) -> Response {
        self.secret("a refresh token that was sent", token);
        let request = Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": token}));
        let request = key.iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.make(&request, "refresh", outcome, reason).await
    }
}
