//! Use cases, one file each: what the product does, without HTTP, Lambda or SDK.

mod change_key;
mod change_password;
mod create_key;
mod discovery;
mod factors;
mod forgot_password;
mod invitations;
mod list_events;
mod list_keys;
mod login;
mod logout;
mod mails;
mod members;
mod note_usage;
mod open_challenge;
pub mod operator;
mod organization;
mod refresh;
mod register;
mod rename_organization;
mod report_leaks;
mod resend;
mod reset_password;
mod revoke_key;
mod second_factor;
mod sessions;
mod set_password;
mod switch_environment;
mod tokens;
mod trail;
mod verify;
mod verify_email;
mod webhooks;
mod which_organization;

pub use change_key::change_key;
pub use change_password::change_password;
pub use create_key::{CreatedKey, KeyRequest, create_key};
pub use discovery::published_keys;
pub use factors::{
    Factors, Proof, TotpBegun, begin_totp, confirm_totp, factors, remake_backup_codes, remove_totp,
};
pub use forgot_password::forgot_password;
pub use invitations::{
    InvitationRequest, Joined, Newcomer, accept_invitation, invite, list_invitations, withdraw_invitation,
};
pub use list_events::{ListedEvents, list_events};
pub use list_keys::{DescribedKey, ListedKeys, list_keys};
pub use login::{LoginStarted, login};
pub use logout::logout;
pub use mails::ON_ITS_WAY;
pub use members::{
    ListedOrganization, change_role, hand_over, list_members, list_organizations, remove_member,
};
pub use note_usage::note_usage;
pub use organization::organization;
pub use refresh::refresh;
pub use register::{NewAccount, register, resend_sign_up_code};
pub use rename_organization::rename_organization;
pub use report_leaks::{check_report, report_leaks};
pub use resend::{Resent, resend};
pub use reset_password::reset_password;
pub use revoke_key::revoke_key;
pub use sessions::{ListedSession, ListedSessions, end_other_sessions, end_session, list_sessions};
pub use switch_environment::switch_environment;
pub use tokens::Tokens;
pub use verify::{CodeType, verify};
pub use verify_email::verify_email;
pub use webhooks::{
    ShownWebhook, WebhookRequest, remove_webhook, rotate_webhook_secret, set_webhook, show_webhook,
    test_webhook,
};

use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::ids::OrgId;
use crate::key_sets::KeySetsError;
use crate::mail::MailError;
use crate::organizations::Organization;
use crate::passwords::PasswordError;
use crate::principals::UserPrincipal;
use crate::secrets::SecretError;
use crate::signer::SignError;
use crate::store::{Standing, StoreError, Writer};
use crate::users::User;

/// Where a request comes from, as the gateway says: nothing here but the client's name is from a header.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The gateway's id of the request.
    pub request_id: String,
    /// The network of its source address (/24, /48).
    pub network: String,
    /// The source address; empty where the gateway names none.
    pub source_address: String,
    /// What the client calls itself: shown, never believed.
    pub client: String,
}

/// Why a use case did not do what it was asked. What status that is, `http` says.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Unknown address or wrong password: never which.
    #[error("unknown address or wrong password")]
    InvalidCredentials,
    /// A guard is shut.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds until it opens.
        retry_after: i64,
    },
    /// The code is wrong, used, expired, or another challenge's.
    #[error("the code is not accepted")]
    InvalidCode,
    /// The reset token is not ours, was used, has expired, or its person's credentials changed since.
    #[error("the reset token is not accepted")]
    InvalidResetToken,
    /// The password is one that too many people have, or is made of such, or of who its owner is.
    #[error("the password is too common")]
    CommonPassword,
    /// The refresh token is not ours, was used, or its session is over; the word says which, for the log alone.
    #[error("the refresh token is not accepted: {0}")]
    InvalidRefreshToken(&'static str),
    /// The session behind the access token is over.
    #[error("the session is over")]
    SessionOver,
    /// Another organization's resource.
    #[error("another organization's")]
    WrongOrganization,
    /// The role does not allow it.
    #[error("the role does not allow it")]
    InsufficientRole,
    /// Onboarding or payments are missing.
    #[error("not onboarded")]
    OnboardingIncomplete,
    /// The organization is suspended.
    #[error("the organization is suspended")]
    OrganizationSuspended,
    /// An authenticator app is on.
    #[error("an authenticator app is on")]
    TotpEnabled,
    /// The organization has an active key.
    #[error("an active key exists")]
    ActiveKeyExists,
    /// Allowed, but not so often.
    #[error("too often")]
    RateLimited {
        /// Seconds until it is allowed.
        retry_after: i64,
    },
    /// The idempotency key belongs to another request.
    #[error("the idempotency key belongs to another request")]
    IdempotencyMismatch,
    /// The key that the idempotency key stands for was revoked.
    #[error("the idempotency key is spent")]
    IdempotencySpent,
    /// The address is somebody's already.
    #[error("the address is taken")]
    AddressTaken,
    /// The token of an invitation is not ours, was used, replaced or withdrawn, or has expired.
    #[error("the invitation is not accepted")]
    InvalidInvitation,
    /// Nobody has the invited address yet: it takes a name and a password.
    #[error("there is no account yet")]
    AccountRequired,
    /// They belong to the organization already.
    #[error("a member already")]
    AlreadyMember,
    /// The organization has as many people as one can have.
    #[error("as many members as there can be")]
    TooManyMembers,
    /// The person belongs to as many organizations as one can.
    #[error("as many organizations as there can be")]
    TooManyOrganizations,
    /// An organization is not left without its owner.
    #[error("the last owner")]
    LastOwner,
    /// The issuer has another name already.
    #[error("the issuer is named")]
    IssuerNamed,
    /// A report is not signed by anybody who is trusted.
    #[error("the signature is not accepted")]
    InvalidSignature,
    /// The key was revoked: nothing of it changes any more.
    #[error("the key is revoked")]
    KeyRevoked,
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// Not the client's doing. Nothing was decided, so nothing is allowed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

macro_rules! failed_from {
    ($($error:ty),*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}
failed_from!(StoreError, SecretError, KeySetsError, MailError, SignError, PasswordError);

impl Refusal {
    /// The code clients and the audit trail know it by. A code never changes once shipped.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::InvalidCode => "invalid_code",
            Self::InvalidResetToken => "invalid_reset_token",
            Self::CommonPassword => "common_password",
            Self::InvalidRefreshToken(_) => "invalid_refresh_token",
            Self::SessionOver => "unauthorized",
            Self::WrongOrganization => "wrong_organization",
            Self::InsufficientRole => "insufficient_role",
            Self::OnboardingIncomplete => "onboarding_incomplete",
            Self::OrganizationSuspended => "organization_suspended",
            Self::TotpEnabled => "totp_enabled",
            Self::ActiveKeyExists => "active_key_exists",
            Self::RateLimited { .. } => "rate_limited",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::IdempotencySpent => "idempotency_spent",
            Self::AddressTaken => "address_taken",
            Self::InvalidInvitation => "invalid_invitation",
            Self::AccountRequired => "account_required",
            Self::AlreadyMember => "already_member",
            Self::TooManyMembers => "too_many_members",
            Self::TooManyOrganizations => "too_many_organizations",
            Self::LastOwner => "last_owner",
            Self::IssuerNamed => "issuer_named",
            Self::InvalidSignature => "invalid_signature",
            Self::KeyRevoked => "key_revoked",
            Self::NotFound => "not_found",
            Self::Failed(_) => "service_unavailable",
        }
    }
}

/// Who may write: the session lives, the organization is active, the role may; in this order.
fn may_write(standing: Standing, permission: Permission, now: i64) -> Result<Organization, Refusal> {
    if !standing.session.is_some_and(|session| session.is_live(now)) {
        return Err(Refusal::SessionOver);
    }
    let organization = standing.organization.ok_or(Refusal::WrongOrganization)?;
    if !organization.is_active {
        return Err(Refusal::OrganizationSuspended);
    }
    match standing.role {
        Some(role) if permission.is_for(role) => Ok(organization),
        _ => Err(Refusal::InsufficientRole),
    }
}

/// What every member may, whatever their role: what is a person's own.
const MEMBER: Permission = Permission::ReadOrganization;

/// Who a write is by, and what they must be for it: the write looks again.
fn writer(user: &UserPrincipal, permission: Permission) -> Writer<'_> {
    Writer::of(user, permission.roles())
}

/// Every organization that a person belongs to. Somebody of older code is found by their item alone.
async fn organizations_of(app: &App, user: &User) -> Result<Vec<OrgId>, Refusal> {
    let mut organizations = app.store.organizations_of(&user.user_id).await?;
    if !organizations.contains(&user.org_id) {
        organizations.push(user.org_id.clone());
    }
    Ok(organizations)
}

/// How often a write is tried whose standing changed between the read and the write.
const WRITE_TRIES: usize = 3;
