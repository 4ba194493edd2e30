//! Rotation of the secrets, by Secrets Manager's protocol: create, set, test, finish, each of them as often as it takes.
//!
//! A value is made once, under the rotation's token, from the current one; it may take the place of that one alone. So whatever
//! crashes, comes twice or meets another rotation: a value that is out of date never becomes current.

mod emergency;
mod keys;
mod ledger;
mod signing;

pub use emergency::{clean_up, kill_signing_key, make_first};
pub use keys::rotate_key;
pub use signing::{PUBLIC_BEFORE_SIGNING_SECONDS, RETIRED_SECONDS, rotate_signing_key};

use serde_json::{Value, json};

use crate::app::App;
use crate::audit::{Deed, Event};
use crate::causes::causes;
use crate::failure::Failure;
use crate::secrets::SecretError;
use crate::secrets::successors::{MAX_PENDING_SECONDS, Rotating};
use crate::secrets::versions::{Stages, Versions};
use crate::signer::SignError;
use crate::store::StoreError;
use crate::tokens::key_ledger::PublishError;

/// A step of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Makes the value.
    Create,
    /// Makes known what others need to know of it.
    Set,
    /// Sees that it would work.
    Test,
    /// Puts it in the place of the current one.
    Finish,
}

/// What Secrets Manager asks for.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Which step.
    pub step: Step,
    /// Of which secret: its ARN.
    pub secret_id: &'a str,
    /// Which rotation: the version that it makes.
    pub token: &'a str,
}

impl<'a> Order<'a> {
    /// Reads the event.
    ///
    /// # Errors
    /// When it is none, or its step is unknown.
    pub fn read(event: &'a Value) -> Result<Self, RotationError> {
        let text = |name: &str| event.get(name).and_then(Value::as_str).ok_or(RotationError::UnknownEvent);
        // AWS's own functions are sent the first form; the user guide names the second.
        let step = match text("Step")? {
            "createSecret" | "create_secret" => Step::Create,
            "setSecret" | "set_secret" => Step::Set,
            "testSecret" | "test_secret" => Step::Test,
            "finishSecret" | "finish_secret" => Step::Finish,
            _ => return Err(RotationError::UnknownStep),
        };
        Ok(Self { step, secret_id: text("SecretId")?, token: text("ClientRequestToken")? })
    }
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The event is none that a rotation knows.
    #[error("this event is not known here")]
    UnknownEvent,
    /// Its step is none of the four.
    #[error("this step is not known here")]
    UnknownStep,
    /// The secret is not one that this function rotates.
    #[error("this function does not rotate this secret")]
    NotOurs,
    /// Secrets Manager does not rotate the secret.
    #[error("rotation is not enabled for the secret")]
    NotEnabled,
    /// The token names no version that is being made.
    #[error("the version is not staged as AWSPENDING")]
    NotStaged,
    /// The version has no value: its first step was not done.
    #[error("the version has no value yet")]
    NotCreated,
    /// The secret has no value at all.
    #[error("the secret has no value yet")]
    NoValue,
    /// The value was made from another one than the current, or too long ago. It was thrown away: rotate again.
    #[error("the version is out of date and was given up: rotate again")]
    Stale,
    /// A key of the value is not published. It was thrown away: rotate again.
    #[error("a key of the version is not published, so it was given up: rotate again")]
    NotPublished,
    /// A key of the value must not be published. It was thrown away: rotate again.
    #[error("a key of the version must not be published, so it was given up: rotate again")]
    Unpublishable(#[from] PublishError),
    /// The key that is to sign has not been public for long enough. The value was thrown away.
    #[error("the key that is to sign was not public for long enough, so the version was given up")]
    TooYoung,
    /// What the value makes is not accepted everywhere, or its key does not sign. It was thrown away.
    #[error("the version does not work and was given up: {0}")]
    Unfit(&'static str),
    /// There is no signing key of this name.
    #[error("there is no signing key of this name")]
    UnknownKey,
    /// Nothing is decided; the step can be done again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

macro_rules! failed_from {
    ($($error:ty),*) => {$(
        impl From<$error> for RotationError {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}
failed_from!(StoreError, SecretError, SignError);

impl RotationError {
    /// The fixed word that audit lines and alarms know it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown_event",
            Self::UnknownStep => "unknown_step",
            Self::NotOurs => "not_our_secret",
            Self::NotEnabled => "rotation_not_enabled",
            Self::NotStaged => "not_staged",
            Self::NotCreated => "not_created",
            Self::NoValue => "no_value",
            Self::Stale => "stale",
            Self::NotPublished => "not_published",
            Self::Unpublishable(_) => "unpublishable",
            Self::TooYoung => "not_public_long_enough",
            Self::Unfit(_) => "unfit",
            Self::UnknownKey => "unknown_key",
            Self::Failed(_) => "service_unavailable",
        }
    }

    /// Whether no try of the same rotation can succeed any more.
    fn ends_the_rotation(&self) -> bool {
        matches!(
            self,
            Self::Stale | Self::NotPublished | Self::Unpublishable(_) | Self::TooYoung | Self::Unfit(_)
        )
    }
}

/// What a step changed, and what it left alone: told as audit lines while it happens.
#[derive(Debug, Clone)]
pub struct Report {
    invocation: String,
    secret: &'static str,
    /// A key's name, or a version's, or a secret's; and the fixed word for what became of it.
    pub notes: Vec<(String, &'static str)>,
}

impl Report {
    fn new(secret: &'static str, invocation: &str) -> Self {
        Self { invocation: invocation.to_owned(), secret, notes: Vec::new() }
    }

    fn note(&mut self, target: &str, what: &'static str) {
        self.line("ok", what, target);
        self.notes.push((target.to_owned(), what));
    }

    /// Writes the line of a step that was not done, and a failure's cause beside it.
    fn end(self, result: Result<(), RotationError>) -> Result<Self, RotationError> {
        let Err(error) = result else {
            return Ok(self);
        };
        if let RotationError::Failed(failure) = &error {
            tracing::error!(request_id = self.invocation, cause = causes(failure), "failed");
            self.line("failed", error.word(), self.secret);
        } else {
            self.line("refused", error.word(), self.secret);
        }
        Err(error)
    }

    fn line(&self, outcome: &'static str, reason: &'static str, target: &str) {
        self.deed(target).log(outcome, reason, None);
    }

    /// The event of what becomes of a key, to be written with it.
    fn event(&self, app: &App, target: &str, what: &'static str) -> Event {
        self.deed(target).event(what, app.clock.as_ref(), app.rng.as_ref())
    }

    fn deed<'a>(&'a self, target: &'a str) -> Deed<'a> {
        Deed { action: "rotate", actor: "rotation", target, request_id: &self.invocation, ..Deed::default() }
    }

    /// The function's answer.
    pub fn json(&self) -> Value {
        let notes = self.notes.iter().map(|(target, what)| json!({"target": target, "what": what}));
        json!({"secret": self.secret, "notes": notes.collect::<Vec<_>>()})
    }
}

/// How the labels stand, if the token is a rotation's that has begun. One that has become the current version is as good: its last
/// step may have to be done again.
async fn staged(versions: &Versions<'_>, token: &str) -> Result<Stages, RotationError> {
    let stages = versions.stages().await?;
    if !stages.rotation_enabled {
        return Err(RotationError::NotEnabled);
    }
    match [stages.pending(), stages.current()].contains(&Some(token)) {
        true => Ok(stages),
        false => Err(RotationError::NotStaged),
    }
}

/// The value of a version, if it has one.
async fn read<T: Rotating>(versions: &Versions<'_>, version: &str) -> Result<Option<T>, RotationError> {
    let Some(json) = versions.value(version).await? else {
        return Ok(None);
    };
    T::read(&json).map(Some).ok_or_else(|| SecretError::Unusable { name: versions.name() }.into())
}

/// The current value and its version, if there is one.
async fn current<T: Rotating>(
    versions: &Versions<'_>,
    stages: &Stages,
) -> Result<Option<(String, T)>, RotationError> {
    let Some(version) = stages.current() else {
        return Ok(None);
    };
    Ok(read(versions, version).await?.map(|value| (version.to_owned(), value)))
}

/// As it is stored.
fn json_of(value: &impl Rotating) -> Result<zeroize::Zeroizing<String>, RotationError> {
    value.json().ok_or(RotationError::Unfit("it cannot be written"))
}

/// A value may take the place of the one that it was made from, for a day.
fn check_freshness(value: &impl Rotating, current: Option<&str>, now: i64) -> Result<(), RotationError> {
    let young = value.made_at().is_some_and(|at| now - at <= MAX_PENDING_SECONDS);
    match young && value.made_from() == current {
        true => Ok(()),
        false => Err(RotationError::Stale),
    }
}

/// Gives a rotation up that cannot succeed any more, so that the next one can begin.
async fn give_up_if_over(
    versions: &Versions<'_>,
    stages: &Stages,
    token: &str,
    result: Result<(), RotationError>,
) -> Result<(), RotationError> {
    if result.as_ref().is_err_and(RotationError::ends_the_rotation)
        && stages.current() != Some(token)
        && let Err(error) = versions.end_pending(token).await
    {
        tracing::error!(cause = causes(&error), "the version keeps its label");
    }
    result
}
