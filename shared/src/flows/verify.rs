//! The second step of a login: the code, answered with tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::open_challenge::open_challenge;
use super::tokens::{self, Stale, TokenMaker, Tokens};
use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES};
use crate::app::App;
use crate::challenges::{Challenge, Code};
use crate::failure::Failure;
use crate::ids::SessionId;
use crate::sessions::Session;
use crate::store::{CodeGuess, StartOutcome};
use crate::tokens::refresh_token::{RefreshToken, Salt};

/// What kind of code was typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum CodeType {
    /// The one that was mailed.
    #[default]
    Primary,
    /// A backup code. Nobody has any yet, so none is right; a guess it is all the same.
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
    let codes = app.secrets.codes().await?;
    // Before the code is counted: nobody loses a try, or a code that was right, to an outage.
    let maker = TokenMaker::ready(app).await?;
    match app.store.count_code_guess(&challenge, &|guard| trail.locked(guard), now).await? {
        CodeGuess::Counted => {}
        CodeGuess::Closed => return Err(Refusal::InvalidCode),
        CodeGuess::Locked { until } => return Err(Refusal::TooManyAttempts { retry_after: until - now }),
    }
    let right = challenge.accepts(code, &codes.all());
    if !right || kind == CodeType::Backup {
        return Err(Refusal::InvalidCode);
    }
    start(app, origin, &maker, &challenge, now, trail).await
}

async fn start(
    app: &App,
    origin: &Origin,
    maker: &TokenMaker,
    challenge: &Challenge,
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
        let event = trail.event_of(session.session_id.as_str(), "");
        match app.store.start_session(challenge, &session, &event, now).await? {
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
