//! Webhooks.

use serde_json::json;
use shared::flows::Refusal::{
    InsufficientRole, NotFound, OrganizationSuspended, RateLimited, SessionOver, WrongOrganization,
};
use shared::http::{Shown, Time, Webhook};
use shared::ids::{EventId, InvalidId, OrgId};
use shared::webhooks::EventType;
use webhooks::{SetWebhook, WebhookTest};

use super::samples::{ORGANIZATION, minutes_later};
use crate::operation::{Cache, Shows};
use crate::operation::{Caller, Done, Operation, in_path};

const PATH: &str = "/api/v1/organizations/{id}/webhook";
const URL: &str = "https://hooks.shop.example/syncgram";
const EVENT: &str = "evt_01KB0VB1D5G7J9N2Q4R6T8W3XZ";

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![show()?, set()?, remove(), rotate()?, test()?])
}

fn operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    about: &'static str,
) -> Operation {
    Operation::new((method, path), ("Webhooks", id), summary, about)
        .for_a(Caller::Person)
        .with(in_path("id", "The organization's id.", ORGANIZATION))
        .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole])
}

fn webhook(secret: Option<Shown>, previous: Vec<Time>) -> Result<Webhook, InvalidId> {
    Ok(Webhook {
        organization: OrgId::parse(ORGANIZATION)?,
        url: URL.to_owned(),
        events: EventType::ALL.to_vec(),
        secret,
        previous_secrets_until: previous,
        created_at: minutes_later(30),
        updated_at: minutes_later(30),
        last_failure: None,
    })
}

fn show() -> Result<Operation, InvalidId> {
    Ok(operation(
        "get",
        PATH,
        "webhook",
        "Where the organization is told of what happens",
        "Roles: owner, admin, developer.",
    )
    .answers(200, "The webhook, without its secret.", webhook(None, Vec::new())?)
    .refuses([NotFound]))
}

/// As long as one is, and plainly none.
fn sample_secret() -> Shown {
    Shown::new(&format!("whsec_{}", "x".repeat(43)))
}

fn set() -> Result<Operation, InvalidId> {
    let about = "There is one an organization. The first time, the answer shows the secret that it is signed with, this once; after that \
                 the address and the events change and the secret stays. How to verify a signature: docs/webhooks.md. Roles: owner, admin, \
                 developer.";
    Ok(operation("put", PATH, "setWebhook", "Say where, and of what", about)
        .takes::<SetWebhook>(json!({ "url": URL }))
        .answers(
            201,
            "Set. Keep the secret: nobody can show it again.",
            webhook(Some(sample_secret()), Vec::new())?,
        )
        .answers(200, "Changed. The secret is what it was.", webhook(None, Vec::new())?))
}

fn remove() -> Operation {
    let done = Done {
        status: 204,
        about: "There is none, now or before.",
        shows: Shows::Nothing,
        cache: Cache::Never,
    };
    operation("delete", PATH, "removeWebhook", "Be told nothing more", "Roles: owner, admin, developer.")
        .answered(done)
}

fn rotate() -> Result<Operation, InvalidId> {
    let path = "/api/v1/organizations/{id}/webhook/secret";
    let about = "The secret before signs along for 24 hours, so that a receiver never meets a signature it cannot verify. At most three \
                 sign along at once. Roles: owner, admin, developer.";
    let rotated = webhook(Some(sample_secret()), vec![minutes_later(30 + 24 * 60)])?;
    Ok(operation("post", path, "rotateWebhookSecret", "Sign with another secret", about)
        .answers(200, "Another secret. Keep it: nobody can show it again.", rotated)
        .refuses([NotFound, RateLimited { retry_after: 1 }]))
}

fn test() -> Result<Operation, InvalidId> {
    let path = "/api/v1/organizations/{id}/webhook/test";
    let about = "It goes the way that everything goes, signed and tried again, with the type `webhook.test`. Once a minute. Roles: owner, \
                 admin, developer.";
    Ok(operation("post", path, "testWebhook", "Have a test sent", about)
        .answers(200, "On its way, with this id.", WebhookTest { event_id: EventId::parse(EVENT)? })
        .refuses([NotFound, RateLimited { retry_after: 1 }]))
}
