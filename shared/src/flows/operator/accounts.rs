//! People's accounts: opening what wrong guesses shut, and ending sessions.

use super::trail;
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::flows::{Origin, Refusal};
use crate::ids::UserId;

/// Opens every guard of an address; gives how many there were. It works for an address nobody has as well: guards exist for those too.
/// What was done to somebody's address is in their organization's audit trail.
pub async fn unlock_account(app: &App, origin: &Origin, address: &EmailAddress) -> Result<usize, Refusal> {
    let mut trail = trail(app, "operator.unlock_account", origin);
    trail.address(address);
    let result = async {
        if let Some(user) = app.store.user(address).await? {
            trail.actor(&"operator", &user.org_id);
            trail.target(&user.user_id);
        }
        Ok(app.store.open_guards(address, &|| trail.event()).await?)
    }
    .await;
    trail.end(result)
}

/// Ends all of a person's sessions: they refresh and write nothing from the next call on. Access tokens that are out live on for
/// their 15 minutes, for reading.
///
/// # Errors
/// [`Refusal::NotFound`] when nobody has this address.
pub async fn end_sessions(app: &App, origin: &Origin, address: &EmailAddress) -> Result<UserId, Refusal> {
    let mut trail = trail(app, "operator.end_sessions", origin);
    trail.address(address);
    let result = async {
        let user = app.store.user(address).await?.ok_or(Refusal::NotFound)?;
        trail.actor(&"operator", &user.org_id);
        trail.target(&user.user_id);
        let now = app.clock.now_seconds();
        let event = trail.event();
        let organizations = super::super::organizations_of(app, &user).await?;
        app.store
            .end_sessions(&user.user_id, &organizations, None, &event, now)
            .await
            .map_err(super::missing)?;
        Ok(user.user_id)
    }
    .await;
    trail.end(result)
}
