//! Organizations in the table.

use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;

use super::standing::{bind_may_use, may_use};
use super::users::user_writes;
use super::write::{Write, number, text};
use super::{Finding, Store, StoreError, Transacted, Writer, keys};
use crate::addresses::EmailAddress;
use crate::api_keys::{ActiveKey, Env};
use crate::audit::Event;
use crate::ids::OrgId;
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use crate::users::{Role, User};

/// How switching the environment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentOutcome {
    /// It is switched.
    Switched,
    /// Session, role or organization changed since they were read: look again.
    StandingChanged,
}

impl Store {
    /// The organization, if there is one.
    pub async fn organization(&self, id: &OrgId) -> Result<Option<Organization>, StoreError> {
        self.get(keys::organization(id)).await
    }

    /// Switches the environment, if it is another one, and session, role and organization still allow it.
    pub async fn set_environment(
        &self,
        by: Writer<'_>,
        env: Env,
        event: &Event,
        now: i64,
    ) -> Result<EnvironmentOutcome, StoreError> {
        let switch = Write::update(keys::organization(by.org), "SET #current_env = :env, #updated_at = :now")
            .when(may_use(env))
            .and_when("#current_env <> :env");
        let switch = bind_may_use(switch, env).bind(":env", text(env.as_str())).bind(":now", number(now));
        let mut writes = vec![switch];
        writes.extend(by.checks(now));
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(EnvironmentOutcome::Switched),
            Transacted::Cancelled(_) => Ok(EnvironmentOutcome::StandingChanged),
        }
    }

    /// Gives an organization another name, if session, role and organization still allow it; says whether it did.
    pub async fn rename_organization(
        &self,
        by: Writer<'_>,
        name: &str,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let rename = Write::update(keys::organization(by.org), "SET #name = :name, #updated_at = :now")
            .when("#is_active = :yes AND #name <> :name")
            .bind(":yes", AttributeValue::Bool(true))
            .bind(":name", text(name))
            .bind(":now", number(now));
        let mut writes = vec![rename];
        writes.extend(by.checks(now));
        let transacted = self.transact_with(writes, slice::from_ref(event)).await?;
        Ok(matches!(transacted, Transacted::Committed))
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
        let mut writes = vec![organization_write(organization)?];
        writes.extend(user_writes(address, owner, Role::Owner, event.at)?);
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

/// A new organization.
pub(super) fn organization_write(organization: &Organization) -> Result<Write, StoreError> {
    Ok(Write::put(keys::organization(&organization.id), organization)?.when("attribute_not_exists(#pk)"))
}
