//! What is wrong with a request, and the only map from reasons to status codes.

use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::flows::Refusal;

/// How long a client should wait while the database or the secret store is away, in seconds.
const UNAVAILABLE_RETRY_AFTER: i64 = 5;

/// What is said of a password that may not be set.
const COMMON_PASSWORD: &str =
    "must not be a common password, and not consist of such, of your name or of your address";

/// One field that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FieldProblem {
    /// Its name.
    pub field: &'static str,
    /// What it must be.
    pub message: String,
}

/// What is wrong.
#[derive(Debug)]
pub enum Problem {
    /// The body is not a JSON object in UTF-8.
    InvalidJson,
    /// A signed report is not what it should be.
    InvalidReport,
    /// The body, a header or a query parameter is not what it should be.
    Invalid(Vec<FieldProblem>),
    /// The body is longer than we read.
    TooLarge,
    /// The same for a report, of which more is read.
    ReportTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The path knows other methods.
    MethodNotAllowed(&'static str),
    /// A protected route without a principal: the authorizer is not in front of it.
    Unauthorized,
    /// An API key where a person is needed.
    SessionRequired,
    /// The dashboard's name, from a page that is not the dashboard's.
    OriginNotAllowed,
    /// The use case refused.
    Refused(Refusal),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Problem {
    /// One field's problem.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { field, message: message.into() }])
    }

    /// What is wrong with a password that is being set is a problem of the field it is in.
    pub fn of_password(refusal: Refusal, field: &'static str) -> Self {
        match refusal {
            Refusal::CommonPassword => Self::field(field, COMMON_PASSWORD),
            other => other.into(),
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidJson | Self::InvalidReport | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge | Self::ReportTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::SessionRequired | Self::OriginNotAllowed => StatusCode::FORBIDDEN,
            Self::Refused(refusal) => match refusal {
                Refusal::InvalidCredentials
                | Refusal::InvalidCode
                | Refusal::InvalidResetToken
                | Refusal::InvalidSignature
                | Refusal::InvalidRefreshToken(_)
                | Refusal::InvalidInvitation
                | Refusal::SessionOver => StatusCode::UNAUTHORIZED,
                Refusal::WrongOrganization
                | Refusal::InsufficientRole
                | Refusal::OnboardingIncomplete
                | Refusal::OrganizationSuspended => StatusCode::FORBIDDEN,
                Refusal::CommonPassword => StatusCode::BAD_REQUEST,
                Refusal::NotFound => StatusCode::NOT_FOUND,
                Refusal::ActiveKeyExists
                | Refusal::TotpEnabled
                | Refusal::IdempotencyMismatch
                | Refusal::IdempotencySpent
                | Refusal::KeyRevoked
                | Refusal::AddressTaken
                | Refusal::AccountRequired
                | Refusal::AlreadyMember
                | Refusal::TooManyMembers
                | Refusal::TooManyOrganizations
                | Refusal::LastOwner
                | Refusal::IssuerNamed => StatusCode::CONFLICT,
                Refusal::TooManyAttempts { .. } | Refusal::RateLimited { .. } => {
                    StatusCode::TOO_MANY_REQUESTS
                }
                Refusal::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidReport => "invalid_report",
            Self::Invalid(_) => "validation_failed",
            Self::TooLarge | Self::ReportTooLarge => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Unauthorized => "unauthorized",
            Self::SessionRequired => "session_required",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// The sentence for people.
    pub fn message(&self) -> &'static str {
        match self {
            Self::InvalidJson => "The body must be a JSON object in UTF-8.",
            Self::InvalidReport => "A report must be a list of what was found, each with its token and type.",
            Self::Invalid(_) => "Some fields are missing or not what they must be.",
            Self::TooLarge => "The body must not be longer than 16 KiB.",
            Self::ReportTooLarge => "A report must not be longer than 256 KiB.",
            Self::UnsupportedMediaType => "The body must be sent as Content-Type: application/json.",
            Self::MethodNotAllowed(_) => {
                "This path does not know this method; the Allow header lists those it knows."
            }
            Self::Unauthorized | Self::Refused(Refusal::SessionOver) => {
                "The credential is missing, malformed, expired or revoked. Send Authorization: Bearer with a valid one."
            }
            Self::SessionRequired => "An API key cannot do this. Log in and use an access token.",
            Self::OriginNotAllowed => {
                "Only the dashboard itself may ask as the dashboard. Open it at its own address."
            }
            Self::Refused(refusal) => refusal_message(refusal),
        }
    }

    /// Seconds for `Retry-After`, where the status has one.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Refused(
                Refusal::TooManyAttempts { retry_after } | Refusal::RateLimited { retry_after },
            ) => Some((*retry_after).max(1)),
            Self::Refused(Refusal::Failed(_)) => Some(UNAVAILABLE_RETRY_AFTER),
            _ => None,
        }
    }
}

fn refusal_message(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::InvalidCredentials => "The email address or the password is wrong.",
        Refusal::TooManyAttempts { .. } => {
            "Too many attempts. Wait as long as Retry-After says, then try again."
        }
        Refusal::InvalidCode => "The code is wrong, was used, or has expired. Ask for a new one.",
        Refusal::InvalidResetToken => {
            "The reset token was used, has expired, or is not one of ours. Ask for a new one."
        }
        Refusal::CommonPassword => COMMON_PASSWORD,
        Refusal::InvalidRefreshToken(_) => {
            "The refresh token was used, has expired, or is not one of ours. Log in again."
        }
        Refusal::SessionOver => "The session is over. Log in again.",
        Refusal::WrongOrganization => "This belongs to another organization.",
        Refusal::InsufficientRole => {
            "Your role does not allow this. Ask an owner or an admin of your organization."
        }
        Refusal::OnboardingIncomplete => {
            "Your organization has not completed the onboarding that this needs."
        }
        Refusal::OrganizationSuspended => "Your organization is suspended. Contact support.",
        Refusal::TotpEnabled => {
            "An authenticator app is on: codes come from it, and it has to be turned off before another is set up."
        }
        Refusal::ActiveKeyExists => {
            "Your organization has an active API key. Revoke it, then create a new one."
        }
        Refusal::RateLimited { .. } => "Not so often. Wait as long as Retry-After says, then try again.",
        Refusal::IdempotencyMismatch => "This idempotency key was used with another request. Use a new one.",
        Refusal::IdempotencySpent => "The API key that this idempotency key made was revoked. Use a new one.",
        Refusal::AddressTaken => "Somebody has this email address already.",
        Refusal::InvalidInvitation => {
            "The invitation was used, replaced or withdrawn, has expired, or is not one of ours. Ask for a new one."
        }
        Refusal::AccountRequired => {
            "Nobody has an account with this address yet. Send full_name and password with the token."
        }
        Refusal::AlreadyMember => "They are a member of this organization already.",
        Refusal::TooManyMembers => {
            "Your organization has as many people as it can have, those who are invited among them."
        }
        Refusal::TooManyOrganizations => "You are a member of as many organizations as one person can be.",
        Refusal::LastOwner => {
            "An organization has an owner at any time. Hand it over to another member first."
        }
        Refusal::IssuerNamed => "The issuer has another name already, and keeps it.",
        Refusal::InvalidSignature => "The report is not signed with a key that is trusted here.",
        Refusal::KeyRevoked => "This API key was revoked. Nothing of it changes any more.",
        Refusal::NotFound => "There is nothing here.",
        Refusal::Failed(_) => {
            "The service is not available for the moment. Wait as long as Retry-After says, then try again."
        }
    }
}
