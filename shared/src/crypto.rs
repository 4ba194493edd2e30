//! The few primitives everything else is made of, all from AWS-LC.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, digest, hkdf, hmac};
use zeroize::Zeroizing;

use crate::rng::{self, Rng};

/// SHA-256 of `parts`, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    to_32(context.finish().as_ref())
}

/// SHA-256 of `parts` in lower-case hexadecimal.
pub fn sha256_hex(parts: &[&[u8]]) -> String {
    hex(&sha256(parts))
}

/// HMAC-SHA-256 of `parts` under `key`.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    to_32(context.sign().as_ref())
}

/// HMAC-SHA-1 of `message` under `key`: for TOTP alone, since authenticator apps know little else. What broke SHA-1 finds two messages with
/// one hash, and makes no MAC without its key (RFC 6238 section 1.2).
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    out.copy_from_slice(hmac::sign(&key, message).as_ref());
    out
}

/// Compares without saying by its time where the first difference is.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// A new name that nobody guesses and nobody else has: 128 random bits, in hexadecimal. DynamoDB and Secrets Manager take it as a request's.
pub fn new_name(rng: &dyn Rng) -> String {
    hex(&rng::bytes::<16>(rng))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// A sealed message: it opens only under the same secret and the same context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// HKDF's salt, random for every message, so that no two are sealed under the same key.
    pub salt: Vec<u8>,
    /// The message under AES-256-GCM, its tag at the end.
    pub ciphertext: Vec<u8>,
}

/// Why a message was not sealed or opened: AWS-LC does not say, and nobody should be told.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the sealed message does not open")]
pub struct SealError;

/// Seals `message` with AES-256-GCM under HKDF-SHA-256(secret, random salt, context) (RFC 5869).
///
/// The key serves one message, so the all-zero nonce never repeats under it.
pub fn seal(rng: &dyn Rng, secret: &[u8], context: &[&[u8]], message: &[u8]) -> Result<Sealed, SealError> {
    let salt = rng::bytes::<32>(rng);
    let mut ciphertext = message.to_vec();
    sealing_key(secret, &salt, context)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; NONCE_LEN]), Aad::empty(), &mut ciphertext)
        .map_err(|_| SealError)?;
    Ok(Sealed { salt: salt.to_vec(), ciphertext })
}

/// Opens what [`seal`] sealed under the same secret and context. What comes out is wiped when it is dropped.
pub fn open(secret: &[u8], context: &[&[u8]], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut buffer = Zeroizing::new(sealed.ciphertext.clone());
    let length = sealing_key(secret, &sealed.salt, context)?
        .open_in_place(Nonce::assume_unique_for_key([0; NONCE_LEN]), Aad::empty(), buffer.as_mut_slice())
        .map_err(|_| SealError)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

fn sealing_key(secret: &[u8], salt: &[u8], context: &[&[u8]]) -> Result<LessSafeKey, SealError> {
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    // Each part goes in as its own hash: two different lists never run together into the same context.
    let digests: Vec<[u8; 32]> = context.iter().map(|part| sha256(&[part])).collect();
    let info: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
    let key = pseudorandom.expand(&info, &AES_256_GCM).map_err(|_| SealError)?;
    Ok(LessSafeKey::new(UnboundKey::from(key)))
}

fn to_32(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    #[test]
    fn sha256_matches_the_published_vector() {
        // FIPS 180-4, "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(&[b"a", b"bc"]), expected);
    }

    #[test]
    fn hmac_matches_the_published_vector() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"])), expected);
    }

    #[test]
    fn a_sealed_message_opens_only_under_its_secret_and_context() {
        let sealed = seal(&SystemRng, b"secret", &[b"org", b"key"], b"message").unwrap();
        assert_eq!(open(b"secret", &[b"org", b"key"], &sealed).unwrap().as_slice(), b"message");
        assert_eq!(open(b"other", &[b"org", b"key"], &sealed), Err(SealError));
        assert_eq!(open(b"secret", &[b"orgk", b"ey"], &sealed), Err(SealError));
        let mut bent = sealed.clone();
        bent.ciphertext[0] ^= 1;
        assert_eq!(open(b"secret", &[b"org", b"key"], &bent), Err(SealError));
    }

    #[test]
    fn the_same_message_is_sealed_differently_each_time() {
        let once = seal(&SystemRng, b"secret", &[b"org"], b"message").unwrap();
        let again = seal(&SystemRng, b"secret", &[b"org"], b"message").unwrap();
        assert_ne!(once, again);
    }
}
