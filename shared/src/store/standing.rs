//! How somebody stands in their organization: read together before a write, and checked again by it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::members::Member;
use super::write::{Item, Write, number, text};
use super::{Store, StoreError, decode, keys};
use crate::api_keys::Env;
use crate::ids::{OrgId, SessionId, UserId};
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use crate::principals::UserPrincipal;
use crate::sessions::Session;
use crate::users::Role;

/// How a person stands now, whatever their access token says: read together, and checked again by the write that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The session, if it is there and was not ended with the person's sessions.
    pub session: Option<Session>,
    /// The organization, if it is there.
    pub organization: Option<Organization>,
    /// The role in it, if they are a member.
    pub role: Option<Role>,
}

/// Whose standing it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    pub org: &'a OrgId,
    pub user: &'a UserId,
    pub session: &'a SessionId,
}

impl Who<'_> {
    pub fn keys(&self) -> [keys::Key; 3] {
        [keys::session(self.session), keys::organization(self.org), keys::member(self.org, self.user)]
    }

    /// Puts a [`Standing`] together from what was read.
    pub fn standing(self, found: &mut HashMap<keys::Key, Item>) -> Result<Standing, StoreError> {
        let [session, organization, member] = self.keys();
        let member = found.remove(&member).map(decode::<Member>).transpose()?;
        let ended = member.as_ref().is_some_and(|member| member.ended(self.session));
        Ok(Standing {
            session: found.remove(&session).filter(|_| !ended).map(decode).transpose()?,
            organization: found.remove(&organization).map(decode).transpose()?,
            role: member.map(|member| member.role),
        })
    }
}

/// Who writes, and what they have to be at that moment.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The organization.
    pub org: &'a OrgId,
    /// The person.
    pub user: &'a UserId,
    /// Their session.
    pub session: &'a SessionId,
    /// The roles that may. Not none.
    pub roles: &'a [Role],
}

impl<'a> Writer<'a> {
    /// A person, who has to have one of these roles.
    pub fn of(user: &'a UserPrincipal, roles: &'a [Role]) -> Self {
        Self { org: &user.org_id, user: &user.user_id, session: &user.session_id, roles }
    }

    /// The transaction fails unless the session lives and the role is one of those that may. The organization is the caller's to check.
    pub(super) fn checks(&self, now: i64) -> [Write; 2] {
        [session_check(self.session, now), self.member_check()]
    }

    fn member_check(&self) -> Write {
        let names: Vec<String> = (0..self.roles.len()).map(|nth| format!(":role{nth}")).collect();
        let check =
            Write::check(keys::member(self.org, self.user)).when(&format!("#role IN ({})", names.join(", ")));
        let check = not_ended(check, self.session);
        self.roles.iter().zip(&names).fold(check, |check, (role, name)| check.bind(name, text(role.as_str())))
    }
}

/// The transaction fails unless the session is there, was not ended, and has not expired.
pub(super) fn session_check(session: &SessionId, now: i64) -> Write {
    Write::check(keys::session(session))
        .when("attribute_exists(#pk) AND attribute_not_exists(#revoked_at) AND #expires_at > :now")
        .bind(":now", number(now))
}

/// A write of a member's item, with one more condition: the session is none of those that were ended together; see [`Member::ended`].
pub(super) fn not_ended(write: Write, session: &SessionId) -> Write {
    write
        .and_when(
            "(attribute_not_exists(#sessions_ended_at) OR #sessions_ended_at < :made_at OR #sessions_kept = :session)",
        )
        .bind(":made_at", number(session.made_at()))
        .bind(":session", text(session.as_str()))
}

/// The condition that an organization is active, in `:env`, and may be in it.
pub(super) fn may_use(env: Env) -> &'static str {
    match env {
        Env::Test => "#is_active = :yes",
        Env::Live => "#is_active = :yes AND #onboarding_status = :completed AND #payments_status = :enabled",
    }
}

/// Binds the values of [`may_use`].
pub(super) fn bind_may_use(write: Write, env: Env) -> Write {
    let write = write.bind(":yes", AttributeValue::Bool(true));
    match env {
        Env::Test => write,
        Env::Live => write
            .bind(":completed", text(OnboardingStatus::Completed.as_str()))
            .bind(":enabled", text(PaymentsStatus::Enabled.as_str())),
    }
}

/// The transaction fails unless the organization is active.
pub(super) fn active_check(org: &OrgId) -> Write {
    Write::check(keys::organization(org)).when("#is_active = :yes").bind(":yes", AttributeValue::Bool(true))
}

impl Store {
    /// How a person stands now: one read.
    pub async fn standing(
        &self,
        org: &OrgId,
        user: &UserId,
        session: &SessionId,
    ) -> Result<Standing, StoreError> {
        let who = Who { org, user, session };
        who.standing(&mut self.get_several(&who.keys()).await?)
    }

    /// An organization and a person's role in it: one read.
    pub async fn organization_and_role(
        &self,
        org: &OrgId,
        user: &UserId,
    ) -> Result<(Option<Organization>, Option<Role>), StoreError> {
        let (organization, member) = (keys::organization(org), keys::member(org, user));
        let mut found = self.get_several(&[organization.clone(), member.clone()]).await?;
        let role = found.remove(&member).map(decode::<Member>).transpose()?.map(|member| member.role);
        Ok((found.remove(&organization).map(decode).transpose()?, role))
    }
}
