//! Giving an organization another name.

use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::organizations::Organization;
use crate::principals::{Principal, UserPrincipal};

const PERMISSION: Permission = Permission::EditOrganization;

/// Gives an organization a name; the one it has changes nothing.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`].
pub async fn rename_organization(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
    name: &str,
) -> Result<Organization, Refusal> {
    let mut trail = Trail::of(app, "organization.rename", origin, &Principal::User(user.clone()));
    let result = attempt(app, user, id, name, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    name: &str,
    trail: &mut Trail<'_>,
) -> Result<Organization, Refusal> {
    if id != user.org_id.as_str() {
        return Err(Refusal::WrongOrganization);
    }
    trail.target(&user.org_id);
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let standing = app.store.standing(&user.org_id, &user.user_id, &user.session_id).await?;
        let mut organization = may_write(standing, PERMISSION, now)?;
        if organization.name == name {
            trail.note("was_so");
            return Ok(organization);
        }
        if app.store.rename_organization(writer(user, PERMISSION), name, &trail.event(), now).await? {
            name.clone_into(&mut organization.name);
            organization.updated_at = now;
            return Ok(organization);
        }
        // Session, role, organization or name changed since they were read: look again.
    }
    Err(Failure::Contended.into())
}
