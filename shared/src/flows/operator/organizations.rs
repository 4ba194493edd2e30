//! How far an organization has come, and whether it may act at all.

use super::{missing, trail};
use crate::app::App;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal};
use crate::ids::OrgId;
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use crate::store::StoreError;

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
    let (event, now) = (trail.event_of("", said(onboarding, payments)), app.clock.now_seconds());
    let written = app.store.set_onboarding(id, onboarding, payments, &event, now).await;
    let result = after(app, id, &mut trail, written).await;
    trail.end(result)
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
    let written = app.store.set_suspended(id, suspended, &|| trail.event(), app.clock.now_seconds()).await;
    let result = after(app, id, &mut trail, written).await;
    trail.end(result)
}

/// What the event says of onboarding and payments.
fn said(onboarding: OnboardingStatus, payments: PaymentsStatus) -> &'static str {
    use OnboardingStatus::{Completed, InProgress, NotStarted};
    use PaymentsStatus::{Disabled, Enabled};
    match (onboarding, payments) {
        (NotStarted, Disabled) => "not_started_disabled",
        (NotStarted, Enabled) => "not_started_enabled",
        (InProgress, Disabled) => "in_progress_disabled",
        (InProgress, Enabled) => "in_progress_enabled",
        (Completed, Disabled) => "completed_disabled",
        (Completed, Enabled) => "completed_enabled",
    }
}

/// The organization as the write left it.
async fn after(
    app: &App,
    id: &OrgId,
    trail: &mut Trail<'_>,
    written: Result<bool, StoreError>,
) -> Result<Organization, Refusal> {
    if !written.map_err(missing)? {
        trail.note("was_so");
    }
    app.store.organization(id).await?.ok_or(Refusal::NotFound)
}
