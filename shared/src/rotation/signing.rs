//! The `signing` secret: the published next key becomes the one that signs, and a fresh next one is published.

use super::ledger::{self, Notes};
use super::{
    Order, Report, RotationError, Step, check_freshness, current, give_up_if_over, json_of, read, staged,
};
use crate::app::App;
use crate::deadline;
use crate::ids;
use crate::secrets::successors::{Move, Rotating, SigningValue};
use crate::secrets::versions::{Put, Stages, Versions};
use crate::secrets::{MAX_AGE_SECONDS, Which};
use crate::sessions;
use crate::signer::Signer;
use crate::tokens::access_token::{self, Claims, TokenError};
use crate::tokens::key_ledger::KeyLedger;
use crate::tokens::key_set::{KeySet, Keyring};

/// How long a key is public before it signs, in seconds: whoever looks at the published keys once a day knows it in time.
pub const PUBLIC_BEFORE_SIGNING_SECONDS: i64 = 24 * 60 * 60;
/// How long a key stays published after another took its place, in seconds: an environment may hold the old secret for so long, what
/// it signs then lives so long, and clocks differ.
pub const RETIRED_SECONDS: i64 =
    MAX_AGE_SECONDS + access_token::LIFETIME_SECONDS + access_token::LEEWAY_SECONDS;

/// One step of a rotation of the `signing` secret. Done again, it changes nothing.
///
/// # Errors
/// When the order is not one that may be carried out, or cannot be for now.
pub async fn rotate_signing_key(
    app: &App,
    order: &Order<'_>,
    invocation: &str,
) -> Result<Report, RotationError> {
    let mut report = Report::new("signing", invocation);
    let result = deadline::call(step(app, order, &mut report)).await;
    report.end(result)
}

async fn step(app: &App, order: &Order<'_>, report: &mut Report) -> Result<(), RotationError> {
    if app.secrets.which(order.secret_id) != Some(Which::Signing) {
        return Err(RotationError::NotOurs);
    }
    let versions = app.secrets.versions(Which::Signing);
    let stages = staged(&versions, order.token).await?;
    let turn = Turn { app, versions: &versions, stages: &stages, token: order.token };
    let result = match order.step {
        Step::Create => turn.create(report).await,
        Step::Set => turn.set(report).await,
        Step::Test => turn.test().await,
        Step::Finish => turn.finish(report).await,
    };
    give_up_if_over(&versions, &stages, order.token, result).await
}

struct Turn<'a> {
    app: &'a App,
    versions: &'a Versions<'a>,
    stages: &'a Stages,
    token: &'a str,
}

impl Turn<'_> {
    async fn create(&self, report: &mut Report) -> Result<(), RotationError> {
        let Self { app, versions, stages, token } = *self;
        if versions.value(token).await?.is_some() {
            return Ok(());
        }
        let (now, rng) = (app.clock.now_seconds(), app.rng.as_ref());
        let (value, moves) = match current::<SigningValue>(versions, stages).await? {
            None => (SigningValue::first(now, rng)?, [Move::Promoted; 2]),
            Some((version, value)) => {
                let ledger = app.store.key_ledger().await?.unwrap_or_default();
                let may_sign = value.next_signer()?.is_some_and(|next| may_sign(&ledger, &next, now));
                value.successor(may_sign, &version, sessions::LIFETIME_SECONDS, now, rng)?
            }
        };
        if versions.put_pending(token, &json_of(&value)?).await? == Put::Done {
            report.note(token, "made");
            for (what, moved) in ["signing", "refresh"].into_iter().zip(moves) {
                if let Move::LeftAlone(_) = moved {
                    report.note(what, moved.word());
                }
            }
        }
        Ok(())
    }

    async fn set(&self, report: &mut Report) -> Result<(), RotationError> {
        let now = self.app.clock.now_seconds();
        let made = signers(&self.made().await?)?;
        let mut in_use = others(&made, self.current().await?.as_ref())?;
        in_use.extend(made);
        ledger::change(self.app, report, |ledger| {
            let mut notes = ledger::publish(ledger, &in_use, now)?;
            notes.extend(ledger::tidy(ledger, &in_use, now));
            Ok(notes)
        })
        .await
    }

    async fn test(&self) -> Result<(), RotationError> {
        let (value, current) = (self.made().await?, self.current().await?);
        self.check(&value, current.as_ref()).await
    }

    async fn finish(&self, report: &mut Report) -> Result<(), RotationError> {
        let Self { app, versions, stages, token } = *self;
        let value = self.made().await?;
        if stages.current() != Some(token) {
            let before = self.current().await?;
            self.check(&value, before.as_ref()).await?;
            if !versions.make_current(token, stages.current()).await? {
                return Err(RotationError::Stale);
            }
            tell_promoted(report, &value, before.as_ref())?;
        }
        let in_use = signers(&value)?;
        let now = app.clock.now_seconds();
        ledger::change(app, report, |ledger| Ok(ledger::tidy(ledger, &in_use, now))).await?;
        Ok(versions.end_pending(token).await?)
    }

    /// The value that this rotation made.
    async fn made(&self) -> Result<SigningValue, RotationError> {
        read(self.versions, self.token).await?.ok_or(RotationError::NotCreated)
    }

    /// The current value, unless it is the one that this rotation made.
    async fn current(&self) -> Result<Option<SigningValue>, RotationError> {
        if self.stages.current() == Some(self.token) {
            return Ok(None);
        }
        Ok(current(self.versions, self.stages).await?.map(|(_, value)| value))
    }

    /// Whether the value may take the place of the current one, and what it would sign could be verified.
    async fn check(&self, value: &SigningValue, current: Option<&SigningValue>) -> Result<(), RotationError> {
        let now = self.app.clock.now_seconds();
        if self.stages.current() != Some(self.token) {
            check_freshness(value, self.stages.current(), now)?;
        }
        let ledger = self.app.store.key_ledger().await?.unwrap_or_default();
        let (signer, next) = (value.signer()?, value.next_signer()?.ok_or(RotationError::Unfit("no next"))?);
        if ![&signer, &next].into_iter().all(|it| ledger.has(&it.public_key())) {
            return Err(RotationError::NotPublished);
        }
        if let Some(current) = current {
            if !value.follows(current) {
                return Err(RotationError::Unfit("the refresh keys do not meet"));
            }
            if current.signer()?.kid() != signer.kid() && !may_sign(&ledger, &signer, now) {
                return Err(RotationError::TooYoung);
            }
        }
        sign_and_verify(self.app, &signer, &ledger, now)
    }
}

/// Whether the key has been public for long enough.
fn may_sign(ledger: &KeyLedger, signer: &Signer, now: i64) -> bool {
    ledger.public_for(&signer.public_key(), now).is_some_and(|age| age >= PUBLIC_BEFORE_SIGNING_SECONDS)
}

/// Everything in a value that signs or will.
pub(super) fn signers(value: &SigningValue) -> Result<Vec<Signer>, RotationError> {
    Ok([Some(value.signer()?), value.next_signer()?].into_iter().flatten().collect())
}

/// What signs or will in the current value, and not in the one made from it.
fn others(made: &[Signer], current: Option<&SigningValue>) -> Result<Vec<Signer>, RotationError> {
    let mut beyond = current.map(signers).transpose()?.unwrap_or_default();
    beyond.retain(|signer| !made.iter().any(|it| it.kid() == signer.kid()));
    Ok(beyond)
}

fn tell_promoted(
    report: &mut Report,
    value: &SigningValue,
    before: Option<&SigningValue>,
) -> Result<(), RotationError> {
    let mut notes = Notes::new();
    let kid = value.signer()?.kid().to_owned();
    let same_signer = before.map(SigningValue::signer).transpose()?.is_some_and(|old| old.kid() == kid);
    if !same_signer {
        notes.push((kid, "promoted"));
    }
    if before.is_none_or(|before| !value.has_the_key_of(before)) {
        notes.push(("refresh".to_owned(), "promoted"));
    }
    notes.iter().for_each(|(target, what)| report.note(target, what));
    Ok(())
}

/// Signs a token that is over already, so that it is of no use to anybody, and sees that nothing else is wrong with it.
fn sign_and_verify(app: &App, signer: &Signer, ledger: &KeyLedger, now: i64) -> Result<(), RotationError> {
    let KeySet { issuer, keys } = ledger.key_set();
    // The issuer may be named later than the keys are made.
    let issuer = if issuer.is_empty() { "not-named-yet".to_owned() } else { issuer };
    let nobody = || "rotation".to_owned();
    let claims = Claims {
        iss: issuer.clone(),
        sub: nobody(),
        aud: nobody(),
        exp: now,
        iat: now,
        jti: ids::new_token_id(app.clock.as_ref(), app.rng.as_ref()),
        sid: nobody(),
        org: nobody(),
        role: nobody(),
    };
    let keyring = Keyring::new(KeySet { issuer, keys }).map_err(|_| RotationError::Unfit("the key set"))?;
    match access_token::verify(&signer.sign(&claims)?, &keyring, &claims.aud, now) {
        Err(TokenError::Expired) => Ok(()),
        _ => Err(RotationError::Unfit("what it signs cannot be verified")),
    }
}
