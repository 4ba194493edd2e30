//! A person changes their second factors: `docs/adr/0023-second-factors.md`.

mod begin;
mod confirm;
mod prove;
mod remake;
mod remove;
mod show;

pub use begin::{TotpBegun, begin_totp};
pub use confirm::confirm_totp;
pub use prove::Proof;
pub use remake::remake_backup_codes;
pub use remove::remove_totp;
pub use show::{Factors, factors};

use super::trail::Trail;
use super::{MEMBER, Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::audit::Event;
use crate::causes::causes;
use crate::factors::{BackupCode, PendingTotp};
use crate::guards::Guard;
use crate::mail::Letter;
use crate::principals::UserPrincipal;
use crate::secrets::RotatingKey;
use crate::store::{Counted, FactorsChange};
use crate::users::User;

/// Whoever changes their factors, as they stand now.
struct Person<'a> {
    by: &'a UserPrincipal,
    address: EmailAddress,
    address_hash: String,
    user: User,
    pending: Option<PendingTotp>,
}

impl<'a> Person<'a> {
    /// Two reads: how they stand, which says who they are, and then they.
    async fn read(app: &App, by: &'a UserPrincipal) -> Result<Self, Refusal> {
        let standing = app.store.standing(&by.org_id, &by.user_id, &by.session_id).await?;
        let email = standing.session.as_ref().map(|session| session.identity.email.clone());
        may_write(standing, MEMBER, app.clock.now_seconds())?;
        let address = email.and_then(|email| EmailAddress::parse(&email).ok()).ok_or(Refusal::SessionOver)?;
        let address_hash = address.hash();
        let (user, pending) = app.store.user_and_pending_totp(&address_hash, &by.user_id).await?;
        let user = user.filter(|user| user.user_id == by.user_id).ok_or(Refusal::SessionOver)?;
        Ok(Self { by, address, address_hash, user, pending })
    }

    /// A change of theirs, with its event.
    fn change<'b>(&'b self, origin: &'b Origin, event: &'b Event, now: i64) -> FactorsChange<'b> {
        FactorsChange {
            by: writer(self.by, MEMBER),
            address_hash: &self.address_hash,
            user: &self.user,
            network: &origin.network,
            event,
            now,
        }
    }

    /// Counts a guess at all of these guards, or at none, before anything is judged.
    async fn count(&self, app: &App, guards: &[Guard], trail: &Trail<'_>, now: i64) -> Result<(), Refusal> {
        match app.store.count_guess(guards, &|guard| trail.locked(guard), now).await? {
            Counted::Counted => Ok(()),
            Counted::Locked { until } => Err(Refusal::TooManyAttempts { retry_after: until - now }),
        }
    }

    /// Tells them by mail. What was changed stays changed, and its event is written: a mail that cannot be sent fails nothing any more.
    async fn tell(&self, app: &App, origin: &Origin, letter: &Letter) {
        tell(app, origin, &self.user.email, letter).await;
    }
}

/// Sends a notice of what was done already.
pub(super) async fn tell(app: &App, origin: &Origin, email: &str, letter: &Letter) {
    if let Err(error) = app.mailer.send(email, letter).await {
        tracing::error!(request_id = origin.request_id, cause = causes(&error), "nobody was told by mail");
    }
}

/// Ten new backup codes, and their hashes.
fn new_backup_codes(app: &App, keys: &RotatingKey, user: &User) -> (Vec<BackupCode>, Vec<String>) {
    let codes = BackupCode::generate(app.rng.as_ref());
    let hashes = codes.iter().map(|code| code.hash(keys.current(), &user.user_id)).collect();
    (codes, hashes)
}
