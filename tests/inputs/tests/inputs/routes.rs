//! Every route that takes a body: what it takes, and what it answers when there is nothing wrong with it.

use devstack::seed::ACORN;
use serde_json::{Value, json};
use shared::ids::ChallengeId;
use shared::rng::SystemRng;

use crate::harness::{Request, Session, Stack};

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A string that is not empty.
    Text,
    /// A whole number from 1 to 3650.
    Days,
    /// A word of a list.
    Word,
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub required: bool,
    pub takes: Takes,
}

/// A route, and a body it takes.
pub struct Route {
    pub name: &'static str,
    pub request: Request,
    pub good: Value,
    /// What the good body is answered with.
    pub status: u16,
    pub fields: Vec<Field>,
}

fn required(name: &'static str) -> Field {
    Field { name, required: true, takes: Takes::Text }
}

fn optional(name: &'static str, takes: Takes) -> Field {
    Field { name, required: false, takes }
}

/// Every route with a body. Where the good body would change something, it names what is not there instead: its refusal by the use
/// case shows that nothing was wrong with its form.
pub fn with_bodies(stack: &Stack, owner: &Session) -> Vec<Route> {
    let nowhere = ChallengeId::new(stack.app().clock.as_ref(), &SystemRng);
    let api = |path: &str| format!("/api/v1{path}");
    let environment = Field { takes: Takes::Word, ..required("env") };
    vec![
        Route {
            name: "login",
            request: Request::post(&api("/auth/login")),
            good: json!({"email": "nobody@acorn.example", "password": "no-password-of-anybody"}),
            status: 401,
            fields: vec![required("email"), required("password")],
        },
        Route {
            name: "verify",
            request: Request::post(&api("/auth/login/2fa/verify")),
            good: json!({"challenge_id": nowhere, "code": "123456", "code_type": "primary"}),
            status: 401,
            fields: vec![required("challenge_id"), required("code"), optional("code_type", Takes::Word)],
        },
        Route {
            name: "resend",
            request: Request::post(&api("/auth/login/2fa/resend")),
            good: json!({"challenge_id": nowhere}),
            status: 401,
            fields: vec![required("challenge_id")],
        },
        Route {
            name: "refresh",
            request: Request::post(&api("/auth/refresh")),
            good: json!({"refresh_token": "rt_of-nobody"}),
            status: 401,
            fields: vec![required("refresh_token")],
        },
        Route {
            name: "create a key",
            request: Request::post(&api("/auth/api-keys")).bearer(&owner.access),
            good: json!({"key_name": "Till 1", "expires_in_days": 30, "env": "test", "idempotency_key": "till-1"}),
            status: 201,
            fields: vec![
                required("key_name"),
                optional("expires_in_days", Takes::Days),
                optional("env", Takes::Word),
                optional("idempotency_key", Takes::Text),
            ],
        },
        Route {
            name: "switch the environment",
            request: Request::put(&api(&format!("/organizations/{}/environment", ACORN.id)))
                .bearer(&owner.access),
            good: json!({"env": "test"}),
            status: 200,
            fields: vec![environment],
        },
        Route {
            name: "set the webhook",
            request: Request::put(&api(&format!("/organizations/{}/webhook", ACORN.id)))
                .bearer(&owner.access),
            good: json!({"url": "https://hooks.acorn.example/hook", "events": ["api_key.created"]}),
            status: 201,
            fields: vec![required("url"), optional("events", Takes::Word)],
        },
        Route {
            name: "rename the organization",
            request: Request::new("PATCH", &api(&format!("/organizations/{}", ACORN.id)))
                .bearer(&owner.access),
            good: json!({"name": "Acorn Trading"}),
            status: 200,
            fields: vec![required("name")],
        },
    ]
}

impl Route {
    /// The good body with one member set.
    pub fn with(&self, name: &str, value: Value) -> Value {
        let mut body = self.good.clone();
        body[name] = value;
        body
    }

    /// The good body without one member.
    pub fn without(&self, name: &str) -> Value {
        let mut body = self.good.clone();
        body.as_object_mut().unwrap().remove(name);
        body
    }
}
