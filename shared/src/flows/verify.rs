//! The second step of a login: the code, answered with tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::factors::tell;
use super::open_challenge::open_challenge;
use super::second_factor::{Judge, person};
use super::tokens::{self, Stale, TokenMaker, Tokens};
use super::trail::Trail;
use super::which_organization::{self, Nowhere};
use super::{Origin, Refusal, WRITE_TRIES};
use crate::app::App;
use crate::challenges::{Challenge, Code};
use crate::failure::Failure;
use crate::ids::SessionId;
use crate::mail::letters;
use crate::sessions::Session;
use crate::store::{CodeGuess, Spent, StartOutcome};
use crate::tokens::refresh_token::{RefreshToken, Salt};
use crate::users::Identity;

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
/// `org` is the organization that the session is for, where it is not to be the one used last.
///
/// # Errors
/// [`Refusal::InvalidCode`] whatever is wrong with it, [`Refusal::TooManyAttempts`] when the address is shut; once the code was right,
/// [`Refusal::WrongOrganization`] and [`Refusal::OrganizationSuspended`].
pub async fn verify(
    app: &App,
    origin: &Origin,
    challenge_id: &str,
    code: &Code,
    kind: CodeType,
    org: Option<&str>,
) -> Result<Tokens, Refusal> {
    let mut trail = Trail::new(app, "verify", origin);
    let result = attempt(app, origin, challenge_id, (code, kind), org, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    challenge_id: &str,
    (code, kind): (&Code, CodeType),
    org: Option<&str>,
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
    let tokens = start(app, origin, &maker, (&challenge, &spent), org, trail).await?;
    if let (Spent::BackupCode(_), Some(user)) = (&spent, &user) {
        let left = user.backup_codes.len().saturating_sub(1);
        tell(app, origin, &user.email, &letters::backup_code_used(left)).await;
    }
    Ok(tokens)
}

async fn start(
    app: &App,
    origin: &Origin,
    maker: &TokenMaker,
    (challenge, spent): (&Challenge, &Spent),
    org: Option<&str>,
    trail: &mut Trail<'_>,
) -> Result<Tokens, Refusal> {
    let now = app.clock.now_seconds();
    let mut identity = challenge.identity.clone();
    if let Some(org) = org {
        which_organization::wanted(app, &mut identity, org).await?;
    }
    let session_id = SessionId::new(app.clock.as_ref(), app.rng.as_ref());
    let refresh_token =
        RefreshToken::make(maker.refresh_keys().current(), &session_id, 0, &Salt::random(app.rng.as_ref()));
    let mut session = Session {
        source_address: origin.source_address.clone(),
        client: origin.client.clone(),
        ..Session::new(session_id, identity, refresh_token.hash(), now)
    };
    for _ in 0..WRITE_TRIES {
        trail.actor(&session.identity.user_id, &session.identity.org_id);
        // The line is about the challenge, what is changed is the session.
        let event = trail.event_of(session.session_id.as_str(), trail.noted());
        match app.store.start_session(challenge, &session, spent, &event, now).await? {
            StartOutcome::Started => return maker.make(app, session, refresh_token),
            StartOutcome::ChallengeClosed => return Err(Refusal::InvalidCode),
            // The first step was up to ten minutes ago: role and organization may have changed since.
            StartOutcome::Changed(changed) => {
                if let Err(stale) = tokens::update(&mut session.identity, changed) {
                    elsewhere(app, &mut session.identity, stale, org.is_some()).await?;
                }
            }
        }
    }
    Err(Failure::Contended.into())
}

/// The organization that the login was to lead to is suspended, or they are no member of it any more. Whoever asked for that one is told; whoever did
/// not is led to another, if there is one.
async fn elsewhere(app: &App, identity: &mut Identity, stale: Stale, asked: bool) -> Result<(), Refusal> {
    let refusal = match stale {
        Stale::Suspended => Refusal::OrganizationSuspended,
        Stale::NoMember if asked => Refusal::WrongOrganization,
        Stale::NoMember => Refusal::InvalidCode,
    };
    if asked {
        return Err(refusal);
    }
    match which_organization::another(app, identity).await? {
        Ok(()) => Ok(()),
        Err(Nowhere::Suspended) => Err(Refusal::OrganizationSuspended),
        Err(Nowhere::NoMember) => Err(refusal),
    }
}
