//! Audit events: who did what to which organization, with what outcome and why, as one structured line.
//!
//! An event has no field that could hold a secret: ids, hashes and fixed words only.

/// One event. Fields that do not apply stay empty and are left out of the line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// What was tried: `login`, `verify`, `key.create`, …
    pub action: &'a str,
    /// `ok`, `refused` or `failed`.
    pub outcome: &'a str,
    /// Why it was refused or failed: a fixed word.
    pub reason: &'a str,
    /// The user, or the API key's id.
    pub actor: &'a str,
    /// The beginning of the hash of the address that was tried, before there is an actor.
    pub address: &'a str,
    /// The organization.
    pub org: &'a str,
    /// The thing acted on: a key's, session's or challenge's id.
    pub target: &'a str,
    /// The network the request came from (/24, /48).
    pub network: &'a str,
    /// The gateway's id of the request.
    pub request_id: &'a str,
}

impl Event<'_> {
    /// Writes the line. Refusals are warnings, failures errors: alarms count by level and action.
    pub fn write(&self) {
        let Self { action, outcome, reason, actor, address, org, target, network, request_id } = *self;
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "audit",
                    action,
                    outcome,
                    reason = said(reason),
                    actor = said(actor),
                    address = said(address),
                    org = said(org),
                    target = said(target),
                    network = said(network),
                    request_id = said(request_id)
                )
            };
        }
        match outcome {
            "ok" => line!(info),
            "refused" => line!(warn),
            _ => line!(error),
        }
    }
}

fn said(field: &str) -> Option<&str> {
    (!field.is_empty()).then_some(field)
}
