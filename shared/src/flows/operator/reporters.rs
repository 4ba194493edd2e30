//! Whose reports of leaked keys are believed.

use super::trail;
use crate::app::App;
use crate::flows::{Origin, Refusal};
use crate::leaks::ReporterKey;

/// Believes reports that are signed with this key, from the next one on.
///
/// # Errors
/// [`Refusal::Failed`] alone.
pub async fn trust_reporter(app: &App, origin: &Origin, key: &ReporterKey) -> Result<(), Refusal> {
    let mut trail = trail(app, "operator.trust_leak_reporter", origin);
    trail.target(&key.key_identifier);
    let trusted = app.store.trust_reporter_key(key, &trail.event()).await;
    let trusted = trusted.map_err(Refusal::from).map(|news| {
        if !news {
            trail.note("was_so");
        }
    });
    trail.end(trusted)
}

/// Believes reports that are signed with this key no longer.
///
/// # Errors
/// [`Refusal::Failed`] alone.
pub async fn distrust_reporter(app: &App, origin: &Origin, key_identifier: &str) -> Result<(), Refusal> {
    let mut trail = trail(app, "operator.distrust_leak_reporter", origin);
    trail.target(&key_identifier);
    let distrusted = app.store.distrust_reporter_key(key_identifier, &trail.event()).await;
    let distrusted = distrusted.map_err(Refusal::from).map(|news| {
        if !news {
            trail.note("was_so");
        }
    });
    trail.end(distrusted)
}
