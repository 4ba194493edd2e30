//! A TOTP secret at rest: sealed, so that neither the table nor the `factors` secret alone makes a code.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::TotpSecret;
use crate::crypto::{self, SealError, Sealed};
use crate::ids::UserId;
use crate::rng::Rng;

/// A secret under AES-256-GCM: salt and ciphertext in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedTotp(pub String, pub String);

/// An authenticator app that is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// Its secret.
    pub sealed: SealedTotp,
    /// The step of the last code that was used. A step is used once, and none before it any more.
    pub last_step: i64,
    /// Since when it is on. Seconds since the epoch.
    pub since: i64,
}

/// An authenticator app that nobody has shown to work yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingTotp {
    /// Its secret.
    pub sealed: SealedTotp,
    /// Until when it can be confirmed. Seconds since the epoch.
    pub expires_at: i64,
}

impl SealedTotp {
    /// Seals a person's secret under the `factors` secret. It opens for nobody else.
    pub fn seal(rng: &dyn Rng, key: &[u8], user: &UserId, secret: &TotpSecret) -> Result<Self, SealError> {
        let sealed = crypto::seal(rng, key, &context(user), secret.expose())?;
        Ok(Self(BASE64_STANDARD.encode(sealed.salt), BASE64_STANDARD.encode(sealed.ciphertext)))
    }

    /// Opens a person's secret under whichever of `keys` it was sealed under; says whether that is the first, the current one.
    pub fn open(&self, keys: &[&[u8]], user: &UserId) -> Result<(TotpSecret, bool), SealError> {
        let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| SealError);
        let sealed = Sealed { salt: decode(&self.0)?, ciphertext: decode(&self.1)? };
        let opened = keys.iter().enumerate().find_map(|(nth, key)| {
            let bytes = crypto::open(key, &context(user), &sealed).ok()?;
            Some((TotpSecret::read(&bytes)?, nth == 0))
        });
        opened.ok_or(SealError)
    }
}

fn context(user: &UserId) -> [&[u8]; 2] {
    [b"totp secret", user.as_str().as_bytes()]
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    #[test]
    fn a_sealed_secret_opens_for_its_person_under_a_key_that_is_still_there() {
        let somebody = || UserId::new(&ManualClock::new(OffsetDateTime::UNIX_EPOCH), &SystemRng);
        let (user, other, secret) = (somebody(), somebody(), TotpSecret::generate(&SystemRng));
        let sealed = SealedTotp::seal(&SystemRng, b"old", &user, &secret).unwrap();
        let open = |keys: &[&[u8]]| {
            sealed.open(keys, &user).map(|(it, current)| (it.expose() == secret.expose(), current))
        };
        assert_eq!(open(&[b"old"]), Ok((true, true)));
        assert_eq!(open(&[b"new", b"old"]), Ok((true, false)));
        assert_eq!(open(&[b"new"]), Err(SealError));
        assert!(sealed.open(&[b"old"], &other).is_err(), "somebody else's");
        let moved = SealedTotp(sealed.1.clone(), sealed.0.clone());
        assert!(moved.open(&[b"old"], &user).is_err());
        assert!(SealedTotp("%".to_owned(), String::new()).open(&[b"old"], &user).is_err());
        let stored = serde_json::to_string(&sealed).unwrap();
        assert!(!stored.contains(secret.base32().expose()));
    }
}
