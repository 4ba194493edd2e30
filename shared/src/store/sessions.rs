//! Sessions in the table.

use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::members::Member;
use super::standing::not_ended;
use super::write::{Write, number, text};
use super::{Finding, Spent, Store, StoreError, Transacted, decode, keys};
use crate::audit::Event;
use crate::challenges::Challenge;
use crate::guards::Guard;
use crate::ids::SessionId;
use crate::organizations::{OnboardingStatus, Organization};
use crate::sessions::Session;
use crate::users::{Identity, Role};

/// What was found to differ from the identity a login or a session carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The role now, where it differs; `Some(None)`: no longer a member.
    pub role: Option<Option<Role>>,
    /// The organization now, where it differs; `Some(None)`: gone.
    pub organization: Option<Option<Box<Organization>>>,
}

/// How starting a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartOutcome {
    /// The session is there, the challenge is used, the guards are open.
    Started,
    /// The challenge was used or replaced meanwhile, its person has other credentials now, or what was spent was spent before.
    ChallengeClosed,
    /// Who passed the first step is no longer who they were.
    Changed(Changed),
}

/// How rotating a refresh token ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotateOutcome {
    /// The successor is the token that is alive.
    Rotated,
    /// The session is not what it was: this is what it is, if it is.
    Superseded(Option<Box<Session>>),
    /// Whose session it is is no longer who they were.
    Changed(Changed),
}

/// The transaction fails unless the organization is active and as onboarded as the identity says, and the role is the same.
fn identity_checks(identity: &Identity) -> [Write; 2] {
    let onboarded = if identity.has_onboarded { "=" } else { "<>" };
    [
        Write::check(keys::organization(&identity.org_id))
            .when(&format!("#is_active = :yes AND #onboarding_status {onboarded} :completed"))
            .bind(":yes", AttributeValue::Bool(true))
            .bind(":completed", text(OnboardingStatus::Completed.as_str())),
        Write::check(keys::member(&identity.org_id, &identity.user_id))
            .when("#role = :role")
            .bind(":role", text(identity.role.as_str())),
    ]
}

fn changed(organization: Finding, member: Finding) -> Result<Changed, StoreError> {
    let role = |finding: Finding| {
        Ok::<_, StoreError>(finding.old.map(decode::<Member>).transpose()?.map(|member| member.role))
    };
    let org = |finding: Finding| {
        Ok::<_, StoreError>(finding.old.map(decode::<Organization>).transpose()?.map(Box::new))
    };
    Ok(Changed {
        role: member.failed.then(|| role(member)).transpose()?,
        organization: organization.failed.then(|| org(organization)).transpose()?,
    })
}

fn first<const N: usize>(mut findings: Vec<Finding>) -> Result<[Finding; N], StoreError> {
    findings.truncate(N);
    let otherwise = StoreError::ConditionFailed("a transaction answered for other writes than it was given");
    findings.try_into().map_err(|_| otherwise)
}

/// Says that a session is a person's, for whoever lists them.
#[derive(Serialize, Deserialize)]
pub(super) struct Pointer {
    pub session_id: SessionId,
    pub expires_at: i64,
}

/// A new session, and the pointer to it.
pub(super) fn opening(session: &Session) -> Result<[Write; 2], StoreError> {
    let pointer = Pointer { session_id: session.session_id.clone(), expires_at: session.expires_at };
    let pointer_key = keys::session_of(&session.identity.user_id, &session.session_id);
    Ok([
        Write::put(keys::session(&session.session_id), session)?.when("attribute_not_exists(#pk)"),
        Write::put(pointer_key, &pointer)?.when("attribute_not_exists(#pk)"),
    ])
}

/// The login ends in the organization it began for, and only if what its person logs in with is what the first step saw: one write of
/// the person's item, whatever else of it a login changes.
fn logged_in(challenge: &Challenge, session: &Session, spent: &Spent) -> Result<Write, StoreError> {
    let unchanged = match challenge.credentials {
        0 => "(attribute_not_exists(#credentials) OR #credentials = :credentials)",
        _ => "#credentials = :credentials",
    };
    let (set, delete) = spent.changes();
    let write =
        let key = keys::user(&challenge.address_hash);
    let update = match &challenge.new_password_hash {
        None => Write::update(key, &format!("SET #org_id = :org_id{set}{delete}"),
        // Of the password as it was: had that changed since, so had the credentials.
        Some(hash) => Write::update(key, "SET #org_id = :org_id, #password_hash = :password_hash")
            .bind(":password_hash", text(hash)),
    };
    update)
            .when("#user_id = :user_id")
            .and_when(unchanged)
            .bind(":org_id", text(session.identity.org_id.as_str()))
            .bind(":user_id", text(session.identity.user_id.as_str()))
            .bind(":credentials", number(i64::from(challenge.credentials)));
    spent.bind(write)
}

impl Store {
    /// Uses the challenge up, and what its code spends; starts its session, points to it among its person's, and opens the address's guards:
    /// one transaction.
    pub async fn start_session(
        &self,
        challenge: &Challenge,
        session: &Session,
        spent: &Spent,
        event: &Event,
        now: i64,
    ) -> Result<StartOutcome, StoreError> {
        let consume = Write::update(keys::challenge(&challenge.challenge_id), "SET #consumed_at = :now")
            .when("attribute_not_exists(#consumed_at) AND #expires_at > :now AND #code_hash = :code_hash")
            .bind(":now", number(now))
            .bind(":code_hash", text(&challenge.code_hash));
        let mut writes = vec![consume];
        writes.extend(identity_checks(&session.identity));
        writes.push(logged_in(challenge, session, spent)?);
        writes.extend(opening(session)?);
        let guards = Guard::opened_by_success(&challenge.address_hash, &challenge.network);
        writes.extend(guards.iter().map(|guard| Write::delete(keys::guard(guard))));
        let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
        else {
            return Ok(StartOutcome::Started);
        };
        let [challenge, organization, member, user] = first(findings)?;
        if challenge.failed || user.failed {
            return Ok(StartOutcome::ChallengeClosed);
        }
        Ok(StartOutcome::Changed(changed(organization, member)?))
    }

    /// The session, if there is one.
    pub async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.get(keys::session(id)).await
    }

    /// Makes `successor_hash` the token that is alive, if `session` is still what it was read as. The identity in `session` goes
    /// into the item, so that a changed role reaches the next token.
    pub async fn rotate(
        &self,
        session: &Session,
        successor_hash: &str,
        now: i64,
    ) -> Result<RotateOutcome, StoreError> {
        let change = "SET #previous_hash = #current_hash, #current_hash = :successor, #generation = :next, \
                      #rotated_at = :now, #role = :role, #has_onboarded = :onboarded";
        let rotate = Write::update(keys::session(&session.session_id), change)
            .when("#current_hash = :current AND attribute_not_exists(#revoked_at) AND #expires_at > :now")
            .bind(":successor", text(successor_hash))
            .bind(":current", text(&session.current_hash))
            .bind(":next", number(i64::from(session.generation) + 1))
            .bind(":now", number(now))
            .bind(":role", text(session.identity.role.as_str()))
            .bind(":onboarded", AttributeValue::Bool(session.identity.has_onboarded));
        let [organization, member] = identity_checks(&session.identity);
        let member = not_ended(member, &session.session_id);
        let writes = vec![rotate, organization, member];
        let Transacted::Cancelled(findings) = self.transact_with(writes, &[]).await? else {
            return Ok(RotateOutcome::Rotated);
        };
        let [rotated, organization, member] = first(findings)?;
        if rotated.failed {
            let now_is: Option<Session> = rotated.old.map(decode).transpose()?;
            // The write may have been sent twice and have landed the first time: then the token that is alive is ours.
            if now_is.as_ref().is_some_and(|it| it.current_hash == successor_hash && it.revoked_at.is_none())
            {
                return Ok(RotateOutcome::Rotated);
            }
            return Ok(RotateOutcome::Superseded(now_is.map(Box::new)));
        }
        let member_is: Option<Member> = member.old.clone().map(decode).transpose()?;
        if let Some(at) =
            member_is.filter(|it| it.ended(&session.session_id)).and_then(|it| it.sessions_ended_at)
        {
            return Ok(RotateOutcome::Superseded(Some(Box::new(Session {
                revoked_at: Some(at),
                ..session.clone()
            }))));
        }
        Ok(RotateOutcome::Changed(changed(organization, member)?))
    }

    /// Ends a session; says whether it was not over before. Ending one that is, or that never was, changes nothing.
    pub async fn revoke_session(&self, id: &SessionId, event: &Event, now: i64) -> Result<bool, StoreError> {
        let write = Write::update(keys::session(id), "SET #revoked_at = :now")
            .when("attribute_exists(#pk) AND attribute_not_exists(#revoked_at)")
            .bind(":now", number(now));
        match self.transact_with(vec![write], slice::from_ref(event)).await? {
            Transacted::Committed => Ok(true),
            Transacted::Cancelled(_) => Ok(false),
        }
    }
}
