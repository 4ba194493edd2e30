//! Merchants' organizations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api_keys::Env;
use crate::ids::{OrgId, UserId};

/// How far an organization has come with telling us who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnboardingStatus {
    /// Nothing told yet.
    NotStarted,
    /// Some of it.
    InProgress,
    /// All of it, and accepted.
    Completed,
}

impl OnboardingStatus {
    /// As it is written: `NOT_STARTED`, `IN_PROGRESS` or `COMPLETED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NOT_STARTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
        }
    }
}

/// Whether real money may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentsStatus {
    /// Not yet, or no longer.
    Disabled,
    /// Yes.
    Enabled,
}

impl PaymentsStatus {
    /// As it is written: `DISABLED` or `ENABLED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Enabled => "ENABLED",
        }
    }
}

/// A merchant's organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// The person it belongs to.
    pub owner_user_id: UserId,
    /// See [`OnboardingStatus`].
    pub onboarding_status: OnboardingStatus,
    /// See [`PaymentsStatus`].
    pub payments_status: PaymentsStatus,
    /// The environment new keys are made for.
    pub current_env: Env,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// False while suspended.
    pub is_active: bool,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Seconds since the epoch.
    pub updated_at: i64,
}

impl Organization {
    /// Whether onboarding is finished, which is what `hasOnboarded` says of its people.
    pub fn has_onboarded(&self) -> bool {
        self.onboarding_status == OnboardingStatus::Completed
    }

    /// Whether it may be in `env`: test always; live once onboarded and with payments enabled.
    pub fn may_use(&self, env: Env) -> bool {
        env == Env::Test || (self.has_onboarded() && self.payments_status == PaymentsStatus::Enabled)
    }
}
