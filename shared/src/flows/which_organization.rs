//! Which of a person's organizations a login leads to (docs/adr/0026-several-organizations.md).

use super::Refusal;
use crate::app::App;
use crate::ids::OrgId;
use crate::organizations::Organization;
use crate::store::Member;
use crate::users::{Identity, Role, User};

/// Why a login leads nowhere.
pub(super) enum Nowhere {
    /// They are a member of suspended organizations alone.
    Suspended,
    /// They are a member of none.
    NoMember,
}

/// The organization used last; where that is gone or suspended, another one. Somebody who is no member anywhere has nothing to log in to, which looks
/// like a wrong password.
pub(super) async fn last_used(app: &App, user: User) -> Result<Identity, Refusal> {
    let (organization, role) = app.store.organization_and_role(&user.org_id, &user.user_id).await?;
    let here = organization.zip(role);
    let is_member = here.is_some();
    let User { user_id, email, full_name, org_id, .. } = user;
    let mut identity =
        Identity { user_id, org_id, email, full_name, role: Role::Viewer, has_onboarded: false };
    if let Some((organization, role)) = here.filter(|(organization, _)| organization.is_active) {
        lead_to(&mut identity, &organization, role);
        return Ok(identity);
    }
    match another(app, &mut identity).await? {
        Ok(()) => Ok(identity),
        Err(Nowhere::NoMember) if !is_member => Err(Refusal::InvalidCredentials),
        // Their one membership can be of older code, which nothing points to.
        Err(_) => Err(Refusal::OrganizationSuspended),
    }
}

/// Another organization of theirs: the active one that they joined first.
pub(super) async fn another(app: &App, identity: &mut Identity) -> Result<Result<(), Nowhere>, Refusal> {
    let all = app.store.memberships_of(&identity.user_id).await?;
    let joined = |it: &&(Organization, Member)| (it.1.joined_at, it.0.id.clone());
    match all.iter().filter(|(organization, _)| organization.is_active).min_by_key(joined) {
        Some((organization, member)) => {
            lead_to(identity, organization, member.role);
            Ok(Ok(()))
        }
        None if all.is_empty() => Ok(Err(Nowhere::NoMember)),
        None => Ok(Err(Nowhere::Suspended)),
    }
}

/// The organization that they ask for, if it is one of theirs. What is no id is none of theirs either.
pub(super) async fn wanted(app: &App, identity: &mut Identity, org: &str) -> Result<(), Refusal> {
    if org == identity.org_id.as_str() {
        return Ok(());
    }
    let org = OrgId::parse(org).map_err(|_| Refusal::WrongOrganization)?;
    let (organization, role) = app.store.organization_and_role(&org, &identity.user_id).await?;
    let (organization, role) = organization.zip(role).ok_or(Refusal::WrongOrganization)?;
    if !organization.is_active {
        return Err(Refusal::OrganizationSuspended);
    }
    lead_to(identity, &organization, role);
    Ok(())
}

fn lead_to(identity: &mut Identity, organization: &Organization, role: Role) {
    identity.org_id = organization.id.clone();
    identity.role = role;
    identity.has_onboarded = organization.has_onboarded();
}
