//! Access tokens: signed, 15 minutes, verified by anybody who has the public keys.
//!
//! RFC 9068 (the profile), RFC 8725 (what goes wrong). The algorithm is ours, never the header's choice; keys come from our key set
//! alone; whatever the header holds beyond `alg`, `typ` and `kid` is refused.

use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::key_set::{Keyring, PublicKey};

/// How long an access token lives, in seconds.
pub const LIFETIME_SECONDS: i64 = 15 * 60;
/// How far ahead another environment's clock may be when it signs, in seconds. It is not granted to `exp`.
pub const LEEWAY_SECONDS: i64 = 60;
/// The longest token looked at, in bytes. Ours are about 500.
pub const MAX_BYTES: usize = 4096;
const MAX_KID_BYTES: usize = 64;

/// The claims of an access token; all are required, others are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// Who it is for.
    pub aud: String,
    /// When it expires. Seconds since the epoch.
    pub exp: i64,
    /// When it was issued. Seconds since the epoch.
    pub iat: i64,
    /// Its own id.
    pub jti: String,
    /// The session.
    pub sid: String,
    /// The organization.
    pub org: String,
    /// The role in it: `owner`, `admin` or `viewer`.
    pub role: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// Why a token is not accepted. For logs and metrics; a client learns none of it.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not three parts of strict base64url over the JSON we issue.
    #[error("not a token of ours")]
    Malformed,
    /// Not `ES256`.
    #[error("not ES256")]
    WrongAlgorithm,
    /// Not `at+jwt`: another kind of token.
    #[error("not at+jwt")]
    WrongType,
    /// No published key has this `kid`.
    #[error("no published key of this name")]
    UnknownKid,
    /// The signature is not by that key over these bytes.
    #[error("the signature is wrong")]
    BadSignature,
    /// Another issuer.
    #[error("another issuer")]
    WrongIssuer,
    /// For somebody else.
    #[error("another audience")]
    WrongAudience,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Issued in the future, or for longer than we issue.
    #[error("implausible times")]
    ImplausibleTimes,
}

impl TokenError {
    /// The fixed word that logs and metrics know it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_token",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongType => "wrong_type",
            Self::UnknownKid => "unknown_kid",
            Self::BadSignature => "bad_signature",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired_token",
            Self::ImplausibleTimes => "implausible_times",
        }
    }
}

/// The part of a token that is signed: header and claims.
pub fn signing_input(kid: &str, claims: &Claims) -> Result<String, serde_json::Error> {
    let header = Header { alg: "ES256".to_owned(), typ: "at+jwt".to_owned(), kid: kid.to_owned() };
    let header = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
    let claims = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
    Ok(format!("{header}.{claims}"))
}

/// A token that was signed by a published key. Whether it is for us, and now, is [`check`]'s.
#[derive(Debug)]
pub struct Authentic {
    /// What it says.
    pub claims: Claims,
    /// Whose signature it has.
    pub key: Arc<PublicKey>,
}

/// Verifies a token at `now` (seconds since the epoch) and gives its claims.
pub fn verify(token: &str, keyring: &Keyring, audience: &str, now: i64) -> Result<Claims, TokenError> {
    let token = authentic(token, keyring)?;
    check(&token.claims, &keyring.issuer, audience, now)?;
    Ok(token.claims)
}

/// Whether a token is short enough to be looked at.
pub fn check_length(token: &str) -> Result<(), TokenError> {
    if token.len() > MAX_BYTES { Err(TokenError::Malformed) } else { Ok(()) }
}

/// Reads a token and checks its signature.
pub fn authentic(token: &str, keyring: &Keyring) -> Result<Authentic, TokenError> {
    check_length(token)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = part(header)?;
    if header.alg != "ES256" {
        return Err(TokenError::WrongAlgorithm);
    }
    // RFC 9068 section 2.1 with RFC 7515 section 4.1.9: case-insensitive, `application/` may be there.
    let kind = header.typ.to_ascii_lowercase();
    if kind.strip_prefix("application/").unwrap_or(&kind) != "at+jwt" {
        return Err(TokenError::WrongType);
    }
    if header.kid.len() > MAX_KID_BYTES {
        return Err(TokenError::UnknownKid);
    }
    let (public, key) = keyring.find(&header.kid).ok_or(TokenError::UnknownKid)?;
    if !is_signed(signed.as_bytes(), signature, key) {
        return Err(TokenError::BadSignature);
    }
    Ok(Authentic { claims: part(claims)?, key: Arc::clone(public) })
}

/// Whether a signature, r and s of 32 bytes each in base64url (RFC 7518 section 3.4), is by this key over these bytes.
pub fn is_signed(bytes: &[u8], signature: &str, key: &ParsedPublicKey) -> bool {
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature);
    signature.is_ok_and(|signature| key.verify_sig(bytes, &signature).is_ok())
}

/// Whether claims are for `audience`, from `issuer`, and in force at `now` (seconds since the epoch).
pub fn check(claims: &Claims, issuer: &str, audience: &str, now: i64) -> Result<(), TokenError> {
    if claims.iss != issuer {
        return Err(TokenError::WrongIssuer);
    }
    if claims.aud != audience {
        return Err(TokenError::WrongAudience);
    }
    if claims.exp <= now {
        return Err(TokenError::Expired);
    }
    let lifetime = claims.exp.checked_sub(claims.iat).ok_or(TokenError::ImplausibleTimes)?;
    if claims.iat > now + LEEWAY_SECONDS || !(0..=LIFETIME_SECONDS).contains(&lifetime) {
        return Err(TokenError::ImplausibleTimes);
    }
    Ok(())
}

/// Decodes one part. Strict: no padding, no stray bits, no duplicate or unknown member, and an object: serde would take an array of the
/// members' values for one.
fn part<T: for<'de> Deserialize<'de>>(encoded: &str) -> Result<T, TokenError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
    if !bytes.starts_with(b"{") {
        return Err(TokenError::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}
