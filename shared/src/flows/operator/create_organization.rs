//! A new organization with its owner.

use super::trail;
use crate::addresses::EmailAddress;
use crate::api_keys::Env;
use crate::app::App;
use crate::flows::trail::Trail;
use crate::flows::{Origin, Refusal};
use crate::ids::{OrgId, UserId};
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use crate::sensitive::Sensitive;
use crate::store::StoreError;
use crate::users::User;

/// What is asked for.
#[derive(Debug)]
pub struct NewOrganization {
    /// Its name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The owner's address, as they gave it.
    pub owner_email: String,
    /// The same, normalized.
    pub owner_address: EmailAddress,
    /// The owner's name.
    pub owner_full_name: String,
    /// The owner's first password.
    pub owner_password: Sensitive<String>,
}

/// Makes an organization and its owner: in test mode, not onboarded. A repeat, known by the owner's address and the name, gives the
/// organization that is there already, and leaves the password as it is.
///
/// # Errors
/// [`Refusal::AddressTaken`] when the address is somebody's who does not own an organization of this name.
pub async fn create_organization(
    app: &App,
    origin: &Origin,
    new: &NewOrganization,
) -> Result<Organization, Refusal> {
    let mut trail = trail(app, "operator.create_organization", origin);
    trail.address(&new.owner_address);
    let result = attempt(app, new, &mut trail).await;
    if let Ok(organization) = &result {
        about(&mut trail, organization);
    }
    trail.end(result)
}

fn about(trail: &mut Trail<'_>, organization: &Organization) {
    trail.actor(&"operator", &organization.id);
    trail.target(&organization.owner_user_id);
}

async fn attempt(app: &App, new: &NewOrganization, trail: &mut Trail<'_>) -> Result<Organization, Refusal> {
    if let Some(owner) = app.store.user(&new.owner_address).await? {
        return repeated(app, new, &owner, trail).await;
    }
    let (clock, rng) = (app.clock.as_ref(), app.rng.as_ref());
    let (id, user_id, now) = (OrgId::new(clock, rng), UserId::new(clock, rng), clock.now_seconds());
    let password_hash = app.passwords.hash(&new.owner_password, rng).await?;
    let (email, full_name) = (new.owner_email.clone(), new.owner_full_name.clone());
    let owner = User::new(user_id.clone(), email, full_name, password_hash, id.clone());
    let organization = Organization {
        id,
        name: new.name.clone(),
        owner_user_id: user_id,
        onboarding_status: OnboardingStatus::NotStarted,
        payments_status: PaymentsStatus::Disabled,
        current_env: Env::Test,
        country: new.country.clone(),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    about(trail, &organization);
    let event = trail.event();
    match app.store.create_organization(&organization, &new.owner_address, &owner, &event).await {
        Ok(()) => Ok(organization),
        // Somebody was faster: look who it was.
        Err(StoreError::ConditionFailed(_)) => {
            trail.nothing();
            let owner = app.store.user(&new.owner_address).await?.ok_or(Refusal::AddressTaken)?;
            repeated(app, new, &owner, trail).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn repeated(
    app: &App,
    new: &NewOrganization,
    owner: &User,
    trail: &mut Trail<'_>,
) -> Result<Organization, Refusal> {
    let organization = app.store.organization(&owner.org_id).await?;
    let same = organization.filter(|it| it.owner_user_id == owner.user_id && it.name == new.name);
    trail.note("was_there");
    same.ok_or(Refusal::AddressTaken)
}
