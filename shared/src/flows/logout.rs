//! Logging out: the session is over, and its refresh token dead at once.

use super::trail::Trail;
use super::{Origin, Refusal};
use crate::app::App;
use crate::principals::{Principal, UserPrincipal};

/// Ends the session. Ending one that is over is as good.
pub async fn logout(app: &App, origin: &Origin, user: &UserPrincipal) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "logout", origin, &Principal::User(user.clone()));
    trail.target(&user.session_id);
    let ended = app.store.revoke_session(&user.session_id, app.clock.now_seconds()).await;
    trail.end(ended.map_err(Refusal::from))
}
