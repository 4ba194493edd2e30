//! Organizations in the table, and how somebody stands in theirs.

use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;

use super::users::{Member, NOT_ENDED, user_writes};
use super::write::{Write, number, text};
use super::{Finding, Store, StoreError, Transacted, decode, keys};
use crate::addresses::EmailAddress;
use crate::api_keys::{ActiveKey, Env};
use crate::audit::Event;
use crate::ids::{OrgId, SessionId, UserId};
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use crate::principals::UserPrincipal;
use crate::sessions::Session;
use crate::users::{Role, User};

/// How a person stands now, whatever their access token says: read together, and checked again by the write that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The session, if it is there and was not ended with all the person's sessions.
    pub session: Option<Session>,
    /// The organization, if it is there.
    pub organization: Option<Organization>,
    /// The role in it, if they are a member.
    pub role: Option<Role>,
}

/// How switching the environment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentOutcome {
    /// It is switched.
    Switched,
    /// Session, role or organization changed since they were read: look again.
    StandingChanged,
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

    /// The transaction fails unless the session lives and the role still manages. The organization is the caller's to check.
    pub fn checks(&self, now: i64) -> [Write; 2] {
        [
            Write::check(keys::session(self.session))
                .when("attribute_exists(#pk) AND attribute_not_exists(#revoked_at) AND #expires_at > :now")
                .bind(":now", number(now)),
            Write::check(keys::member(self.org, self.user))
                .when(&format!("#role IN (:owner, :admin) AND {NOT_ENDED}"))
                .bind(":made_at", number(self.session.made_at()))
                .bind(":owner", text(Role::Owner.as_str()))
                .bind(":admin", text(Role::Admin.as_str())),
        ]
    }
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

/// Puts a [`Standing`] together from what was read.
pub(super) fn standing_of(
    found: &mut std::collections::HashMap<keys::Key, super::Item>,
    who: Who<'_>,
) -> Result<Standing, StoreError> {
    let [session, organization, member] = who.keys();
    let member = found.remove(&member).map(decode::<Member>).transpose()?;
    let ended = member.as_ref().is_some_and(|member| member.ended(who.session));
    Ok(Standing {
        session: found.remove(&session).filter(|_| !ended).map(decode).transpose()?,
        organization: found.remove(&organization).map(decode).transpose()?,
        role: member.map(|member| member.role),
    })
}

impl Store {
    /// The organization, if there is one.
    pub async fn organization(&self, id: &OrgId) -> Result<Option<Organization>, StoreError> {
        self.get(keys::organization(id)).await
    }

    /// How a person stands now: one read.
    pub async fn standing(
        &self,
        org: &OrgId,
        user: &UserId,
        session: &SessionId,
    ) -> Result<Standing, StoreError> {
        let who = Who { org, user, session };
        let mut found = self.get_several(&who.keys()).await?;
        standing_of(&mut found, who)
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

    /// Switches the environment, if it is another one, and session, role and organization still allow it.
    pub async fn set_environment(
        &self,
        by: &UserPrincipal,
        env: Env,
        event: &Event,
        now: i64,
    ) -> Result<EnvironmentOutcome, StoreError> {
        let UserPrincipal { org_id: org, user_id: user, session_id: session, .. } = by;
        let switch = Write::update(keys::organization(org), "SET #current_env = :env, #updated_at = :now")
            .when(may_use(env))
            .and_when("#current_env <> :env");
        let switch = bind_may_use(switch, env).bind(":env", text(env.as_str())).bind(":now", number(now));
        let mut writes = vec![switch];
        writes.extend(Who { org, user, session }.checks(now));
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(EnvironmentOutcome::Switched),
            Transacted::Cancelled(_) => Ok(EnvironmentOutcome::StandingChanged),
        }
    }

    /// Adds an organization and its owner, or neither. The operator's, not the API's.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when the organization is there already, or somebody has the owner's address.
    pub async fn create_organization(
        &self,
        organization: &Organization,
        address: &EmailAddress,
        owner: &User,
        event: &Event,
    ) -> Result<(), StoreError> {
        let mut writes = vec![
            Write::put(keys::organization(&organization.id), organization)?.when("attribute_not_exists(#pk)"),
        ];
        writes.extend(user_writes(address, owner, Role::Owner)?);
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(()),
            Transacted::Cancelled(_) => {
                Err(StoreError::ConditionFailed("the organization is there already, or its owner's address"))
            }
        }
    }

    /// Records how far onboarding and payments have come; says whether that was not so before. The operator's, not the API's.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when there is no such organization.
    pub async fn set_onboarding(
        &self,
        id: &OrgId,
        onboarding: OnboardingStatus,
        payments: PaymentsStatus,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let change = "SET #onboarding_status = :onboarding, #payments_status = :payments, #updated_at = :now";
        let write = Write::update(keys::organization(id), change)
            .when("attribute_exists(#pk) AND (#onboarding_status <> :onboarding OR #payments_status <> :payments)")
            .bind(":onboarding", text(onboarding.as_str()))
            .bind(":payments", text(payments.as_str()))
            .bind(":now", number(now));
        self.change(write, event, "no such organization").await
    }

    /// Gives a member another role; says whether they did not have it. The operator's, not the API's.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when they are no member.
    pub async fn set_role(
        &self,
        org: &OrgId,
        user: &UserId,
        role: Role,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let write = Write::update(keys::member(org, user), "SET #role = :role")
            .when("attribute_exists(#pk) AND #role <> :role")
            .bind(":role", text(role.as_str()));
        self.change(write, event, "no such member").await
    }

    /// Suspends an organization or lifts it, and marks its active key's credential in the same transaction, so that the
    /// key is refused on its very next call; says whether that was not so before. The operator's, not the API's. Each try has an
    /// event of its own.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when there is no such organization; [`StoreError::Contended`] when its keys keep changing.
    pub async fn set_suspended(
        &self,
        id: &OrgId,
        suspended: bool,
        event: &(dyn Fn() -> Event + Sync),
        now: i64,
    ) -> Result<bool, StoreError> {
        for _ in 0..3 {
            let active: Option<ActiveKey> = self.get(keys::active_key(id)).await?;
            let organization =
                Write::update(keys::organization(id), "SET #is_active = :active, #updated_at = :now")
                    .when("attribute_exists(#pk) AND #is_active <> :active")
                    .bind(":active", AttributeValue::Bool(!suspended))
                    .bind(":now", number(now));
            let mut writes = vec![organization];
            match &active {
                None => writes.push(Write::check(keys::active_key(id)).when("attribute_not_exists(#pk)")),
                Some(key) => {
                    writes.push(
                        Write::check(keys::active_key(id))
                            .when("#api_key_id = :seen")
                            .bind(":seen", text(key.api_key_id.as_str())),
                    );
                    writes.push(
                        Write::update(keys::key_credential(&key.key_hash), "SET #org_suspended = :suspended")
                            .when("attribute_exists(#pk)")
                            .bind(":suspended", AttributeValue::Bool(suspended)),
                    );
                }
            }
            let Transacted::Cancelled(findings) = self.transact_with(writes, &[event()]).await? else {
                return Ok(true);
            };
            match findings.into_iter().next() {
                Some(Finding { failed: true, old: Some(_), .. }) => return Ok(false),
                Some(Finding { failed: true, old: None, .. }) => {
                    return Err(StoreError::ConditionFailed("no such organization"));
                }
                // The active key is another one than was read.
                _ => {}
            }
        }
        Err(StoreError::Contended(None))
    }
}
