//! A refresh: the old refresh token dies in the write that makes the new one.

use super::tokens::{self, Stale, TokenMaker, Tokens};
use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES};
use crate::app::App;
use crate::failure::Failure;
use crate::secrets::RotatingKey;
use crate::sessions::{Judgement, Session};
use crate::store::RotateOutcome;
use crate::tokens::refresh_token::{RefreshToken, Salt};

/// Rotates a refresh token.
///
/// A token that was rotated away and comes back ends its session, unless it is the same request again, known by its idempotency
/// key: that one gets the same successor.
///
/// # Errors
/// [`Refusal::InvalidRefreshToken`], [`Refusal::OrganizationSuspended`].
pub async fn refresh(
    app: &App,
    origin: &Origin,
    token: &str,
    idempotency_key: Option<&str>,
) -> Result<Tokens, Refusal> {
    let mut trail = Trail::new(app, "refresh", origin);
    let result = attempt(app, token, idempotency_key, &mut trail).await;
    trail.end(result)
}

/// What this request would rotate to: the same for every try of it, and for every repeat with the same idempotency key.
struct Successors<'a> {
    keys: &'a RotatingKey,
    salt: Salt,
    repeatable: bool,
}

impl Successors<'_> {
    fn of(&self, presented: &RefreshToken) -> RefreshToken {
        self.under(self.keys.current(), presented)
    }

    fn under(&self, key: &[u8], presented: &RefreshToken) -> RefreshToken {
        RefreshToken::make(key, presented.session_id(), presented.generation().saturating_add(1), &self.salt)
    }

    /// Every successor a repeat may have been given, were the refresh key rotated in between.
    fn repeats(&self, presented: &RefreshToken) -> Vec<RefreshToken> {
        let keys = if self.repeatable { self.keys.all() } else { Vec::new() };
        keys.into_iter().map(|key| self.under(key, presented)).collect()
    }
}

async fn attempt(
    app: &App,
    token: &str,
    idempotency_key: Option<&str>,
    trail: &mut Trail<'_>,
) -> Result<Tokens, Refusal> {
    // Before any call to the table: a token we never made touches no session, so nobody can end another's by guessing.
    let presented = RefreshToken::parse(token, &app.secrets.signing().await?.refresh.all())
        .map_err(|_| Refusal::InvalidRefreshToken("not_ours"))?;
    trail.target(presented.session_id());
    let maker = TokenMaker::ready(app).await?;
    let salt = idempotency_key.map_or_else(|| Salt::random(app.rng.as_ref()), Salt::from_idempotency_key);
    let successors = Successors { keys: maker.refresh_keys(), salt, repeatable: idempotency_key.is_some() };
    let mut session = app.store.session(presented.session_id()).await?;
    for _ in 0..WRITE_TRIES {
        let Some(mut live) = session else {
            return Err(Refusal::InvalidRefreshToken("no_session"));
        };
        trail.actor(&live.identity.user_id, &live.identity.org_id);
        let now = app.clock.now_seconds();
        let repeats = successors.repeats(&presented);
        let hashes: Vec<String> = repeats.iter().map(RefreshToken::hash).collect();
        match live.judge(&presented, &hashes, now) {
            Judgement::Over => return Err(Refusal::InvalidRefreshToken("session_over")),
            Judgement::Reuse => return Err(end_session(app, &live, now, trail).await?),
            Judgement::Replay => {
                trail.note("replayed");
                let given = repeats
                    .into_iter()
                    .find(|token| token.hash() == live.current_hash)
                    .ok_or(Failure::Contended)?;
                return replay(app, &maker, live, given).await;
            }
            Judgement::Current => {}
        }
        let successor = successors.of(&presented);
        match app.store.rotate(&live, &successor.hash(), now).await? {
            RotateOutcome::Rotated => return maker.make(app, live, successor),
            RotateOutcome::Superseded(now_is) => session = now_is.map(|it| *it),
            RotateOutcome::Changed(changed) => {
                tokens::update(&mut live.identity, changed).map_err(refuse)?;
                session = Some(live);
            }
        }
    }
    Err(Failure::Contended.into())
}

/// What line and event call a theft.
const REUSE: &str = "reuse_session_revoked";

/// Theft: whoever has the successor loses it with whoever brings the old token.
async fn end_session(app: &App, session: &Session, now: i64, trail: &Trail<'_>) -> Result<Refusal, Refusal> {
    let event = trail.event_of(session.session_id.as_str(), REUSE);
    app.store.revoke_session(&session.session_id, &event, now).await?;
    Ok(Refusal::InvalidRefreshToken(REUSE))
}

/// The same successor again. It writes nothing, so role and organization are looked at here.
async fn replay(
    app: &App,
    maker: &TokenMaker,
    mut session: Session,
    given: RefreshToken,
) -> Result<Tokens, Refusal> {
    let identity = &mut session.identity;
    let standing = app.store.standing(&identity.org_id, &identity.user_id, &session.session_id).await?;
    let organization =
        standing.organization.filter(|it| it.is_active).ok_or(Refusal::OrganizationSuspended)?;
    identity.role = standing.role.ok_or_else(|| refuse(Stale::NoMember))?;
    if !standing.session.is_some_and(|it| it.is_live(app.clock.now_seconds())) {
        return Err(Refusal::InvalidRefreshToken("session_over"));
    }
    identity.has_onboarded = organization.has_onboarded();
    maker.make(app, session, given)
}

fn refuse(stale: Stale) -> Refusal {
    match stale {
        Stale::Suspended => Refusal::OrganizationSuspended,
        Stale::NoMember => Refusal::InvalidRefreshToken("no_member"),
    }
}
