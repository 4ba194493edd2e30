//! What the operator does and no route can: called with IAM's rights, so there is no principal to judge. Each action gives the same
//! answer when it is repeated, and leaves one line; what it changed is an event of the organization's, in the same transaction.

mod accounts;
mod create_organization;
mod issuer;
mod organizations;
mod reporters;
mod revoke_key;

pub use accounts::{end_sessions, unlock_account};
pub use create_organization::{NewOrganization, create_organization};
pub use issuer::name_issuer;
pub use organizations::{set_onboarding, set_suspended};
pub use reporters::{distrust_reporter, trust_reporter};
pub use revoke_key::revoke_key;

use super::trail::Trail;
use super::{Origin, Refusal};
use crate::app::App;
use crate::store::StoreError;

/// A trail whose actor is the operator; who that was, CloudTrail knows.
fn trail<'a>(app: &'a App, action: &'static str, origin: &'a Origin) -> Trail<'a> {
    let mut trail = Trail::new(app, action, origin);
    trail.actor(&"operator", &"");
    trail
}

/// A write that failed because what it is about is not there.
fn missing(error: StoreError) -> Refusal {
    match error {
        StoreError::ConditionFailed(_) => Refusal::NotFound,
        error => error.into(),
    }
}
