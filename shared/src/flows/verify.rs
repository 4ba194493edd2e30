//! The second step of a login: the code, answered with tokens.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::factors::tell;
use super::open_challenge::open_challenge;
use super::second_factor::SecondFactor;
use super::tokens::{self, Stale, TokenMaker, Tokens};
use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES};
use crate::app::App;
use crate::challenges::{Challenge, Code, SecondStep};
use crate::failure::Failure;
use crate::ids::SessionId;
use crate::mail::letters;
use crate::secrets::RotatingKey;
use crate::sessions::Session;
use crate::store::{CodeGuess, Spent, StartOutcome};
use crate::tokens::refresh_token::{RefreshToken, Salt};
use crate::users::User;

/// What kind of code was typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum CodeType {
    /// The one that was mailed, or the authenticator app's.
    #[default]
    Primary,
    /// A backup code. Without an authenticator app nobody has any, so none is right; a guess it is all the same.
    Backup,
}

/// Judges a code and starts a session.
///
/// # Errors
/// [`Refusal::InvalidCode`] whatever is wrong with it, [`Refusal::TooManyAttempts`] when the address is shut.
pub async fn verify(
    app: &App,
    origin: &Origin,
    challenge_id: &str,
    code: &Code,
    kind: CodeType,
) -> Result<Tokens, Refusal> {
    let mut trail = Trail::new(app, "verify", origin);
    let result = attempt(app, origin, challenge_id, code, kind, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    challenge_id: &str,
    code: &Code,
    kind: CodeType,
    trail: &mut Trail<'_>,
) -> Result<Tokens, Refusal> {
    let now = app.clock.now_seconds();
    let challenge = open_challenge(app, challenge_id, now, trail).await?;
    // Before the code is counted: nobody loses a try, or a code that was right, to an outage.
    let user = person(app, &challenge).await?;
    let judge = Judge::ready(app, &challenge, user.as_ref()).await?;
    let maker = TokenMaker::ready(app).await?;
    match app.store.count_code_guess(&challenge, &|guard| trail.locked(guard), now).await? {
        CodeGuess::Counted => {}
        CodeGuess::Closed => return Err(Refusal::InvalidCode),
        CodeGuess::Locked { until } => return Err(Refusal::TooManyAttempts { retry_after: until - now }),
    }
    let spent = judge.judge(app, &challenge, code, kind, now)?.ok_or(Refusal::InvalidCode)?;
    trail.note(match &spent {
        Spent::MailedCode => "",
        Spent::Step { .. } => "totp",
        Spent::BackupCode(_) => "backup_code",
    });
    let tokens = start(app, origin, &maker, (&challenge, &spent), now, trail).await?;
    if let (Spent::BackupCode(_), Some(user)) = (&spent, &user) {
        let left = user.backup_codes.len().saturating_sub(1);
        tell(app, origin, &user.email, &letters::backup_code_used(left)).await;
    }
    Ok(tokens)
}

/// Whoever passed the first step, where more of them is needed than the challenge has.
async fn person(app: &App, challenge: &Challenge) -> Result<Option<User>, Refusal> {
    match challenge.method {
        SecondStep::EmailOtp => Ok(None),
        SecondStep::Totp => Ok(app.store.user_by_hash(&challenge.address_hash).await?),
    }
}

/// Everything that judging a code takes.
enum Judge<'a> {
    /// Of a mailed code.
    Mailed(Arc<RotatingKey>),
    /// Of an authenticator app's, or a backup code. Without one, it was turned off since the first step, and no code is right.
    Own(Option<SecondFactor<'a>>),
}

impl<'a> Judge<'a> {
    async fn ready(app: &App, challenge: &Challenge, user: Option<&'a User>) -> Result<Self, Refusal> {
        Ok(match (challenge.method, user) {
            (SecondStep::EmailOtp, _) => Self::Mailed(app.secrets.codes().await?),
            (SecondStep::Totp, None) => Self::Own(None),
            (SecondStep::Totp, Some(user)) => Self::Own(SecondFactor::of(app, user).await?),
        })
    }

    fn judge(
        &self,
        app: &App,
        challenge: &Challenge,
        code: &Code,
        kind: CodeType,
        now: i64,
    ) -> Result<Option<Spent>, Refusal> {
        match self {
            Self::Mailed(codes) => {
                let right = challenge.accepts(code, &codes.all());
                Ok((right && kind == CodeType::Primary).then_some(Spent::MailedCode))
            }
            Self::Own(Some(factor)) => factor.judge(app, code, kind, now),
            Self::Own(None) => Ok(None),
        }
    }
}

async fn start(
    app: &App,
    origin: &Origin,
    maker: &TokenMaker,
    (challenge, spent): (&Challenge, &Spent),
    now: i64,
    trail: &Trail<'_>,
) -> Result<Tokens, Refusal> {
    let session_id = SessionId::new(app.clock.as_ref(), app.rng.as_ref());
    let refresh_token =
        RefreshToken::make(maker.refresh_keys().current(), &session_id, 0, &Salt::random(app.rng.as_ref()));
    let mut session = Session {
        source_address: origin.source_address.clone(),
        client: origin.client.clone(),
        ..Session::new(session_id, challenge.identity.clone(), refresh_token.hash(), now)
    };
    for _ in 0..WRITE_TRIES {
        // The line is about the challenge, what is changed is the session.
        let event = trail.event_of(session.session_id.as_str(), trail.noted());
        match app.store.start_session(challenge, &session, spent, &event, now).await? {
            StartOutcome::Started => return maker.make(app, session, refresh_token),
            StartOutcome::ChallengeClosed => return Err(Refusal::InvalidCode),
            // The first step was up to ten minutes ago: role and organization may have changed since.
            StartOutcome::Changed(changed) => {
                tokens::update(&mut session.identity, changed).map_err(|stale| match stale {
                    Stale::Suspended => Refusal::OrganizationSuspended,
                    Stale::NoMember => Refusal::InvalidCode,
                })?;
            }
        }
    }
    Err(Failure::Contended.into())
}
