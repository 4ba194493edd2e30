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
mod world;

/// A target: its name, which is also the folder of its seeds, and what it asserts.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics when what must hold of these bytes does not.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 17] = [
    Target { name: "authorizer_event", run: authorizer::event },
    Target { name: "bearer", run: authorizer::header },
    Target { name: "jwt", run: jwt::text },
    Target { name: "jwt_signed", run: jwt::signed },
    Target { name: "api_key", run: credentials::api_key },
    Target { name: "refresh_token", run: credentials::refresh_token },
    Target { name: "login", run: bodies::login },
    Target { name: "verify", run: bodies::verify },
    Target { name: "resend", run: bodies::resend },
    Target { name: "refresh", run: bodies::refresh },
    Target { name: "create_key", run: bodies::create_key },
    Target { name: "switch_environment", run: bodies::switch_environment },
    Target { name: "set_webhook", run: bodies::set_webhook },
    Target { name: "proxy_event", run: bodies::proxy_event },
    Target { name: "operator", run: bodies::operator },
    Target { name: "audit_stream", run: audit::records },
    Target { name: "audit_verify", run: audit::verification },
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
