//! The challenge that a second step, or a code sent again, is about.

use super::Refusal;
use super::trail::Trail;
use crate::app::App;
use crate::challenges::Challenge;
use crate::ids::ChallengeId;

/// Finds a challenge that still takes codes at `now`. An id that is none, one nobody has, and a challenge that is used, expired or
/// tried too often are one and the same to whoever asks.
pub(super) async fn open_challenge(
    app: &App,
    id: &str,
    now: i64,
    trail: &mut Trail<'_>,
) -> Result<Challenge, Refusal> {
    let id = ChallengeId::parse(id).map_err(|_| Refusal::InvalidCode)?;
    trail.target(&id);
    let challenge = app.store.challenge(&id).await?.ok_or(Refusal::InvalidCode)?;
    trail.actor(&challenge.identity.user_id, &challenge.identity.org_id);
    if challenge.is_open(now) { Ok(challenge) } else { Err(Refusal::InvalidCode) }
}
