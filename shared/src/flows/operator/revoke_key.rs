//! Revoking an organization's API key in its stead: when one has leaked, or its organization cannot.

use super::trail;
use crate::api_keys::Status;
use crate::app::App;
use crate::failure::Failure;
use crate::flows::trail::Trail;
use crate::flows::{DescribedKey, Origin, Refusal, WRITE_TRIES};
use crate::ids::{KeyId, OrgId};
use crate::store::{RevokeKeyOutcome, Revoker};

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
        let now = app.clock.now_seconds();
        let (record, active) = app.store.key_and_active(org, id).await?;
        let mut record = record.ok_or(Refusal::NotFound)?;
        if record.revoked_at.is_some() {
            trail.note("was_revoked");
            return Ok(DescribedKey { record, status: Status::Revoked });
        }
        let holds_marker = active.is_some_and(|active| active.api_key_id == *id);
        match app.store.revoke_key(&record, holds_marker, Revoker::Operator, now).await? {
            RevokeKeyOutcome::Revoked => {
                record.revoked_at = Some(now);
                return Ok(DescribedKey { record, status: Status::Revoked });
            }
            RevokeKeyOutcome::Changed => {}
        }
    }
    Err(Failure::Contended.into())
}
