//! New secrets, in the form they are stored in.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::stored::{Stamp, StoredKey, StoredPlain, StoredSigner, StoredSigning};
use crate::rng::{self, Rng};
use crate::signer::SignError;
use crate::tokens::key_set::PublicKey;

/// A new `signing` secret: a key that signs, the one that will sign after it, and a first refresh key.
pub fn signing(rng: &dyn Rng) -> Result<String, SignError> {
    serde_json::to_string(&new_signing(rng)?).map_err(|_| SignError::Failed)
}

/// A new `codes` or `sealing` secret.
pub fn key(rng: &dyn Rng) -> String {
    serde_json::to_string(&StoredPlain { key: new_key(rng), stamp: Stamp::default() }).unwrap_or_default()
}

/// The public halves of what signs and of what will sign: all that is to be published for a `signing` secret.
pub fn public_keys(signing_secret: &str) -> Option<Vec<PublicKey>> {
    let stored: StoredSigning = serde_json::from_str(signing_secret).ok()?;
    let signers = [Some(&stored.signing), stored.next.as_ref()].into_iter().flatten();
    signers.map(|signer| Some(signer.parse()?.public_key())).collect()
}

pub(super) fn new_signing(rng: &dyn Rng) -> Result<StoredSigning, SignError> {
    Ok(StoredSigning {
        signing: new_signer(rng)?,
        next: Some(new_signer(rng)?),
        refresh: new_key(rng),
        stamp: Stamp::default(),
    })
}

pub(super) fn new_signer(rng: &dyn Rng) -> Result<StoredSigner, SignError> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| SignError::Failed)?;
    let pkcs8 = key.to_pkcs8v1().map_err(|_| SignError::Failed)?;
    let kid = BASE64_URL_SAFE_NO_PAD.encode(rng::bytes::<12>(rng));
    Ok(StoredSigner { kid, pkcs8: BASE64_STANDARD.encode(pkcs8.as_ref()) })
}

pub(super) fn new_key(rng: &dyn Rng) -> StoredKey {
    StoredKey { key: random(rng), previous: None, next: Some(random(rng)), key_since: None, next_since: None }
}

/// 48 random bytes as text.
pub(super) fn random(rng: &dyn Rng) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rng::bytes::<48>(rng))
}
