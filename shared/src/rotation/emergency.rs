//! What is done to the signing keys outside of a rotation: the drill for a key that leaked, the first key there is, and the cleaning up.

use super::ledger;
use super::signing::signers;
use super::{Report, RotationError, current, json_of, read};
use crate::app::App;
use crate::crypto;
use crate::deadline;
use crate::failure::Failure;
use crate::secrets::Which;
use crate::secrets::successors::SigningValue;
use crate::secrets::versions::Versions;

/// How often the drill is tried that meets a rotation, or another drill.
const TRIES: usize = 3;

/// The emergency drill: the key `kid` is withdrawn for ever. If it signs, the next key takes its place at once; if it is the next key,
/// a fresh one does. Done again, it changes nothing.
///
/// Our authorizers refuse the key as soon as their key set is a minute old. A rotation that is under way is given up.
///
/// # Errors
/// When nobody ever heard of the key, or the drill cannot be carried out for now: call it again.
pub async fn kill_signing_key(app: &App, kid: &str, invocation: &str) -> Result<Report, RotationError> {
    let mut report = Report::new("signing", invocation);
    let result = deadline::call(kill(app, kid, &mut report)).await;
    report.end(result)
}

async fn kill(app: &App, kid: &str, report: &mut Report) -> Result<(), RotationError> {
    let replaced = replace(app, kid, report).await?;
    let ledger = app.store.key_ledger().await?.unwrap_or_default();
    if !replaced && !ledger.has_name(kid) && !ledger.is_killed(kid) {
        return Err(RotationError::UnknownKey);
    }
    // Last, so that whoever may no longer sign with it finds its successor in the secret.
    let now = app.clock.now_seconds();
    ledger::change(app, report, |ledger| {
        Ok(if ledger.kill(kid, now) { vec![(kid.to_owned(), "killed")] } else { Vec::new() })
    })
    .await
}

/// Takes the key out of the secret, if it is there.
async fn replace(app: &App, kid: &str, report: &mut Report) -> Result<bool, RotationError> {
    let versions = app.secrets.versions(Which::Signing);
    for _ in 0..TRIES {
        let stages = versions.stages().await?;
        let (version, value) =
            current::<SigningValue>(&versions, &stages).await?.ok_or(RotationError::NoValue)?;
        let now = app.clock.now_seconds();
        let Some(without) = value.without(kid, &version, now, app.rng.as_ref())? else {
            return Ok(false);
        };
        if put_in_place(app, &versions, &without, Some(&version), report).await? {
            report.note(without.signer()?.kid(), "signs");
            return Ok(true);
        }
    }
    Err(Failure::Contended.into())
}

/// The first value, for where no rotation can make it: a secret that has one is left as it is.
///
/// # Errors
/// When it cannot be made for now: call it again.
pub async fn make_first(app: &App, invocation: &str) -> Result<Report, RotationError> {
    let mut report = Report::new("signing", invocation);
    let result = deadline::call(first(app, &mut report)).await;
    report.end(result)
}

async fn first(app: &App, report: &mut Report) -> Result<(), RotationError> {
    let versions = app.secrets.versions(Which::Signing);
    if versions.stages().await?.current().is_none() {
        let value = SigningValue::first(app.clock.now_seconds(), app.rng.as_ref())?;
        if put_in_place(app, &versions, &value, None, report).await? {
            report.note(value.signer()?.kid(), "signs");
        }
    }
    Ok(())
}

/// Publishes the keys of a value and makes it the current one, if `from` still is. It takes the label of a rotation that is under way,
/// which then ends: what that one made was made from a value that is out of date.
async fn put_in_place(
    app: &App,
    versions: &Versions<'_>,
    value: &SigningValue,
    from: Option<&str>,
    report: &mut Report,
) -> Result<bool, RotationError> {
    let (keys, now) = (signers(value)?, app.clock.now_seconds());
    ledger::change(app, report, |ledger| ledger::publish(ledger, &keys, now)).await?;
    let token = crypto::new_name(app.rng.as_ref());
    versions.put_pending(&token, &json_of(value)?).await?;
    let done = versions.make_current(&token, from).await;
    versions.end_pending(&token).await?;
    Ok(done?)
}

/// Publishes what the current value needs, retires what it does not, and drops what was retired for long enough. Once a day, and
/// after a backup of the table was restored.
///
/// # Errors
/// When it cannot be done for now: the next day does it.
pub async fn clean_up(app: &App, invocation: &str) -> Result<Report, RotationError> {
    let mut report = Report::new("signing", invocation);
    let result = deadline::call(tidy(app, &mut report)).await;
    report.end(result)
}

async fn tidy(app: &App, report: &mut Report) -> Result<(), RotationError> {
    let versions = app.secrets.versions(Which::Signing);
    let stages = versions.stages().await?;
    let Some((version, value)) = current::<SigningValue>(&versions, &stages).await? else {
        return Ok(());
    };
    let mut in_use = signers(&value)?;
    let published = in_use.len();
    // What a rotation under way has published is in use, too; but that is for the rotation to say.
    if let Some(pending) = stages.pending().filter(|pending| *pending != version)
        && let Some(value) = read::<SigningValue>(&versions, pending).await?
    {
        in_use.extend(signers(&value)?);
    }
    let now = app.clock.now_seconds();
    ledger::change(app, report, |ledger| {
        let mut notes = ledger::publish(ledger, in_use.get(..published).unwrap_or_default(), now)?;
        notes.extend(ledger::tidy(ledger, &in_use, now));
        Ok(notes)
    })
    .await
}
