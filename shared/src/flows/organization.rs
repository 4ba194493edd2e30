//! An organization, as its people and its servers see it.

use super::trail::Trail;
use super::{Origin, Refusal};
use crate::app::App;
use crate::ids::OrgId;
use crate::organizations::Organization;
use crate::principals::Principal;

/// The principal's own organization. With an id that is not its own, nothing is read: whether that organization exists is
/// nobody else's business.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::OrganizationSuspended`].
pub async fn organization(
    app: &App,
    origin: &Origin,
    principal: &Principal,
    id: Option<&str>,
) -> Result<Organization, Refusal> {
    let trail = Trail::of(app, "organization.show", origin, principal);
    trail.end_look(look(app, principal, id).await)
}

async fn look(app: &App, principal: &Principal, id: Option<&str>) -> Result<Organization, Refusal> {
    let own: &OrgId = principal.org_id();
    if id.is_some_and(|id| id != own.as_str()) {
        return Err(Refusal::WrongOrganization);
    }
    let organization = app.store.organization(own).await?.ok_or(Refusal::WrongOrganization)?;
    if !organization.is_active {
        return Err(Refusal::OrganizationSuspended);
    }
    Ok(organization)
}
