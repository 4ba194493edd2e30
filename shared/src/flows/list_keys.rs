//! An organization's API keys, newest first.

use super::trail::Trail;
use super::{Origin, Refusal};
use crate::api_keys::{KeyRecord, Status};
use crate::app::App;
use crate::ids::KeyId;
use crate::principals::{Principal, UserPrincipal};

/// A record, and what the key is good for now.
#[derive(Debug)]
pub struct DescribedKey {
    /// The record.
    pub record: KeyRecord,
    /// What the key is good for now.
    pub status: Status,
}

/// One page.
#[derive(Debug)]
pub struct ListedKeys {
    /// Newest first.
    pub keys: Vec<DescribedKey>,
    /// After which key the next page begins, if there is one.
    pub next: Option<KeyId>,
}

/// One page of the keys of the user's organization. Every role may look.
///
/// # Errors
/// [`Refusal::OrganizationSuspended`].
pub async fn list_keys(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    limit: usize,
    after: Option<&KeyId>,
) -> Result<ListedKeys, Refusal> {
    let trail = Trail::of(app, "key.list", origin, &Principal::User(user.clone()));
    trail.end_look(look(app, user, limit, after).await)
}

async fn look(
    app: &App,
    user: &UserPrincipal,
    limit: usize,
    after: Option<&KeyId>,
) -> Result<ListedKeys, Refusal> {
    let (organization, page) = tokio::try_join!(
        app.store.organization(&user.org_id),
        app.store.key_page(&user.org_id, limit, after)
    )?;
    if !organization.is_some_and(|organization| organization.is_active) {
        return Err(Refusal::OrganizationSuspended);
    }
    let now = app.clock.now_seconds();
    let next = page.records.last().filter(|_| page.more).map(|record| record.api_key_id.clone());
    let keys =
        page.records.into_iter().map(|record| DescribedKey { status: record.status(now), record }).collect();
    Ok(ListedKeys { keys, next })
}
