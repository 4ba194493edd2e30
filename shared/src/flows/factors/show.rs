//! Which second factors a person has.

use super::super::trail::Trail;
use super::{Origin, Person, Refusal};
use crate::app::App;
use crate::principals::{Principal, UserPrincipal};

/// A person's second factors.
#[derive(Debug)]
pub struct Factors {
    /// Since when an authenticator app is on. Seconds since the epoch.
    pub totp_since: Option<i64>,
    /// How many backup codes are left.
    pub backup_codes_left: usize,
}

/// Shows them, without their secrets.
///
/// # Errors
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn factors(app: &App, origin: &Origin, user: &UserPrincipal) -> Result<Factors, Refusal> {
    let trail = Trail::of(app, "factors.show", origin, &Principal::User(user.clone()));
    let looked = Person::read(app, user).await.map(|person| Factors {
        totp_since: person.user.totp.map(|totp| totp.since),
        backup_codes_left: person.user.backup_codes.len(),
    });
    trail.end_look(looked)
}
