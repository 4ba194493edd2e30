//! The demo organizations and their people. Their ids are fixed, so that a second start finds them there.

use std::sync::OnceLock;

use shared::addresses::EmailAddress;
use shared::api_keys::Env;
use shared::app::App;
use shared::clock::Clock;
use shared::ids::{OrgId, UserId};
use shared::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use shared::passwords;
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use shared::store::StoreError;
use shared::users::{Role, User};

use crate::StartError;

/// The password of everybody here.
pub const PASSWORD: &str = "demo-password-123";

/// A person of a demo organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub user_id: &'static str,
    /// Their address.
    pub email: &'static str,
    /// Their name.
    pub full_name: &'static str,
    /// Their role at the beginning.
    pub role: Role,
}

/// A demo organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoOrganization {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Whether it may go live. Both are in test mode at the beginning.
    pub ready_to_go_live: bool,
    /// May do everything.
    pub owner: Person,
    /// May do everything but own.
    pub admin: Person,
    /// May look.
    pub viewer: Person,
}

impl DemoOrganization {
    /// Everybody: owner, admin, viewer.
    pub fn people(&self) -> [Person; 3] {
        [self.owner, self.admin, self.viewer]
    }
}

/// In test mode, and has not finished onboarding.
pub const ACORN: DemoOrganization = DemoOrganization {
    id: "org_01J0ACRN000000000000000000",
    name: "Acorn Books",
    country: "GB",
    ready_to_go_live: false,
    owner: person("usr_01J0ACRN000000000000000001", "owner@acorn.example", "Olivia Acorn", Role::Owner),
    admin: person("usr_01J0ACRN000000000000000002", "admin@acorn.example", "Adam Acorn", Role::Admin),
    viewer: person("usr_01J0ACRN000000000000000003", "viewer@acorn.example", "Vera Acorn", Role::Viewer),
};

/// In test mode, onboarded and with payments enabled: may go live.
pub const BIRCH: DemoOrganization = DemoOrganization {
    id: "org_01J0B1RCH00000000000000000",
    name: "Birch Coffee",
    country: "NL",
    ready_to_go_live: true,
    owner: person("usr_01J0B1RCH00000000000000001", "owner@birch.example", "Oscar Birch", Role::Owner),
    admin: person("usr_01J0B1RCH00000000000000002", "admin@birch.example", "Ada Birch", Role::Admin),
    viewer: person("usr_01J0B1RCH00000000000000003", "viewer@birch.example", "Victor Birch", Role::Viewer),
};

/// Both.
pub const ORGANIZATIONS: [DemoOrganization; 2] = [ACORN, BIRCH];

const fn person(user_id: &'static str, email: &'static str, full_name: &'static str, role: Role) -> Person {
    Person { user_id, email, full_name, role }
}

/// Writes what is missing. Says how many of the people were.
pub async fn seed(app: &App, clock: &dyn Clock) -> Result<usize, StartError> {
    let password_hash = password_hash()?;
    let now = clock.now_seconds();
    let mut made = 0;
    for demo in &ORGANIZATIONS {
        for person in demo.people() {
            let address = EmailAddress::parse(person.email).map_err(|error| StartError::seed(&error))?;
            let user = User::new(
                user_id(person.user_id)?,
                person.email.to_owned(),
                person.full_name.to_owned(),
                password_hash.clone(),
                org_id(demo.id)?,
            );
            let event = crate::event(app, demo.id);
            let written = match person.role {
                // The organization is made with its owner.
                Role::Owner => {
                    app.store.create_organization(&organization(demo, now)?, &address, &user, &event).await
                }
                role => app.store.create_user(&address, &user, role, &event).await,
            };
            made += usize::from(is_new(written)?);
        }
    }
    Ok(made)
}

/// A failed condition says that it is there already.
fn is_new(written: Result<(), StoreError>) -> Result<bool, StartError> {
    match written {
        Ok(()) => Ok(true),
        Err(StoreError::ConditionFailed(_)) => Ok(false),
        Err(error) => Err(StartError::seed(&error)),
    }
}

fn organization(demo: &DemoOrganization, now: i64) -> Result<Organization, StartError> {
    let (onboarding_status, payments_status) = if demo.ready_to_go_live {
        (OnboardingStatus::Completed, PaymentsStatus::Enabled)
    } else {
        (OnboardingStatus::InProgress, PaymentsStatus::Disabled)
    };
    Ok(Organization {
        id: org_id(demo.id)?,
        name: demo.name.to_owned(),
        owner_user_id: user_id(demo.owner.user_id)?,
        onboarding_status,
        payments_status,
        current_env: Env::Test,
        country: demo.country.to_owned(),
        is_active: true,
        created_at: now,
        updated_at: now,
    })
}

fn org_id(text: &str) -> Result<OrgId, StartError> {
    OrgId::parse(text).map_err(|error| StartError::seed(&error))
}

fn user_id(text: &str) -> Result<UserId, StartError> {
    UserId::parse(text).map_err(|error| StartError::seed(&error))
}

/// One hash for everybody, made once a process: a hash is the most expensive part of a start, and in one test process
/// there are many.
fn password_hash() -> Result<String, StartError> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash.clone());
    }
    let hash = passwords::hash(&Sensitive::new(PASSWORD.to_owned()), &SystemRng);
    let hash = hash.map_err(|error| StartError::seed(&error))?;
    Ok(HASH.get_or_init(|| hash).clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_an_id_and_nobody_is_there_twice() {
        let mut ids = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        for demo in &ORGANIZATIONS {
            let organization = organization(demo, 0).unwrap();
            assert_eq!(organization.may_use(Env::Live), demo.ready_to_go_live);
            ids.insert(demo.id);
            for person in demo.people() {
                user_id(person.user_id).unwrap();
                ids.insert(person.user_id);
                addresses.insert(person.email);
            }
        }
        assert_eq!((ids.len(), addresses.len()), (8, 6));
    }
}
