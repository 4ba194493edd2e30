//! A password replaced with a reset token. See `docs/adr/0022-passwords.md`.

use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, organizations_of, set_password};
use crate::addresses::EmailAddress;
use crate::app::App;
use crate::failure::Failure;
use crate::reset_tokens::ResetToken;
use crate::sensitive::Sensitive;
use crate::store::{SetPassword, SetPasswordOutcome};
use crate::users::User;

/// Sets the password of whom a reset token was mailed to, ends every session of theirs and every login that is on its way, and tells them.
/// The token is used up by it, and by nothing else: a password that is refused costs no token.
///
/// # Errors
/// [`Refusal::InvalidResetToken`] whatever is wrong with it, [`Refusal::CommonPassword`].
pub async fn reset_password(
    app: &App,
    origin: &Origin,
    token: &Sensitive<String>,
    password: &Sensitive<String>,
) -> Result<(), Refusal> {
    let mut trail = Trail::new(app, "password.reset", origin);
    let result = attempt(app, token, password, &mut trail).await;
    let result = trail.end(result);
    if let Ok(user) = &result {
        set_password::tell(app, user, &origin.request_id).await;
    }
    result.map(|_| ())
}

async fn attempt(
    app: &App,
    token: &Sensitive<String>,
    password: &Sensitive<String>,
    trail: &mut Trail<'_>,
) -> Result<User, Refusal> {
    let now = app.clock.now_seconds();
    let token = ResetToken::parse(token.expose()).map_err(|_| Refusal::InvalidResetToken)?;
    let mut password_hash = None;
    for _ in 0..WRITE_TRIES {
        let (address, user) = owner(app, &token, now).await?;
        trail.address(&address);
        trail.actor(&user.user_id, &user.org_id);
        trail.target(&user.user_id);
        set_password::judge(password, &user.email, &user.full_name)?;
        let hash = match password_hash.take() {
            Some(hash) => hash,
            None => app.passwords.hash(password, app.rng.as_ref()).await?,
        };
        let organizations = organizations_of(app, &user).await?;
        let event = trail.event();
        let set = SetPassword {
            address: &address,
            user: &user,
            organizations: &organizations,
            password_hash: &hash,
            event: &event,
            now,
        };
        match app.store.reset_password(&token, trail.network(), &set).await? {
            SetPasswordOutcome::Set => return Ok(user),
            SetPasswordOutcome::Closed => return Err(Refusal::InvalidResetToken),
            SetPasswordOutcome::PersonChanged => password_hash = Some(hash),
        }
    }
    Err(Failure::Contended.into())
}

/// Whom the token was mailed to, as long as it is good: they have the address still, and log in with what they did then.
async fn owner(app: &App, token: &ResetToken, now: i64) -> Result<(EmailAddress, User), Refusal> {
    let reset = app.store.reset(&token.hash()).await?.filter(|reset| reset.expires_at > now);
    let (Some(user_id), Some(reset)) = (reset.as_ref().and_then(|it| it.user_id.as_ref()), &reset) else {
        return Err(Refusal::InvalidResetToken);
    };
    let user = app.store.user_by_hash(&reset.address_hash).await?;
    let user = user.filter(|it| it.user_id == *user_id && it.credentials == reset.credentials);
    let user = user.ok_or(Refusal::InvalidResetToken)?;
    let address = EmailAddress::parse(&user.email).map_err(|_| Refusal::InvalidResetToken)?;
    Ok((address, user))
}
