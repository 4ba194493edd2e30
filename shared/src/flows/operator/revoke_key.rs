//! Revoking an organization's API key in its stead: when one has leaked, or its organization cannot.

use super::trail;
use crate::app::App;
use crate::failure::Failure;
use crate::flows::revoke_key::revoke_as_read;
use crate::flows::trail::Trail;
use crate::flows::{DescribedKey, Origin, Refusal, WRITE_TRIES};
use crate::ids::{KeyId, OrgId};
use crate::store::Revoker;

/// Revokes a key, refused from the very next call; of a suspended organization as well. Revoking it again gives the same record again.
///
/// # Errors
/// [`Refusal::NotFound`] when the organization has no such key.
pub async fn revoke_key(
    app: &App,
    origin: &Origin,
    org: &OrgId,
    id: &KeyId,
) -> Result<DescribedKey, Refusal> {
    let mut trail = trail(app, "operator.revoke_key", origin);
    trail.actor(&"operator", org);
    trail.target(id);
    let result = attempt(app, org, id, &mut trail).await;
    trail.end(result)
}

async fn attempt(app: &App, org: &OrgId, id: &KeyId, trail: &mut Trail<'_>) -> Result<DescribedKey, Refusal> {
    for _ in 0..WRITE_TRIES {
        let (record, active) = app.store.key_and_active(org, id).await?;
        let record = record.ok_or(Refusal::NotFound)?;
        if let Some(revoked) = revoke_as_read(app, record, active, Revoker::Operator, trail).await? {
            return Ok(revoked);
        }
    }
    Err(Failure::Contended.into())
}
