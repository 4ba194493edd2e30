//! The code of a sign-up, answered with an account and its first session.

use super::tokens::{TokenMaker, Tokens};
use super::trail::Trail;
use super::{Origin, Refusal};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::challenges::Code;
use crate::guards::SIGN_UP_CODES;
use crate::store::CodeGuess;

/// Judges the code of an address's latest sign-up and makes what was signed up for.
///
/// An address without a sign-up costs what a wrong code costs, and answers the same.
///
/// # Errors
/// [`Refusal::InvalidCode`] whatever is wrong with it, [`Refusal::TooManyAttempts`] when the address is shut.
pub async fn verify_email(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    code: &Code,
) -> Result<Tokens, Refusal> {
    let mut trail = Trail::new(app, "verify_email", origin);
    trail.address(address);
    let result = attempt(app, origin, address, code, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    origin: &Origin,
    address: &EmailAddress,
    code: &Code,
    trail: &mut Trail<'_>,
) -> Result<Tokens, Refusal> {
    let now = app.clock.now_seconds();
    let (sign_up, guesses) = app.store.sign_up_and_guesses(address).await?;
    if let Some(until) = guesses.locked_until(SIGN_UP_CODES, now) {
        return Err(Refusal::TooManyAttempts { retry_after: until - now });
    }
    let codes = app.secrets.codes().await?;
    // Before the code is counted: nobody loses a try, or a code that was right, to an outage.
    let maker = TokenMaker::ready(app).await?;
    let sign_up = sign_up.filter(|it| it.is_open(now));
    match app.store.count_sign_up_guess(address, sign_up.as_ref(), &|guard| trail.locked(guard), now).await? {
        CodeGuess::Counted => {}
        CodeGuess::Closed => return Err(Refusal::InvalidCode),
        CodeGuess::Locked { until } => return Err(Refusal::TooManyAttempts { retry_after: until - now }),
    }
    let sign_up = sign_up.filter(|it| it.accepts(code, &codes.all()) && !it.taken);
    let sign_up = sign_up.ok_or(Refusal::InvalidCode)?;
    trail.actor(&sign_up.user_id, &sign_up.org_id);
    let (session, refresh_token) = maker.session(app, origin, sign_up.identity(), now);
    trail.target(&session.session_id);
    if app.store.complete_sign_up(address, &sign_up, &session, &trail.event(), now).await? {
        return maker.make(app, session, refresh_token);
    }
    // Used a moment ago, replaced by another sign-up, or somebody came to have the address in another way.
    trail.nothing();
    Err(Refusal::InvalidCode)
}
