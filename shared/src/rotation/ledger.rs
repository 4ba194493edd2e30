//! Changes of the published keys, of which none is lost to another.

use super::{Report, RotationError};
use crate::app::App;
use crate::failure::Failure;
use crate::signer::Signer;
use crate::tokens::key_ledger::KeyLedger;

/// How often a change is tried that meets another one.
const TRIES: usize = 5;

/// What became of which key.
pub(super) type Notes = Vec<(String, &'static str)>;

/// Changes the ledger: reads it, and writes it if nobody else did so in between. `change` gives what is worth telling.
pub(super) async fn change(
    app: &App,
    report: &mut Report,
    change: impl Fn(&mut KeyLedger) -> Result<Notes, RotationError>,
) -> Result<(), RotationError> {
    let mut mine: Option<(KeyLedger, Notes)> = None;
    for _ in 0..TRIES {
        let found = app.store.key_ledger().await?;
        // A write whose answer was lost was tried again, and then refused because of itself.
        if let Some((_, notes)) = mine.take().filter(|(ledger, _)| found.as_ref() == Some(ledger)) {
            return tell(report, notes);
        }
        let seen = found.as_ref().map(|ledger| ledger.revision);
        let mut ledger = found.clone().unwrap_or_default();
        // Named once, here or by an operator, whoever comes first.
        let named = ledger.issuer.is_empty() && !app.issuer.is_empty();
        if named {
            ledger.issuer.clone_from(&app.issuer);
        }
        let notes = change(&mut ledger)?;
        if found.as_ref() == Some(&ledger) {
            return tell(report, notes);
        }
        ledger.revision = seen.unwrap_or_default() + 1;
        let mut events: Vec<_> = notes.iter().map(|(target, what)| report.event(app, target, what)).collect();
        if named {
            events.push(report.event(app, &ledger.issuer, "issuer_named"));
        }
        if app.store.put_key_ledger(&ledger, seen, &events).await? {
            return tell(report, notes);
        }
        mine = Some((ledger, notes));
    }
    Err(Failure::Contended.into())
}

fn tell(report: &mut Report, notes: Notes) -> Result<(), RotationError> {
    for (target, what) in notes {
        report.note(&target, what);
    }
    Ok(())
}

/// Publishes what is not published yet.
pub(super) fn publish(ledger: &mut KeyLedger, signers: &[Signer], now: i64) -> Result<Notes, RotationError> {
    let mut notes = Notes::new();
    for signer in signers {
        if ledger.publish(&signer.public_key(), now)? {
            notes.push((signer.kid().to_owned(), "published"));
        }
    }
    Ok(notes)
}

/// Retires what is not in use, and drops what nothing needs any more.
pub(super) fn tidy(ledger: &mut KeyLedger, in_use: &[Signer], now: i64) -> Notes {
    let kids: Vec<&str> = in_use.iter().map(Signer::kid).collect();
    let retired = ledger.retire_all_but(&kids, now).into_iter().map(|kid| (kid, "retired"));
    let mut notes: Notes = retired.collect();
    let dropped = ledger.drop_expired(super::RETIRED_SECONDS, now);
    notes.extend(dropped.into_iter().map(|kid| (kid, "dropped")));
    notes
}
