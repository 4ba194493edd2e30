//! What was done to an organization, newest first.

use super::trail::Trail;
use super::{Origin, Refusal, may_write};
use crate::app::App;
use crate::audit::{Chain, Event};
use crate::authz::Permission;
use crate::ids::EventId;
use crate::principals::{Principal, UserPrincipal};
use crate::store::EventFilter;

/// One page.
#[derive(Debug)]
pub struct ListedEvents {
    /// Newest first. Fewer than were asked for, or none, does not say that there are no more.
    pub events: Vec<Event>,
    /// Behind which event the next page begins, if there may be one.
    pub next: Option<EventId>,
}

/// One page of the events of the user's organization. Who may see them is looked up: what a token says of it can be 15 minutes old.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`].
pub async fn list_events(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
    filter: &EventFilter,
) -> Result<ListedEvents, Refusal> {
    let trail = Trail::of(app, "audit.list", origin, &Principal::User(user.clone()));
    trail.end_look(look(app, user, id, filter).await)
}

async fn look(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    filter: &EventFilter,
) -> Result<ListedEvents, Refusal> {
    if id != user.org_id.as_str() {
        return Err(Refusal::WrongOrganization);
    }
    let standing = app.store.standing(&user.org_id, &user.user_id, &user.session_id).await?;
    may_write(standing, Permission::ReadAudit, app.clock.now_seconds())?;
    // Nothing of the trail is read for whoever may not see it.
    let page = app.store.event_page(&Chain::Organization(user.org_id.clone()), filter).await?;
    Ok(ListedEvents { events: page.events, next: page.next })
}
