//! What webhooks are signed with.

use std::fmt::Write as _;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::{self, SealError, Sealed};
use crate::ids::OrgId;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

/// For how many seconds a secret that was replaced signs along.
pub const PREVIOUS_SECONDS: i64 = 24 * 60 * 60;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// An organization's secret: `whsec_` and 256 random bits. All of it, as text, is the key.
#[derive(Debug, Clone)]
pub struct WebhookSecret(Sensitive<String>);

/// A secret as the table keeps it: it opens with the `webhooks` secret, for its organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// HKDF's salt, base64.
    pub salt: String,
    /// The secret under AES-256-GCM, base64.
    pub ciphertext: String,
}

impl WebhookSecret {
    /// A new one.
    pub fn generate(rng: &dyn Rng) -> Self {
        let random = Zeroizing::new(rng::bytes::<32>(rng));
        let mut text = String::with_capacity(PREFIX.len() + 43);
        text.push_str(PREFIX);
        BASE64_URL_SAFE_NO_PAD.encode_string(random.as_slice(), &mut text);
        Self(Sensitive::new(text))
    }

    /// Itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Seals it under a key of the `webhooks` secret.
    ///
    /// # Errors
    /// Nothing that can happen.
    pub fn seal(&self, rng: &dyn Rng, key: &[u8], org: &OrgId) -> Result<SealedSecret, SealError> {
        let sealed = crypto::seal(rng, key, &context(org), self.0.expose().as_bytes())?;
        Ok(SealedSecret {
            salt: BASE64_STANDARD.encode(sealed.salt),
            ciphertext: BASE64_STANDARD.encode(sealed.ciphertext),
        })
    }
}

impl SealedSecret {
    /// Opens it with the one of `keys` that it was sealed under.
    ///
    /// # Errors
    /// When it is none of theirs, or another organization's.
    pub fn open(&self, keys: &[&[u8]], org: &OrgId) -> Result<WebhookSecret, SealError> {
        let decode = |text: &String| BASE64_STANDARD.decode(text).map_err(|_| SealError);
        let sealed = Sealed { salt: decode(&self.salt)?, ciphertext: decode(&self.ciphertext)? };
        let opened = keys.iter().find_map(|key| crypto::open(key, &context(org), &sealed).ok());
        let text = String::from_utf8(opened.ok_or(SealError)?.to_vec()).map_err(|_| SealError)?;
        Ok(WebhookSecret(Sensitive::new(text)))
    }
}

fn context(org: &OrgId) -> [&[u8]; 2] {
    [b"webhook", org.as_str().as_bytes()]
}

/// The header that says when a body was signed, and its signature under each secret, the newest first: `t=…,v1=…,v1=…`. What is signed is
/// the time, a full stop and the body: who has an old request cannot make a new one of it.
pub fn signature(secrets: &[WebhookSecret], at: i64, body: &str) -> String {
    let at = at.to_string();
    let mut header = format!("t={at}");
    for secret in secrets {
        let mac = crypto::hmac_sha256(secret.expose().as_bytes(), &[at.as_bytes(), b".", body.as_bytes()]);
        // A text takes whatever is written.
        let _ = write!(header, ",v1={}", crypto::hex(&mac));
    }
    header
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    fn org() -> OrgId {
        OrgId::new(&ManualClock::new(OffsetDateTime::UNIX_EPOCH), &SystemRng)
    }

    #[test]
    fn a_secret_opens_for_its_organization_and_under_its_key_alone() {
        let (ours, theirs, secret) = (org(), org(), WebhookSecret::generate(&SystemRng));
        let sealed = secret.seal(&SystemRng, b"key", &ours).unwrap();
        assert_eq!(sealed.open(&[b"newer", b"key"], &ours).unwrap().expose(), secret.expose());
        assert!(sealed.open(&[b"newer"], &ours).is_err());
        assert!(sealed.open(&[b"key"], &theirs).is_err());
        let bent = SealedSecret { ciphertext: "%".to_owned(), ..sealed.clone() };
        assert!(bent.open(&[b"key"], &ours).is_err());
        let stored = serde_json::to_string(&sealed).unwrap();
        assert!(!stored.contains(&secret.expose()[PREFIX.len()..]), "{stored}");
    }

    #[test]
    fn a_secret_has_its_form_and_is_not_printed() {
        let secret = WebhookSecret::generate(&SystemRng);
        assert!(secret.expose().starts_with(PREFIX) && secret.expose().len() == 49);
        assert_eq!(
            secret.expose().len(),
            secret.0.expose().capacity(),
            "it grew, and left its beginning behind"
        );
        assert!(!format!("{secret:?}").contains(&secret.expose()[PREFIX.len()..]));
        assert_ne!(secret.expose(), WebhookSecret::generate(&SystemRng).expose());
    }

    #[test]
    fn a_signature_is_over_time_and_body_under_each_secret() {
        let secret = |text: &str| WebhookSecret(Sensitive::new(text.to_owned()));
        // By another's hand: printf '1700000000.{"id":1}' | openssl dgst -sha256 -hmac one
        let expected = "t=1700000000,v1=49c7a4425c898b6849832187365e31285cbe5f2a012b57db9ba53464c120c99e,\
                        v1=d75881bccad1602ecbe5e94b8376735bb44d19835041c518d85fed4e4bc21f4c";
        let signed = signature(&[secret("one"), secret("two")], 1_700_000_000, r#"{"id":1}"#);
        assert_eq!(signed, expected);
        assert_ne!(signature(&[secret("one")], 1_700_000_001, r#"{"id":1}"#), signed);
    }
}
