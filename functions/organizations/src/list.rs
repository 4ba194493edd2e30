//! `GET /organizations`: all that one is a member of.

use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, ListedOrganization};
use shared::http::{Answer, Call, Problem, Time};
use shared::ids::OrgId;
use shared::users::Role;

/// An organization that one is a member of.
#[derive(Serialize, JsonSchema)]
pub struct OwnOrganization {
    /// Its id: `org_id` of a login's second step.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// One's role there.
    pub role: Role,
    /// False while it is suspended.
    pub is_active: bool,
    /// Whether it is the one that this session is for. Another one needs a new login.
    pub is_current: bool,
    /// When one joined.
    pub joined_at: Time,
}

/// All of them.
#[derive(Serialize, JsonSchema)]
pub struct OwnOrganizations {
    /// This session's first, then by when one joined.
    pub organizations: Vec<OwnOrganization>,
}

impl From<&ListedOrganization> for OwnOrganization {
    fn from(listed: &ListedOrganization) -> Self {
        Self {
            id: listed.organization.id.clone(),
            name: listed.organization.name.clone(),
            role: listed.member.role,
            is_active: listed.organization.is_active,
            is_current: listed.is_current,
            joined_at: Time::at(listed.member.joined_at),
        }
    }
}

pub async fn list(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let all = flows::list_organizations(app, call.origin(), call.user()?).await?;
    Ok(Answer::ok(OwnOrganizations { organizations: all.iter().map(OwnOrganization::from).collect() }))
}
