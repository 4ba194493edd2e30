//! What must hold whatever bytes arrive: one function a target, which panics when it does not.
//!
//! `make fuzz` runs them under libFuzzer, coverage deciding which inputs are worth changing further; `make test` runs them over their
//! seeds and some thousand changes of them. An input may hold `{KEY}`, `{TOKEN}`, `{REFRESH}` and `{KID}`: the one good API key, access
//! token, refresh token and key name of this process take their place before it is read. So no file holds a credential, and an input
//! means the same in every process.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a target says that something does not hold by panicking, as tests do"
)]

mod audit;
mod authorizer;
mod bodies;
mod canned;
mod credentials;
mod envelope;
mod jwt;
mod routes;
mod world;

use routes::Route;

/// A target: its name, which is also the folder of its seeds, and what it asserts.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    asserts: Asserts,
}

/// What is asserted of an input.
#[derive(Debug, Clone, Copy)]
enum Asserts {
    /// What this function does.
    Itself(fn(&[u8])),
    /// That it is a body which this route answers as it should.
    Body(Route),
}

impl Target {
    /// Panics when what must hold of these bytes does not.
    pub fn run(&self, data: &[u8]) {
        match &self.asserts {
            Asserts::Itself(asserts) => asserts(data),
            Asserts::Body(route) => bodies::body(route, data),
        }
    }

    /// The route whose bodies it makes.
    fn route(&self) -> Option<&Route> {
        match &self.asserts {
            Asserts::Itself(_) => None,
            Asserts::Body(route) => Some(route),
        }
    }
}

const fn target_of(name: &'static str, asserts: fn(&[u8])) -> Target {
    Target { name, asserts: Asserts::Itself(asserts) }
}

const fn body_of(name: &'static str, route: Route) -> Target {
    Target { name, asserts: Asserts::Body(route) }
}

/// All of them.
pub const TARGETS: [Target; 35] = [
    target_of("authorizer_event", authorizer::event),
    target_of("bearer", authorizer::header),
    target_of("jwt", jwt::text),
    target_of("jwt_signed", jwt::signed),
    target_of("api_key", credentials::api_key),
    target_of("refresh_token", credentials::refresh_token),
    body_of("register", routes::REGISTER),
    body_of("verify_email", routes::VERIFY_EMAIL),
    body_of("resend_sign_up", routes::RESEND_SIGN_UP),
    body_of("forgot_password", routes::FORGOT_PASSWORD),
    body_of("reset_password", routes::RESET_PASSWORD),
    body_of("change_password", routes::CHANGE_PASSWORD),
    body_of("login", routes::LOGIN),
    body_of("verify", routes::VERIFY),
    body_of("resend", routes::RESEND),
    body_of("refresh", routes::REFRESH),
    body_of("begin_totp", routes::BEGIN_TOTP),
    body_of("confirm_totp", routes::CONFIRM_TOTP),
    body_of("remove_totp", routes::REMOVE_TOTP),
    body_of("remake_codes", routes::REMAKE_CODES),
    body_of("create_key", routes::CREATE_KEY),
    body_of("change_key", routes::CHANGE_KEY),
    body_of("report_leaks", routes::REPORT_LEAKS),
    target_of("signed_report", bodies::signed_report),
    body_of("rename_organization", routes::RENAME),
    body_of("switch_environment", routes::SWITCH),
    body_of("change_role", routes::CHANGE_ROLE),
    body_of("hand_over", routes::HAND_OVER),
    body_of("invite", routes::INVITE),
    body_of("accept_invitation", routes::ACCEPT),
    body_of("set_webhook", routes::SET_WEBHOOK),
    target_of("proxy_event", bodies::proxy_event),
    target_of("operator", bodies::operator),
    target_of("audit_stream", audit::records),
    target_of("audit_verify", audit::verification),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// Method and path of every route whose bodies a target makes, and of every one that takes a body by `docs/openapi.yaml`: both sorted.
pub fn routes_with_bodies() -> [Vec<(String, String)>; 2] {
    let mut made: Vec<_> = TARGETS
        .iter()
        .filter_map(Target::route)
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    made.sort();
    [made, routes::documented().keys().cloned().collect()]
}
