//! Organizations.

use organizations::SwitchEnvironment;
use serde_json::json;
use shared::api_keys::Env;
use shared::flows::Refusal::{
    InsufficientRole, OnboardingIncomplete, OrganizationSuspended, SessionOver, WrongOrganization,
};
use shared::ids::InvalidId;

use super::samples::{ORGANIZATION, organization};
use crate::operation::{Caller, Operation, in_path};

const ITS_ID: &str = "The organization's id.";

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![own()?, by_id()?, switch()?])
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
