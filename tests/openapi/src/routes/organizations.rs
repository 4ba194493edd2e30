//! Organizations.

use organizations::{AuditEvent, AuditEvents, AuditPage, ChangeOrganization, SwitchEnvironment};
use serde_json::json;
use shared::api_keys::Env;
use shared::flows::Refusal::{
    InsufficientRole, OnboardingIncomplete, OrganizationSuspended, SessionOver, WrongOrganization,
};
use shared::ids::{EventId, InvalidId};

use super::member;
use super::samples::{KEY, ORGANIZATION, USER, minutes_later, organization};
use crate::operation::{Caller, MakeSchema, Operation, Parameter, in_path};

const ITS_ID: &str = "The organization's id.";

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![own()?, by_id()?, rename()?, switch()?, audit()?])
}

fn own() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("get", "/api/v1/organizations/me"),
        ("Organizations", "ownOrganization"),
        "The organization that the credential belongs to",
        "",
    )
    .for_a(Caller::PersonOrKey)
    .answers(200, "The organization.", organization(Env::Test)?)
    .refuses([WrongOrganization, OrganizationSuspended]))
}

fn by_id() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("get", "/api/v1/organizations/{id}"),
        ("Organizations", "organization"),
        "An organization by its id",
        "Every id but one's own is 403, whether there is such an organization or not.",
    )
    .for_a(Caller::PersonOrKey)
    .with(in_path("id", ITS_ID, ORGANIZATION))
    .answers(200, "The organization.", organization(Env::Test)?)
    .refuses([WrongOrganization, OrganizationSuspended]))
}

fn switch() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("put", "/api/v1/organizations/{id}/environment"),
        ("Organizations", "switchEnvironment"),
        "Go live, or back to testing",
        "Going live needs a completed onboarding and enabled payments. Keys that exist stay what they are. Roles: owner, admin.",
    )
    .for_a(Caller::Person)
    .with(in_path("id", ITS_ID, ORGANIZATION))
    .takes::<SwitchEnvironment>(json!({ "env": "live" }))
    .answers(200, "The organization, in that environment.", organization(Env::Live)?)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, OnboardingIncomplete]))
}

fn rename() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("patch", "/api/v1/organizations/{id}"),
        ("Organizations", "renameOrganization"),
        "Give an organization another name",
        "Roles: owner, admin.",
    )
    .for_a(Caller::Person)
    .with(in_path("id", ITS_ID, ORGANIZATION))
    .takes::<ChangeOrganization>(json!({ "name": "Example Shop" }))
    .answers(200, "The organization, under that name.", organization(Env::Test)?)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole]))
}

fn audit() -> Result<Operation, InvalidId> {
    let event = AuditEvent {
        event_id: EventId::parse("evt_01KB0V9A7D8G1N4R7V2Z5X3CQE")?,
        at: minutes_later(30),
        action: "key.create".to_owned(),
        reason: None,
        actor: Some(USER.to_owned()),
        target: Some(KEY.to_owned()),
        network: Some("203.0.113.0/24".to_owned()),
        request_id: Some("c6af9ac6-7b61-11e6-9a41-93e8deadbeef".to_owned()),
    };
    let page = AuditEvents { next_cursor: None, events: vec![event] };
    let operation = Operation::new(
        ("get", "/api/v1/organizations/{id}/audit"),
        ("Organizations", "auditTrail"),
        "What was done to an organization, and by whom, newest first",
        "Every change leaves an event; looking at things leaves none. Filters narrow each other. A page can hold fewer events than its \
         limit, or none, and have a `next_cursor`: follow it until it is null. Roles: owner, admin.",
    )
    .for_a(Caller::Person)
    .with(in_path("id", ITS_ID, ORGANIZATION));
    let asked: [(&str, &str, MakeSchema); 6] = [
        ("limit", "At most so many events.", |generator| member::<AuditPage>(generator, "limit")),
        ("cursor", "The `next_cursor` of the page before.", |generator| {
            member::<AuditPage>(generator, "cursor")
        }),
        ("action", "Of this action alone.", |generator| member::<AuditPage>(generator, "action")),
        ("actor", "By this actor alone.", |generator| member::<AuditPage>(generator, "actor")),
        ("from", "At this time or later.", |generator| member::<AuditPage>(generator, "from")),
        ("to", "Before this time.", |generator| member::<AuditPage>(generator, "to")),
    ];
    let asked = asked.into_iter().map(|(name, about, schema)| Parameter {
        place: "query",
        name,
        about,
        schema,
        example: None,
    });
    Ok(asked.fold(operation, Operation::with).answers(200, "A page of them.", page).refuses([
        SessionOver,
        WrongOrganization,
        OrganizationSuspended,
        InsufficientRole,
    ]))
}
