//! Signing: the private key, parsed once, and the access tokens it makes.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::tokens::access_token::{self, Claims};
use crate::tokens::key_set::{ALGORITHM, CURVE, KEY_TYPE, PublicKey, USAGE};

/// 64 bytes in base64url.
const SIGNATURE_CHARACTERS: usize = 86;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The private key is not PKCS #8 of a P-256 key.
    #[error("the signing key cannot be read")]
    UnreadableKey,
    /// AWS-LC refused to sign.
    #[error("signing failed")]
    Failed,
}

/// A P-256 private key and the name of its public half.
pub struct Signer {
    kid: String,
    key: EcdsaKeyPair,
}

impl Signer {
    /// Parses a private key (PKCS #8, DER).
    pub fn new(kid: String, pkcs8: &[u8]) -> Result<Self, SignError> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|_| SignError::UnreadableKey)?;
        Ok(Self { kid, key })
    }

    /// The name of the public half. It must be published before anything is signed.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs an access token (RFC 7515 section 7.1, RFC 7518 section 3.4: 64 bytes, R then S).
    #[expect(clippy::disallowed_methods, reason = "the nonce of a signature is AWS-LC's own business")]
    pub fn sign(&self, claims: &Claims) -> Result<String, SignError> {
        let input = access_token::signing_input(&self.kid, claims).map_err(|_| SignError::Failed)?;
        let signature =
            self.key.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| SignError::Failed)?;
        // As long as it gets from the beginning: a text that grows leaves its beginnings behind.
        let mut token = String::with_capacity(input.len() + 1 + SIGNATURE_CHARACTERS);
        token.push_str(&input);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }

    /// The public half, as it is published.
    pub fn public_key(&self) -> PublicKey {
        // RFC 5480 section 2.2: 0x04, then x and y of 32 bytes each.
        let point = self.key.public_key().as_ref();
        let coordinate = |range| BASE64_URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
        PublicKey {
            kty: KEY_TYPE.to_owned(),
            crv: CURVE.to_owned(),
            alg: ALGORITHM.to_owned(),
            usage: USAGE.to_owned(),
            kid: self.kid.clone(),
            x: coordinate(1..33),
            y: coordinate(33..65),
        }
    }
}
