//! Logging out: the session is over, and its refresh token dead at once.

use super::trail::Trail;
use super::{Origin, Refusal};
use crate::app::App;
use crate::principals::{Principal, UserPrincipal};

/// Ends the session. Ending one that is over is as good.
pub async fn logout(app: &App, origin: &Origin, user: &UserPrincipal) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "logout", origin, &Principal::User(user.clone()));
    trail.target(&user.session_id);
    let event = trail.event();
    let ended = app.store.revoke_session(&user.session_id, &event, app.clock.now_seconds()).await;
    if matches!(ended, Ok(false)) {
        trail.note("was_over");
    }
    trail.end(ended.map(|_| ()).map_err(Refusal::from))
}
