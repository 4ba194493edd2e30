//! Challenges: the pending second step of a login.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crypto;
use crate::ids::ChallengeId;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;
use crate::users::Identity;

/// How long a code lives, in seconds.
pub const LIFETIME_SECONDS: i64 = 10 * 60;
/// How many codes may be tried for one challenge. The code dies with the last.
pub const MAX_ATTEMPTS: u32 = 5;
/// How often a code may be sent again for one challenge.
pub const MAX_RESENDS: u32 = 3;
/// How long to wait before a code is sent again, in seconds.
pub const RESEND_AFTER_SECONDS: i64 = 60;

/// A one-time code: six digits. It cannot be printed; it leaves by mail alone.
#[derive(Debug, Clone)]
pub struct Code(Sensitive<String>);

impl Code {
    /// A new code, each of the million equally likely.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Sensitive::new(format!("{:06}", rng::below(rng, 1_000_000))))
    }

    /// A code somebody typed. Any text may be tried; only the right one is right.
    pub fn typed(text: &str) -> Self {
        Self(Sensitive::new(text.to_owned()))
    }

    /// The code itself, for the mail.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored in its place: HMAC-SHA-256 over challenge and code under the `codes` secret, hexadecimal. A bare hash
    /// of six digits is undone by trying a million; and a code is worth nothing for another challenge.
    pub fn hash(&self, key: &[u8], challenge: &ChallengeId) -> String {
        self.hash_for(key, challenge.as_str())
    }

    /// The same for whatever a code is worth something for: an id, whose prefix says what kind.
    pub fn hash_for(&self, key: &[u8], id: &str) -> String {
        crypto::hex(&crypto::hmac_sha256(key, &[id.as_bytes(), b"\0", self.expose().as_bytes()]))
    }
}

/// How a second step is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SecondStep {
    /// With a code from a mail.
    #[default]
    EmailOtp,
    /// With a code from an authenticator app, or a backup code.
    Totp,
}

/// A pending second step.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Its id, which the client holds.
    pub challenge_id: ChallengeId,
    /// Who passed the first step.
    #[serde(flatten)]
    pub identity: Identity,
    /// Hash of the normalized address: names the guards.
    pub address_hash: String,
    /// The network the first step came from: names a guard that success opens.
    pub network: String,
    /// `User::credentials` as the first step found it.
    #[serde(default)]
    pub credentials: u32,
    /// The person's password, hashed anew by the first step, where what is stored was made with other parameters. Whoever completes the login
    /// stores it, in a write that is made anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_password_hash: Option<String>,
    /// How it is done. Older code knows mailed codes alone, and finds none here that is right where there is none.
    #[serde(default)]
    pub method: SecondStep,
    /// Keyed hash of the code that is alive. Empty where none was mailed: no code hashes to that.
    pub code_hash: String,
    /// Codes tried so far.
    pub attempts: u32,
    /// Codes sent again so far.
    pub resends: u32,
    /// When the code that is alive was sent. Seconds since the epoch.
    pub sent_at: i64,
    /// When it dies. Seconds since the epoch.
    pub expires_at: i64,
    /// When it was used. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumed_at: Option<i64>,
}

/// Without address, name and hashes: an accidental `{:?}` in a log gives away ids at most.
impl std::fmt::Debug for Challenge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Challenge")
            .field("challenge_id", &self.challenge_id)
            .field("identity", &self.identity)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl Challenge {
    /// Whether a code may still be tried at `now`.
    pub fn is_open(&self, now: i64) -> bool {
        self.consumed_at.is_none() && self.expires_at > now && self.attempts < MAX_ATTEMPTS
    }

    /// Whether `code` is the one that is alive, under any of `keys` (the secret's current and previous version).
    pub fn accepts(&self, code: &Code, keys: &[&[u8]]) -> bool {
        keys.iter().any(|key| {
            crypto::equal(code.hash(key, &self.challenge_id).as_bytes(), self.code_hash.as_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    #[test]
    fn a_code_is_six_digits_and_not_printed() {
        for _ in 0..100 {
            let code = Code::generate(&SystemRng);
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
            assert_eq!(format!("{code:?}"), "Code([sensitive])");
        }
    }

    #[test]
    fn a_hash_belongs_to_one_challenge_and_one_key() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        let (one, other) = (ChallengeId::new(&clock, &SystemRng), ChallengeId::new(&clock, &SystemRng));
        let code = Code::typed("123456");
        assert_eq!(code.hash(b"key", &one), Code::typed("123456").hash(b"key", &one));
        assert_ne!(code.hash(b"key", &one), code.hash(b"key", &other));
        assert_ne!(code.hash(b"key", &one), code.hash(b"yek", &one));
        assert_ne!(code.hash(b"key", &one), Code::typed("123457").hash(b"key", &one));
    }
}
