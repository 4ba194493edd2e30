//! The `codes` and `sealing` secrets: a key, the one before and the one after.

use super::{
    Order, Report, RotationError, Step, check_freshness, current, give_up_if_over, json_of, read, staged,
};
use crate::api_keys;
use crate::app::App;
use crate::challenges;
use crate::deadline;
use crate::secrets::Which;
use crate::secrets::successors::{KeyValue, Move, Rotating};
use crate::secrets::versions::{Put, Stages, Versions};

/// One step of a rotation of the `codes` or the `sealing` secret. Done again, it changes nothing.
///
/// # Errors
/// When the order is not one that may be carried out, or cannot be for now.
pub async fn rotate_key(app: &App, order: &Order<'_>, invocation: &str) -> Result<Report, RotationError> {
    let (which, name, lifetime) = match app.secrets.which(order.secret_id) {
        Some(Which::Codes) => (Which::Codes, "codes", challenges::LIFETIME_SECONDS),
        Some(Which::Sealing) => (Which::Sealing, "sealing", api_keys::IDEMPOTENCY_SECONDS),
        Some(Which::Signing) | None => {
            return Report::new("unknown", invocation).end(Err(RotationError::NotOurs));
        }
    };
    let mut report = Report::new(name, invocation);
    let versions = app.secrets.versions(which);
    let result = deadline::call(step(app, &versions, order, lifetime, &mut report)).await;
    report.end(result)
}

async fn step(
    app: &App,
    versions: &Versions<'_>,
    order: &Order<'_>,
    lifetime: i64,
    report: &mut Report,
) -> Result<(), RotationError> {
    let token = order.token;
    let stages = staged(versions, token).await?;
    let result = match order.step {
        Step::Create => create(app, versions, &stages, token, lifetime, report).await,
        // Nobody else has to know a key.
        Step::Set => Ok(()),
        Step::Test => check(app, versions, &stages, token).await.map(|_| ()),
        Step::Finish => finish(app, versions, &stages, token, report).await,
    };
    give_up_if_over(versions, &stages, token, result).await
}

async fn create(
    app: &App,
    versions: &Versions<'_>,
    stages: &Stages,
    token: &str,
    lifetime: i64,
    report: &mut Report,
) -> Result<(), RotationError> {
    if versions.value(token).await?.is_some() {
        return Ok(());
    }
    let (now, rng) = (app.clock.now_seconds(), app.rng.as_ref());
    let (value, moved) = match current::<KeyValue>(versions, stages).await? {
        None => (KeyValue::first(now, rng), Move::Promoted),
        Some((version, value)) => value.successor(&version, lifetime, now, rng),
    };
    if versions.put_pending(token, &json_of(&value)?).await? == Put::Done {
        report.note(token, "made");
        if let Move::LeftAlone(_) = moved {
            report.note(versions.name(), moved.word());
        }
    }
    Ok(())
}

/// Whether the value may take the place of the current one; says whether its key is another.
async fn check(
    app: &App,
    versions: &Versions<'_>,
    stages: &Stages,
    token: &str,
) -> Result<bool, RotationError> {
    let value: KeyValue = read(versions, token).await?.ok_or(RotationError::NotCreated)?;
    if stages.current() == Some(token) {
        return Ok(false);
    }
    check_freshness(&value, stages.current(), app.clock.now_seconds())?;
    match current::<KeyValue>(versions, stages).await? {
        Some((_, current)) if !value.follows(&current) => Err(RotationError::Unfit("the keys do not meet")),
        Some((_, current)) => Ok(!value.has_the_key_of(&current)),
        None => Ok(true),
    }
}

async fn finish(
    app: &App,
    versions: &Versions<'_>,
    stages: &Stages,
    token: &str,
    report: &mut Report,
) -> Result<(), RotationError> {
    let is_another = check(app, versions, stages, token).await?;
    if stages.current() != Some(token) {
        if !versions.make_current(token, stages.current()).await? {
            return Err(RotationError::Stale);
        }
        if is_another {
            report.note(versions.name(), "promoted");
        }
    }
    Ok(versions.end_pending(token).await?)
}
