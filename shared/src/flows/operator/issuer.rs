//! Naming the issuer of access tokens: once, before or after the first keys are made.

use super::trail;
use crate::app::App;
use crate::flows::{Origin, Refusal};

/// Names the issuer (`iss` of every token, and where its public documents are). The same name again is no harm.
///
/// # Errors
/// [`Refusal::IssuerNamed`] when it has another name: tokens that are out, and whoever verifies them, know it by that one.
pub async fn name_issuer(app: &App, origin: &Origin, issuer: &str) -> Result<(), Refusal> {
    let mut trail = trail(app, "operator.name_issuer", origin);
    trail.target(&issuer);
    let named = match app.store.name_issuer(issuer, &trail.event()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::IssuerNamed),
        Err(error) => Err(error.into()),
    };
    trail.end(named)
}
