//! Changing where an API key may be used from: for the very next call.

use super::list_keys::DescribedKey;
use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::allowed_addresses::AllowedAddresses;
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::ids::KeyId;
use crate::principals::{Principal, UserPrincipal};

const PERMISSION: Permission = Permission::ManageKeys;

/// Lets a key of the user's organization be used from these addresses alone, or from anywhere; what it has already changes nothing.
///
/// # Errors
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`], [`Refusal::NotFound`], [`Refusal::KeyRevoked`].
pub async fn change_key(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
    allowed: &AllowedAddresses,
) -> Result<DescribedKey, Refusal> {
    let mut trail = Trail::of(app, "key.set_addresses", origin, &Principal::User(user.clone()));
    let result = attempt(app, user, id, allowed, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    allowed: &AllowedAddresses,
    trail: &mut Trail<'_>,
) -> Result<DescribedKey, Refusal> {
    // What is no key's id is no key. It is not logged: anything can stand in a path.
    let id = &KeyId::parse(id).map_err(|_| Refusal::NotFound)?;
    trail.target(id);
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (record, _, standing) =
            app.store.key_and_standing(&user.org_id, &user.user_id, &user.session_id, id).await?;
        may_write(standing, PERMISSION, now)?;
        let mut record = record.ok_or(Refusal::NotFound)?;
        if record.revoked_at.is_some() {
            return Err(Refusal::KeyRevoked);
        }
        let was_so = record.allowed_addresses == *allowed;
        if was_so {
            trail.note("was_so");
        }
        let by = writer(user, PERMISSION);
        if was_so || app.store.set_allowed_addresses(&record, allowed, by, &trail.event(), now).await? {
            allowed.clone_into(&mut record.allowed_addresses);
            return Ok(DescribedKey { status: record.status(now), record });
        }
    }
    Err(Failure::Contended.into())
}
