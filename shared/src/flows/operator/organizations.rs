//! How far an organization has come, and whether it may act at all.

use super::{missing, trail};
use crate::app::App;
use crate::flows::{Origin, Refusal};
use crate::ids::OrgId;
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};

/// Records how far onboarding and payments have come. Withdrawing payments revokes nothing by itself.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn set_onboarding(
    app: &App,
    origin: &Origin,
    id: &OrgId,
    onboarding: OnboardingStatus,
    payments: PaymentsStatus,
) -> Result<Organization, Refusal> {
    let mut trail = trail(app, "operator.set_onboarding", origin);
    trail.actor(&"operator", id);
    let written = app.store.set_onboarding(id, onboarding, payments, app.clock.now_seconds()).await;
    trail.end(after(app, id, written.map_err(missing)).await)
}

/// Suspends an organization, or reinstates it. Suspended, its key is refused and its sessions refresh and write nothing, from the
/// next call on.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn set_suspended(
    app: &App,
    origin: &Origin,
    id: &OrgId,
    suspended: bool,
) -> Result<Organization, Refusal> {
    let action = if suspended { "operator.suspend_organization" } else { "operator.reinstate_organization" };
    let mut trail = trail(app, action, origin);
    trail.actor(&"operator", id);
    let written = app.store.set_suspended(id, suspended, app.clock.now_seconds()).await;
    trail.end(after(app, id, written.map_err(missing)).await)
}

/// The organization as the write left it.
async fn after(app: &App, id: &OrgId, written: Result<(), Refusal>) -> Result<Organization, Refusal> {
    written?;
    app.store.organization(id).await?.ok_or(Refusal::NotFound)
}
