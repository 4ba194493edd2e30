//! New secrets, in the form they are stored in: for whoever sets a deployment up.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::stored::{StoredKey, StoredSigner, StoredSigning, parse_signing};
use crate::rng::{self, Rng};
use crate::signer::SignError;
use crate::tokens::key_set::PublicKey;

/// A new `signing` secret: a key that signs, and a first refresh key.
pub fn signing(rng: &dyn Rng) -> Result<String, SignError> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| SignError::Failed)?;
    let pkcs8 = key.to_pkcs8v1().map_err(|_| SignError::Failed)?;
    let kid = BASE64_URL_SAFE_NO_PAD.encode(rng::bytes::<12>(rng));
    let signing = StoredSigner { kid, pkcs8: BASE64_STANDARD.encode(pkcs8.as_ref()) };
    let stored = StoredSigning { signing, refresh: fresh(rng) };
    serde_json::to_string(&stored).map_err(|_| SignError::Failed)
}

/// A new `codes` or `sealing` secret.
pub fn key(rng: &dyn Rng) -> String {
    let StoredKey { key, next, .. } = fresh(rng);
    serde_json::json!({ "key": key, "next": next }).to_string()
}

/// The public half of a `signing` secret.
pub fn public_key(signing_secret: &str) -> Option<PublicKey> {
    parse_signing(signing_secret).map(|signing| signing.signer.public_key())
}

fn fresh(rng: &dyn Rng) -> StoredKey {
    let random = || BASE64_URL_SAFE_NO_PAD.encode(rng::bytes::<48>(rng));
    StoredKey { key: random(), previous: None, next: Some(random()) }
}
