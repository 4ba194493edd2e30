//! Every route that takes a body: what it takes, and what it answers when there is nothing wrong with it.

use std::collections::BTreeSet;

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
    /// A string of some form, or of some length: not every one that is not empty.
    Form,
    /// A whole number from 1 to 3650.
    Days,
    /// A list, which may be empty.
    List,
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
    /// Whether it is answered so once, and then otherwise.
    pub once: bool,
    pub fields: Vec<Field>,
}

fn required(name: &'static str, takes: Takes) -> Field {
    Field { name, required: true, takes }
}

fn optional(name: &'static str, takes: Takes) -> Field {
    Field { name, required: false, takes }
}

fn route(name: &'static str, request: Request, good: Value, status: u16, fields: Vec<Field>) -> Route {
    Route { name, request, good, status, once: status == 201, fields }
}

fn api(path: &str) -> String {
    format!("/api/v1{path}")
}

fn organization(path: &str) -> String {
    api(&format!("/organizations/{}{path}", ACORN.id))
}

/// Every route with a body. Where the good body would change something, it names what is not there instead: its refusal by the use
/// case shows that nothing was wrong with its form.
pub fn with_bodies(stack: &Stack, owner: &Session) -> Vec<Route> {
    let mut all = logging_in(stack);
    all.extend(keys_and_organization(owner));
    all.extend(accounts(owner));
    all.extend(factors(owner));
    all.extend(people(owner));
    all
}

fn logging_in(stack: &Stack) -> Vec<Route> {
    let nowhere = ChallengeId::new(stack.app().clock.as_ref(), &SystemRng);
    let post = |path: &str| Request::post(&api(path));
    vec![
        route(
            "login",
            post("/auth/login"),
            json!({"email": "nobody@acorn.example", "password": "no-password-of-anybody"}),
            401,
            vec![required("email", Takes::Form), required("password", Takes::Text)],
        ),
        route(
            "verify",
            post("/auth/login/2fa/verify"),
            json!({"challenge_id": nowhere, "code": "123456", "code_type": "primary", "org_id": ACORN.id}),
            401,
            vec![
                required("challenge_id", Takes::Text),
                required("code", Takes::Form),
                optional("code_type", Takes::Form),
                optional("org_id", Takes::Text),
            ],
        ),
        route(
            "resend",
            post("/auth/login/2fa/resend"),
            json!({"challenge_id": nowhere}),
            401,
            vec![required("challenge_id", Takes::Text)],
        ),
        route(
            "refresh",
            post("/auth/refresh"),
            json!({"refresh_token": "rt_of-nobody"}),
            401,
            vec![required("refresh_token", Takes::Text)],
        ),
    ]
}

fn keys_and_organization(owner: &Session) -> Vec<Route> {
    let own = |method: &str, path: &str| Request::new(method, path).bearer(&owner.access);
    vec![
        route(
            "create a key",
            own("POST", &api("/auth/api-keys")),
            json!({"key_name": "Till 1", "expires_in_days": 30, "env": "test", "idempotency_key": "till-1", "allowed_addresses": []}),
            201,
            vec![
                required("key_name", Takes::Text),
                optional("expires_in_days", Takes::Days),
                optional("env", Takes::Form),
                optional("idempotency_key", Takes::Text),
                optional("allowed_addresses", Takes::List),
            ],
        ),
        route(
            "change a key",
            own("PATCH", &api("/auth/api-keys/key_01J0ACRN000000000000000000")),
            json!({"allowed_addresses": ["192.0.2.0/24"]}),
            404,
            vec![required("allowed_addresses", Takes::List)],
        ),
        route(
            "switch the environment",
            own("PUT", &organization("/environment")),
            json!({"env": "test"}),
            200,
            vec![required("env", Takes::Form)],
        ),
        route(
            "set the webhook",
            own("PUT", &organization("/webhook")),
            json!({"url": "https://hooks.acorn.example/hook", "events": ["api_key.created"]}),
            201,
            vec![required("url", Takes::Form), optional("events", Takes::Form)],
        ),
        route(
            "rename the organization",
            own("PATCH", &organization("")),
            json!({"name": "Acorn Trading"}),
            200,
            vec![required("name", Takes::Text)],
        ),
    ]
}

fn accounts(owner: &Session) -> Vec<Route> {
    let post = |path: &str| Request::post(&api(path));
    let (new, nobody) = ("six parrots over Leeds", "nobody@acorn.example");
    vec![
        route(
            "register",
            post("/auth/register"),
            json!({"email": "new@acorn.example", "password": new, "full_name": "N", "country": "NL"}),
            201,
            vec![
                required("email", Takes::Form),
                required("password", Takes::Form),
                required("full_name", Takes::Text),
                optional("country", Takes::Form),
            ],
        ),
        route(
            "verify an address",
            post("/auth/verify-email"),
            json!({"email": nobody, "otp": "123456"}),
            401,
            vec![required("email", Takes::Form), required("otp", Takes::Form)],
        ),
        // Once a minute.
        Route {
            once: true,
            ..route(
                "another code for an address",
                post("/auth/verify-email/resend"),
                json!({"email": nobody}),
                200,
                vec![required("email", Takes::Form)],
            )
        },
        route(
            "forgot",
            post("/auth/password/forgot"),
            json!({"email": nobody}),
            200,
            vec![required("email", Takes::Form)],
        ),
        route(
            "reset",
            post("/auth/password/reset"),
            json!({"token": "rst_of-nobody", "password": new}),
            401,
            vec![required("token", Takes::Text), required("password", Takes::Form)],
        ),
        route(
            "change the password",
            Request::put(&api("/auth/password")).bearer(&owner.access),
            json!({"current_password": "not the password", "new_password": new}),
            401,
            vec![required("current_password", Takes::Text), required("new_password", Takes::Form)],
        ),
    ]
}

fn factors(owner: &Session) -> Vec<Route> {
    let own = |method: &str, path: &str| Request::new(method, &api(path)).bearer(&owner.access);
    let proof = json!({"password": "not the password", "code": "123456", "code_type": "backup"});
    let proven = || {
        vec![
            required("password", Takes::Text),
            required("code", Takes::Form),
            optional("code_type", Takes::Form),
        ]
    };
    vec![
        route(
            "begin an app",
            own("POST", "/auth/factors/totp"),
            json!({"password": "not the password"}),
            401,
            vec![required("password", Takes::Text)],
        ),
        route(
            "confirm an app",
            own("POST", "/auth/factors/totp/confirm"),
            json!({"code": "123456"}),
            404,
            vec![required("code", Takes::Form)],
        ),
        route("remove the app", own("DELETE", "/auth/factors/totp"), proof.clone(), 404, proven()),
        route("new backup codes", own("POST", "/auth/factors/backup-codes"), proof, 404, proven()),
    ]
}

fn people(owner: &Session) -> Vec<Route> {
    let own = |method: &str, path: &str| Request::new(method, &organization(path)).bearer(&owner.access);
    vec![
        route(
            "invite",
            own("POST", "/invitations"),
            json!({"email": "new@acorn.example", "role": "viewer"}),
            201,
            vec![required("email", Takes::Form), required("role", Takes::Form)],
        ),
        route(
            "accept an invitation",
            Request::post(&api("/auth/invitations/accept")),
            json!({"token": "it_of-nobody", "full_name": "N", "password": "six parrots over Leeds"}),
            401,
            vec![
                required("token", Takes::Text),
                optional("full_name", Takes::Text),
                optional("password", Takes::Form),
            ],
        ),
        route(
            "change a role",
            own("PATCH", "/members/usr_01J0NNBDY00000000000000000"),
            json!({"role": "viewer"}),
            404,
            vec![required("role", Takes::Form)],
        ),
        route(
            "hand over",
            own("POST", "/owner"),
            json!({"user_id": "usr_01J0NNBDY00000000000000000", "password": "not the password"}),
            404,
            vec![required("user_id", Takes::Text), required("password", Takes::Text)],
        ),
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

    /// Whether it is this operation of the document.
    fn is(&self, method: &str, path: &str) -> bool {
        let (named, own) = (path.split('/'), self.request.target.split('/'));
        self.request.method == method
            && named.clone().count() == own.clone().count()
            && named.zip(own).all(|(named, own)| named == own || named.starts_with('{'))
    }
}

/// The operations of the document that take a body.
fn documented() -> BTreeSet<(String, String)> {
    let document = include_str!("../../../../docs/openapi.yaml");
    let (mut path, mut method, mut found) = ("", "", BTreeSet::new());
    for line in document.lines() {
        let depth = line.len() - line.trim_start().len();
        let name = line.trim().strip_suffix(':').unwrap_or_default();
        match depth {
            2 => path = name,
            4 => method = name,
            6 if name == "requestBody" => {
                found.insert((method.to_uppercase(), path.to_owned()));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test]
async fn every_route_with_a_body_gets_the_hostile_ones() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let routes = with_bodies(&stack, &owner);
    let mut documented = documented();
    assert!(documented.len() > 20, "only {}: the reading is broken", documented.len());
    // Its body is judged by its signature, to the byte, before it is read.
    documented.remove(&("POST".to_owned(), "/api/v1/secret-scanning/github".to_owned()));
    let missing: Vec<_> = documented
        .into_iter()
        .filter(|(method, path)| !routes.iter().any(|route| route.is(method, path)))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
