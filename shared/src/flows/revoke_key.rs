//! Revoking an API key: refused from the very next call.

use super::list_keys::DescribedKey;
use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::api_keys::{ActiveKey, KeyRecord, Status};
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::ids::KeyId;
use crate::principals::{Principal, UserPrincipal};
use crate::store::{RevokeKeyOutcome, Revoker};

/// Revokes a key of the user's organization; revoking it again gives the same record again.
///
/// # Errors
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`], [`Refusal::NotFound`].
pub async fn revoke_key(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
) -> Result<DescribedKey, Refusal> {
    let mut trail = Trail::of(app, "key.revoke", origin, &Principal::User(user.clone()));
    let result = attempt(app, user, id, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    trail: &mut Trail<'_>,
) -> Result<DescribedKey, Refusal> {
    // What is no key's id is no key. It is not logged: anything can stand in a path.
    let id = &KeyId::parse(id).map_err(|_| Refusal::NotFound)?;
    trail.target(id);
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (record, active, standing) =
            app.store.key_and_standing(&user.org_id, &user.user_id, &user.session_id, id).await?;
        may_write(standing, Permission::ManageKeys, now)?;
        let record = record.ok_or(Refusal::NotFound)?;
        let by = Revoker::Member(writer(user, Permission::ManageKeys));
        if let Some(revoked) = revoke_as_read(app, record, active, by, trail).await? {
            return Ok(revoked);
        }
    }
    Err(Failure::Contended.into())
}

/// Revokes a key that was just read, with the organization's active one. `None`: something changed since, look again.
pub(super) async fn revoke_as_read(
    app: &App,
    mut record: KeyRecord,
    active: Option<ActiveKey>,
    by: Revoker<'_>,
    trail: &mut Trail<'_>,
) -> Result<Option<DescribedKey>, Refusal> {
    if record.revoked_at.is_some() {
        trail.note("was_revoked");
        return Ok(Some(DescribedKey { record, status: Status::Revoked }));
    }
    let now = app.clock.now_seconds();
    let holds_marker = active.is_some_and(|active| active.api_key_id == record.api_key_id);
    match app.store.revoke_key(&record, holds_marker, by, &trail.event(), now).await? {
        RevokeKeyOutcome::Revoked => {
            record.revoked_at = Some(now);
            Ok(Some(DescribedKey { record, status: Status::Revoked }))
        }
        RevokeKeyOutcome::Changed => Ok(None),
    }
}
