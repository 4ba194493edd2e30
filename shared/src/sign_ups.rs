//! Sign-ups: an account and its organization, asked for and not there yet, until somebody types the code that was mailed to the address.

use serde::{Deserialize, Serialize};

use crate::api_keys::Env;
use crate::challenges::{self, Code, MAX_ATTEMPTS};
use crate::crypto;
use crate::ids::{OrgId, UserId};
use crate::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use crate::users::{Identity, Role, User};

/// How long a sign-up waits for its code, in seconds: a code can be sent again for as long. After that, whoever still wants it signs up again.
pub const LIFETIME_SECONDS: i64 = 24 * 60 * 60;
/// How long one of its codes lives, in seconds.
pub const CODE_LIFETIME_SECONDS: i64 = challenges::LIFETIME_SECONDS;
/// The country of who did not say: ISO 3166-1 keeps it for "none of these".
pub const NO_COUNTRY: &str = "ZZ";

/// A sign-up. Found by the hash of its address, of which it is the latest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUp {
    /// The id that the person will have.
    pub user_id: UserId,
    /// The id that the organization will have.
    pub org_id: OrgId,
    /// The address, as it was given.
    pub email: String,
    /// The person's name.
    pub full_name: String,
    /// PHC string.
    pub password_hash: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Keyed hash of the code that is alive.
    pub code_hash: String,
    /// Codes tried so far.
    pub attempts: u32,
    /// When the code dies. Seconds since the epoch.
    pub code_expires_at: i64,
    /// When the sign-up does. Seconds since the epoch.
    pub expires_at: i64,
    /// Whether somebody had the address: then nobody was mailed the code, and it makes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken: bool,
}

/// Without address, name and hashes: an accidental `{:?}` in a log gives away an id at most.
impl std::fmt::Debug for SignUp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SignUp")
            .field("user_id", &self.user_id)
            .field("org_id", &self.org_id)
            .finish_non_exhaustive()
    }
}

/// What is stored in a code's place. A code is worth nothing for another sign-up of the same address.
pub fn code_hash(code: &Code, key: &[u8], user_id: &UserId) -> String {
    code.hash_for(key, user_id.as_str())
}

impl SignUp {
    /// Whether it waits for a code at `now`.
    pub fn is_pending(&self, now: i64) -> bool {
        self.expires_at > now && self.attempts < MAX_ATTEMPTS
    }

    /// Whether a code may be tried at `now`.
    pub fn is_open(&self, now: i64) -> bool {
        self.is_pending(now) && self.code_expires_at > now
    }

    /// Whether `code` is the one that is alive, under any of `keys` (the secret's current and previous version).
    pub fn accepts(&self, code: &Code, keys: &[&[u8]]) -> bool {
        let is = |key: &&[u8]| {
            crypto::equal(code_hash(code, key, &self.user_id).as_bytes(), self.code_hash.as_bytes())
        };
        keys.iter().any(is)
    }

    /// The person.
    pub fn user(&self) -> User {
        User::new(
            self.user_id.clone(),
            self.email.clone(),
            self.full_name.clone(),
            self.password_hash.clone(),
            self.org_id.clone(),
        )
    }

    /// Who they are to their first session.
    pub fn identity(&self) -> Identity {
        Identity {
            user_id: self.user_id.clone(),
            org_id: self.org_id.clone(),
            email: self.email.clone(),
            full_name: self.full_name.clone(),
            role: Role::Owner,
            has_onboarded: false,
        }
    }

    /// The organization: in test mode, not onboarded. Its owner calls it as they like later.
    pub fn organization(&self, now: i64) -> Organization {
        Organization {
            id: self.org_id.clone(),
            name: format!("{}'s organization", self.full_name),
            owner_user_id: self.user_id.clone(),
            onboarding_status: OnboardingStatus::NotStarted,
            payments_status: PaymentsStatus::Disabled,
            current_env: Env::Test,
            country: self.country.clone(),
            is_active: true,
            created_at: now,
            updated_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    #[test]
    fn a_code_belongs_to_one_sign_up_and_one_key() {
        let somebody = || UserId::new(&ManualClock::new(OffsetDateTime::UNIX_EPOCH), &SystemRng);
        let (user, code) = (somebody(), Code::typed("123456"));
        assert_eq!(code_hash(&code, b"key", &user), code_hash(&Code::typed("123456"), b"key", &user));
        assert_ne!(code_hash(&code, b"key", &user), code_hash(&code, b"key", &somebody()));
        assert_ne!(code_hash(&code, b"key", &user), code_hash(&code, b"yek", &user));
    }
}
