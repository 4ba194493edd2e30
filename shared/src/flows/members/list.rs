//! Who is in an organization, and what a person is in.

use super::own;
use crate::app::App;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal};
use crate::organizations::Organization;
use crate::principals::{Principal, UserPrincipal};
use crate::store::Member;
use crate::users::Role;

/// An organization that a person is a member of.
#[derive(Debug)]
pub struct ListedOrganization {
    /// The organization.
    pub organization: Organization,
    /// Who they are in it.
    pub member: Member,
    /// Whether it is the one that their session is for.
    pub is_current: bool,
}

/// Everybody in the user's organization: the owner, then by when they joined. Every role may look.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`] for whoever is no member any more.
pub async fn list_members(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
    id: &str,
) -> Result<Vec<Member>, Refusal> {
    let trail = Trail::of(app, "member.list", origin, &Principal::User(by.clone()));
    trail.end_look(look(app, by, id).await)
}

async fn look(app: &App, by: &UserPrincipal, id: &str) -> Result<Vec<Member>, Refusal> {
    own(by, id)?;
    let (organization, members) =
        tokio::try_join!(app.store.organization(&by.org_id), app.store.members(&by.org_id))?;
    if !organization.is_some_and(|organization| organization.is_active) {
        return Err(Refusal::OrganizationSuspended);
    }
    let mut members = members;
    // Who was removed a moment ago has a token still, and no business with people's addresses.
    if members.iter().all(|member| member.user_id != by.user_id) {
        return Err(Refusal::InsufficientRole);
    }
    members.sort_by(|one, other| {
        let place = |it: &Member| (it.role != Role::Owner, it.joined_at);
        place(one).cmp(&place(other)).then_with(|| one.user_id.cmp(&other.user_id))
    });
    Ok(members)
}

/// All that a person is a member of, with their role in each: the session's own first, then by when they joined.
///
/// # Errors
/// [`Refusal::OrganizationSuspended`] when the session's own organization is.
pub async fn list_organizations(
    app: &App,
    origin: &Origin,
    by: &UserPrincipal,
) -> Result<Vec<ListedOrganization>, Refusal> {
    let trail = Trail::of(app, "organization.list", origin, &Principal::User(by.clone()));
    trail.end_look(look_at_all(app, by).await)
}

async fn look_at_all(app: &App, by: &UserPrincipal) -> Result<Vec<ListedOrganization>, Refusal> {
    let all = app.store.memberships_of(&by.user_id).await?;
    let listed = all.into_iter().map(|(organization, member)| ListedOrganization {
        is_current: organization.id == by.org_id,
        organization,
        member,
    });
    let mut listed: Vec<_> = listed.collect();
    if listed.iter().any(|it| it.is_current && !it.organization.is_active) {
        return Err(Refusal::OrganizationSuspended);
    }
    listed.sort_by(|one, other| {
        let place = |it: &ListedOrganization| (!it.is_current, it.member.joined_at);
        place(one).cmp(&place(other)).then_with(|| one.organization.id.cmp(&other.organization.id))
    });
    Ok(listed)
}
