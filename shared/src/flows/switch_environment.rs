//! Switching an organization between test and live: which keys it makes from now on.

use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::api_keys::Env;
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::organizations::Organization;
use crate::principals::{Principal, UserPrincipal};
use crate::store::EnvironmentOutcome;

const PERMISSION: Permission = Permission::SwitchEnvironment;

/// Switches the environment; to the one it is in changes nothing. Keys that exist keep theirs.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`],
/// [`Refusal::OnboardingIncomplete`].
pub async fn switch_environment(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
    env: Env,
) -> Result<Organization, Refusal> {
    let mut trail = Trail::of(app, "organization.switch_environment", origin, &Principal::User(user.clone()));
    trail.target(&env.as_str());
    let result = attempt(app, user, id, env, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    env: Env,
    trail: &mut Trail<'_>,
) -> Result<Organization, Refusal> {
    if id != user.org_id.as_str() {
        return Err(Refusal::WrongOrganization);
    }
    for _ in 0..WRITE_TRIES {
        let now = app.clock.now_seconds();
        let standing = app.store.standing(&user.org_id, &user.user_id, &user.session_id).await?;
        let mut organization = may_write(standing, PERMISSION, now)?;
        if !organization.may_use(env) {
            return Err(Refusal::OnboardingIncomplete);
        }
        if organization.current_env == env {
            trail.note("was_there");
            return Ok(organization);
        }
        match app.store.set_environment(writer(user, PERMISSION), env, &trail.event(), now).await? {
            EnvironmentOutcome::Switched => {
                organization.current_env = env;
                organization.updated_at = now;
                return Ok(organization);
            }
            EnvironmentOutcome::StandingChanged => {}
        }
    }
    Err(Failure::Contended.into())
}
