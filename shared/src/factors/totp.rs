//! Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, a step of 30 seconds, six digits.

use zeroize::Zeroizing;

use super::base32;
use crate::crypto;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

/// How long a step is, in seconds.
pub const STEP_SECONDS: i64 = 30;
/// How many bytes a secret has: as many as SHA-1 gives (RFC 4226 section 4, R6).
pub const SECRET_BYTES: usize = 20;
/// How long a secret waits for the first code that was made with it, in seconds.
pub const PENDING_SECONDS: i64 = 10 * 60;
/// Under whose name an app keeps the secret.
pub const ISSUER: &str = "Syncgram Pay";

/// How many steps a phone's clock may be behind or ahead, and the step in which a code was read past (RFC 6238 section 5.2).
const SKEW_STEPS: i64 = 1;
/// Six digits: everything below this.
const CODES: u32 = 1_000_000;

/// What an authenticator app and we share.
#[derive(Debug, Clone)]
pub struct TotpSecret(Sensitive<Vec<u8>>);

impl TotpSecret {
    /// A new secret.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Sensitive::new(rng::bytes::<SECRET_BYTES>(rng).to_vec()))
    }

    /// The secret that was [`TotpSecret::expose`]d. Anything else than so many bytes is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == SECRET_BYTES).then(|| Self(Sensitive::new(bytes.to_vec())))
    }

    /// Its bytes, to be sealed.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// As people type it into an app that has no camera.
    pub fn base32(&self) -> Sensitive<String> {
        Sensitive::new(base32::encode(self.expose()).to_string())
    }

    /// As a QR code says it to an app (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>). `address` tells the app's
    /// owner which of their accounts it is.
    pub fn uri(&self, address: &str) -> Sensitive<String> {
        let (issuer, address) = (percent_encoded(ISSUER), percent_encoded(address));
        let secret = base32::encode(self.expose());
        Sensitive::new(format!(
            "otpauth://totp/{issuer}:{address}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECONDS}",
            secret.as_str()
        ))
    }

    /// The step that `code` is of: the one of `now`, the one before it or the one after it, and later than `after`, the last that was
    /// used. Of two steps with the same code it is the later one, so that the code is spent with it.
    pub fn step_of(&self, code: &str, now: i64, after: Option<i64>) -> Option<i64> {
        let current = now.div_euclid(STEP_SECONDS);
        let mut found = None;
        // All of them, whichever is right: how long it takes says nothing.
        for step in current - SKEW_STEPS..=current + SKEW_STEPS {
            let right = crypto::equal(self.code(step).as_bytes(), code.as_bytes());
            if right && after.is_none_or(|after| step > after) {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step: RFC 4226 section 5.3.
    fn code(&self, step: i64) -> Zeroizing<String> {
        Zeroizing::new(format!("{:06}", truncated(self.expose(), step) % CODES))
    }
}

fn truncated(secret: &[u8], step: i64) -> u32 {
    let mac = crypto::hmac_sha1(secret, &step.to_be_bytes());
    let at = usize::from(mac[19] & 15);
    u32::from_be_bytes([mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]])
}

/// Percent-encodes everything but what never needs it (RFC 3986 section 2.3).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    /// What the RFCs count with.
    fn published() -> TotpSecret {
        TotpSecret::read(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_published_vectors_come_out() {
        // RFC 6238 appendix B, SHA-1, whose codes have eight digits.
        for (time, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let step = i64::div_euclid(time, STEP_SECONDS);
            assert_eq!(truncated(published().expose(), step) % 100_000_000, code, "{time}");
            assert_eq!(published().code(step).as_str(), format!("{:06}", code % CODES), "{time}");
        }
        // RFC 4226 appendix D: the counter's first ten codes.
        let expected =
            [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (step, code) in (0..).zip(expected) {
            assert_eq!(published().code(step).as_str(), code.to_string());
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_before_and_after_and_no_further() {
        let (secret, now) = (published(), 1_234_567_890);
        let step = now / STEP_SECONDS;
        for (of, good) in
            [(step - 2, false), (step - 1, true), (step, true), (step + 1, true), (step + 2, false)]
        {
            assert_eq!(secret.step_of(&secret.code(of), now, None), good.then_some(of));
        }
        let odd = ["", "00592", "0005924", "５", "005924 ", " 05924", "+05924"];
        assert!(odd.iter().all(|odd| secret.step_of(odd, now, None).is_none()));
    }

    #[test]
    fn a_step_that_was_used_is_over_and_so_is_every_one_before_it() {
        let (secret, now) = (published(), 1_234_567_890);
        let step = now / STEP_SECONDS;
        for (used, good) in [(step - 2, true), (step - 1, true), (step, false), (step + 1, false)] {
            assert_eq!(secret.step_of(&secret.code(step), now, Some(used)).is_some(), good, "{used}");
        }
    }

    #[test]
    fn another_secret_makes_other_codes_and_none_is_printed() {
        let (one, other) = (TotpSecret::generate(&SystemRng), TotpSecret::generate(&SystemRng));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(format!("{one:?}"), "TotpSecret([sensitive])");
        assert!(TotpSecret::read(b"short").is_none() && TotpSecret::read(one.expose()).is_some());
        assert_eq!(one.base32().expose().len(), 32);
    }

    #[test]
    fn a_uri_says_whose_it_is_and_nothing_in_an_address_ends_a_part_of_it() {
        let uri = published().uri("o&w?n=e/r:%@shöp.example");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Syncgram%20Pay:o%26w%3Fn%3De%2Fr%3A%25%40sh%C3%B6p.example\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Syncgram%20Pay&algorithm=SHA1&digits=6&period=30"
        );
    }
}
