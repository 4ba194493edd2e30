//! Reset tokens: what a forgotten password is replaced with. They travel by mail alone, and work once.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto;
use crate::ids::UserId;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

/// How long a token lives, in seconds.
pub const LIFETIME_SECONDS: i64 = 30 * 60;
/// What every reset token begins with.
pub const PREFIX: &str = "rst_";
const TOKEN_BYTES: usize = 32;
/// How many characters every reset token has.
pub const LENGTH: usize = PREFIX.len() + (TOKEN_BYTES * 4).div_ceil(3);

/// A text that has not the form of a reset token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a reset token")]
pub struct InvalidResetToken;

/// `rst_` and 256 random bits in base64url. It cannot be printed.
#[derive(Debug, Clone)]
pub struct ResetToken(Sensitive<String>);

impl ResetToken {
    /// A new one.
    pub fn generate(rng: &dyn Rng) -> Self {
        let bytes = Zeroizing::new(rng::bytes::<TOKEN_BYTES>(rng));
        // As long as it gets from the beginning: a text that grows leaves its beginnings behind.
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        BASE64_URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        Self(Sensitive::new(text))
    }

    /// Reads a token's form: what has another is none, and nobody need look it up.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidResetToken> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidResetToken)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map(Zeroizing::new);
        match bytes {
            Ok(bytes) if bytes.len() == TOKEN_BYTES => Ok(Self(Sensitive::new(text.to_owned()))),
            _ => Err(InvalidResetToken),
        }
    }

    /// The token itself, for the mail.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored in its place: SHA-256 in hexadecimal. There is nothing to guess, so no key is needed.
    pub fn hash(&self) -> String {
        crypto::sha256_hex(&[self.0.expose().as_bytes()])
    }
}

/// What a token in the table is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The hash of the address it was mailed to.
    pub address_hash: String,
    /// Who had that address then. Without anybody it is good for nothing: who asked was told the same, and it cost the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The person's count of credentials when it was made: any change of them since then ends it.
    pub credentials: u32,
    /// When it dies. Seconds since the epoch.
    pub expires_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    #[test]
    fn a_token_is_read_as_it_was_made_and_not_printed() {
        let token = ResetToken::generate(&SystemRng);
        assert_eq!((token.expose().len(), token.0.expose().capacity()), (LENGTH, LENGTH));
        assert_eq!(ResetToken::parse(token.expose()).unwrap().hash(), token.hash());
        assert_ne!(ResetToken::generate(&SystemRng).hash(), token.hash());
        assert_eq!(format!("{token:?}"), "ResetToken([sensitive])");
    }

    #[test]
    fn only_one_spelling_is_a_token() {
        let good = ResetToken::generate(&SystemRng);
        let good = good.expose();
        let standard = good.replace(['-', '_'], "+").replacen("rst+", "rst_", 1);
        for bad in [
            "",
            "rst_",
            &good[4..],
            &good.to_uppercase(),
            &format!("{good}="),
            &format!("{good}A"),
            &format!(" {good}"),
            // The last character has two bits that say nothing: those set are another spelling.
            &format!("{}B", &good[..LENGTH - 1]),
            &good.replace("rst_", "rt_"),
        ] {
            assert_eq!(ResetToken::parse(bad).err(), Some(InvalidResetToken), "{bad}");
        }
        assert!(standard == good || ResetToken::parse(&standard).is_err());
    }
}
