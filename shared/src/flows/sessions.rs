//! A person's own sessions: where they are logged in, and an end to it.

use super::trail::Trail;
use super::{MEMBER, Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::app::App;
use crate::failure::Failure;
use crate::ids::SessionId;
use crate::principals::{Principal, UserPrincipal};
use crate::sessions::Session;
use crate::store::{EndOutcome, OwnSession};

/// A session that lives.
#[derive(Debug)]
pub struct ListedSession {
    /// It.
    pub session: Session,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// A page of sessions.
#[derive(Debug)]
pub struct ListedSessions {
    /// Newest first.
    pub sessions: Vec<ListedSession>,
    /// After which session the next page begins, if there is one.
    pub next: Option<SessionId>,
}

/// One page of the sessions that a person has, whichever organization they are for. Those that are over are left out.
///
/// # Errors
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn list_sessions(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    limit: usize,
    after: Option<&SessionId>,
) -> Result<ListedSessions, Refusal> {
    let trail = Trail::of(app, "session.list", origin, &Principal::User(user.clone()));
    trail.end_look(look(app, user, limit, after).await)
}

async fn look(
    app: &App,
    user: &UserPrincipal,
    limit: usize,
    after: Option<&SessionId>,
) -> Result<ListedSessions, Refusal> {
    let (standing, page) = tokio::try_join!(
        app.store.standing(&user.org_id, &user.user_id, &user.session_id),
        app.store.session_page(&user.user_id, limit, after)
    )?;
    let now = app.clock.now_seconds();
    // Where somebody is logged in is not for whoever found an old access token: the session is looked at, as for a write.
    may_write(standing, MEMBER, now)?;
    let own = app.store.own_sessions(&user.user_id, &user.org_id, &page.sessions).await?;
    let lives = |own: &OwnSession| !own.is_ended && own.session.is_live(now);
    let listed = |own: OwnSession| ListedSession {
        is_current: own.session.session_id == user.session_id,
        session: own.session,
    };
    let next = page.sessions.last().filter(|_| page.more).cloned();
    Ok(ListedSessions { sessions: own.into_iter().filter(lives).map(listed).collect(), next })
}

/// Ends one of a person's sessions: its refresh token is dead at once. Ending one that is over is as good.
///
/// # Errors
/// [`Refusal::NotFound`] for somebody else's and for none, [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn end_session(app: &App, origin: &Origin, user: &UserPrincipal, id: &str) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "session.end", origin, &Principal::User(user.clone()));
    let result = end(app, user, id, &mut trail).await;
    trail.end(result)
}

async fn end(app: &App, user: &UserPrincipal, id: &str, trail: &mut Trail<'_>) -> Result<(), Refusal> {
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let standing = app.store.standing(&user.org_id, &user.user_id, &user.session_id).await?;
        may_write(standing, MEMBER, now)?;
        // What is no session's id is no session. It is not logged: anything can stand in a path.
        let id = SessionId::parse(id).map_err(|_| Refusal::NotFound)?;
        trail.target(&id);
        match app.store.end_session(writer(user, MEMBER), &id, &trail.event(), now).await? {
            EndOutcome::Ended => return Ok(()),
            EndOutcome::WereOver => {
                trail.note("was_over");
                return Ok(());
            }
            EndOutcome::NotFound => return Err(Refusal::NotFound),
            EndOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}

/// Ends all of a person's sessions but the one that asks, in every organization.
///
/// # Errors
/// [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`].
pub async fn end_other_sessions(app: &App, origin: &Origin, user: &UserPrincipal) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "session.end_others", origin, &Principal::User(user.clone()));
    trail.target(&user.session_id);
    let result = end_others(app, user, &mut trail).await;
    trail.end(result)
}

async fn end_others(app: &App, user: &UserPrincipal, trail: &mut Trail<'_>) -> Result<(), Refusal> {
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let (standing, mut organizations) = tokio::try_join!(
            app.store.standing(&user.org_id, &user.user_id, &user.session_id),
            app.store.organizations_of(&user.user_id)
        )?;
        may_write(standing, MEMBER, now)?;
        if !organizations.contains(&user.org_id) {
            organizations.push(user.org_id.clone());
        }
        let by = writer(user, MEMBER);
        match app.store.end_other_sessions(by, &organizations, &trail.event(), now).await? {
            EndOutcome::Ended => return Ok(()),
            EndOutcome::WereOver => {
                trail.note("was_so");
                return Ok(());
            }
            EndOutcome::NotFound | EndOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}
