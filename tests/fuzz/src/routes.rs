//! The routes that take a body, and what `docs/openapi.yaml` says of their refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/openapi.yaml");

/// A route: the function behind it, its method and its path.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub function: &'static str,
    pub method: &'static str,
    pub path: &'static str,
}

const fn route(function: &'static str, method: &'static str, path: &'static str) -> Route {
    Route { function, method, path }
}

pub const REGISTER: Route = route("register", "POST", "/api/v1/auth/register");
pub const VERIFY_EMAIL: Route = route("register", "POST", "/api/v1/auth/verify-email");
pub const RESEND_SIGN_UP: Route = route("register", "POST", "/api/v1/auth/verify-email/resend");
pub const FORGOT_PASSWORD: Route = route("password", "POST", "/api/v1/auth/password/forgot");
pub const RESET_PASSWORD: Route = route("password", "POST", "/api/v1/auth/password/reset");
pub const CHANGE_PASSWORD: Route = route("password", "PUT", "/api/v1/auth/password");
pub const LOGIN: Route = route("login", "POST", "/api/v1/auth/login");
pub const VERIFY: Route = route("verify", "POST", "/api/v1/auth/login/2fa/verify");
pub const RESEND: Route = route("verify", "POST", "/api/v1/auth/login/2fa/resend");
pub const REFRESH: Route = route("refresh", "POST", "/api/v1/auth/refresh");
pub const BEGIN_TOTP: Route = route("factors", "POST", "/api/v1/auth/factors/totp");
pub const CONFIRM_TOTP: Route = route("factors", "POST", "/api/v1/auth/factors/totp/confirm");
pub const REMOVE_TOTP: Route = route("factors", "DELETE", "/api/v1/auth/factors/totp");
pub const REMAKE_CODES: Route = route("factors", "POST", "/api/v1/auth/factors/backup-codes");
pub const CREATE_KEY: Route = route("keys", "POST", "/api/v1/auth/api-keys");
pub const CHANGE_KEY: Route = route("keys", "PATCH", "/api/v1/auth/api-keys/{api_key_id}");
pub const REPORT_LEAKS: Route = route("leaks", "POST", "/api/v1/secret-scanning/github");
pub const RENAME: Route = route("organizations", "PATCH", "/api/v1/organizations/{id}");
pub const SWITCH: Route = route("organizations", "PUT", "/api/v1/organizations/{id}/environment");
pub const CHANGE_ROLE: Route = route("members", "PATCH", "/api/v1/organizations/{id}/members/{user_id}");
pub const HAND_OVER: Route = route("members", "POST", "/api/v1/organizations/{id}/owner");
pub const INVITE: Route = route("members", "POST", "/api/v1/organizations/{id}/invitations");
pub const ACCEPT: Route = route("invitations", "POST", "/api/v1/auth/invitations/accept");
pub const SET_WEBHOOK: Route = route("webhooks", "PUT", "/api/v1/organizations/{id}/webhook");

/// The codes of refusals by status.
pub type Refusals = BTreeMap<u16, BTreeSet<String>>;

/// What the document says of every route with a body, by method and path.
pub fn documented() -> &'static BTreeMap<(String, String), Refusals> {
    static READ: OnceLock<BTreeMap<(String, String), Refusals>> = OnceLock::new();
    READ.get_or_init(|| {
        let document: Value = serde_yaml_ng::from_str(DOCUMENT).expect("the document is YAML");
        let mut routes = BTreeMap::new();
        for (path, operations) in members(&document["paths"]) {
            for (method, operation) in members(operations) {
                if operation.get("requestBody").is_some() {
                    routes.insert((method.to_uppercase(), path.clone()), refusals(&document, operation));
                }
            }
        }
        routes
    })
}

impl Route {
    /// What the document says of this one.
    pub fn refusals(&self) -> &'static Refusals {
        &documented()[&(self.method.to_owned(), self.path.to_owned())]
    }
}

fn refusals(document: &Value, operation: &Value) -> Refusals {
    let mut refusals = Refusals::new();
    for (status, response) in members(&operation["responses"]) {
        let response = match response["$ref"].as_str() {
            Some(name) => document.pointer(&name[1..]).expect("a reference leads somewhere"),
            None => response,
        };
        let schema = &response["content"]["application/json"]["schema"];
        let codes = schema["properties"]["error"]["properties"]["code"]["enum"].as_array();
        let codes: BTreeSet<String> =
            codes.into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned)).collect();
        if !codes.is_empty() {
            refusals.insert(status.parse().expect("a status is a number"), codes);
        }
    }
    refusals
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
