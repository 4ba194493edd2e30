//! Mails that strangers can have sent: how often, and alike whoever they are to. `docs/adr/0021-sign-up.md`.

use super::Refusal;
use super::trail::Trail;
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::guards::{Guard, GuardKind};
use crate::store::Counted;

/// What whoever asks is told in every case.
pub const ON_ITS_WAY: &str = "Look into your mailbox: we have sent you a mail.";

/// Counts a mail to an address before anything is hashed, read or sent for it: at its guards of these kinds and at the network's. What it
/// answers depends on what was asked before, not on who has the address.
pub(super) async fn count<const N: usize>(
    app: &App,
    trail: &Trail<'_>,
    address: &EmailAddress,
    kinds: [GuardKind; N],
    now: i64,
) -> Result<(), Refusal> {
    let guards = Guard::mails(address, kinds, trail.network());
    match app.store.count_guess(&guards, &|guard| trail.locked(guard), now).await? {
        Counted::Counted => Ok(()),
        Counted::Locked { until } => Err(Refusal::RateLimited { retry_after: until - now }),
    }
}
