//! Refresh tokens: opaque to the client, recognizable as ours before any database call.
//!
//! `rt_` and base64url over: session id (16 bytes) ‖ generation (4, big endian) ‖ salt (32) ‖ MAC (32). The MAC is
//! HMAC-SHA-256(refresh key, session id ‖ generation ‖ salt). The salt is SHA-256 of the client's `Idempotency-Key`, which lets that
//! client alone compute the same successor twice, or else random.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ulid::Ulid;
use zeroize::Zeroizing;

use crate::crypto;
use crate::ids::SessionId;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

/// What every refresh token begins with.
pub const PREFIX: &str = "rt_";
const ID_BYTES: usize = 16;
const GENERATION_BYTES: usize = 4;
const SALT_BYTES: usize = 32;
const BODY_BYTES: usize = ID_BYTES + GENERATION_BYTES + SALT_BYTES;
const TOKEN_BYTES: usize = BODY_BYTES + 32;
const TEXT_BYTES: usize = PREFIX.len() + TOKEN_BYTES / 3 * 4;

/// A text that is no refresh token we made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a refresh token of ours")]
pub struct InvalidRefreshToken;

/// What makes one successor differ from another: a part of it, and what an `Idempotency-Key` comes to.
#[derive(Debug, Clone)]
pub struct Salt(Sensitive<[u8; SALT_BYTES]>);

impl Salt {
    /// A salt nobody can repeat.
    pub fn random(rng: &dyn Rng) -> Self {
        Self(Sensitive::new(rng::bytes(rng)))
    }

    /// The salt of a request that carries an idempotency key: repeating the request repeats the salt.
    pub fn from_idempotency_key(key: &str) -> Self {
        Self(Sensitive::new(crypto::sha256(&[key.as_bytes()])))
    }
}

/// A refresh token whose MAC is right.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    session_id: SessionId,
    generation: u32,
    text: Sensitive<String>,
}

impl RefreshToken {
    /// Makes the token of one generation of a session.
    pub fn make(key: &[u8], session_id: &SessionId, generation: u32, salt: &Salt) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TOKEN_BYTES));
        bytes.extend_from_slice(&id_bytes(session_id));
        bytes.extend_from_slice(&generation.to_be_bytes());
        bytes.extend_from_slice(salt.0.expose());
        let mac = crypto::hmac_sha256(key, &[&bytes]);
        bytes.extend_from_slice(&mac);
        // As long as it gets from the beginning: a text that grows leaves its beginnings behind.
        let mut text = String::with_capacity(TEXT_BYTES);
        text.push_str(PREFIX);
        BASE64_URL_SAFE_NO_PAD.encode_string(&*bytes, &mut text);
        Self { session_id: session_id.clone(), generation, text: Sensitive::new(text) }
    }

    /// Reads a token and checks its MAC under any of `keys` (the current refresh key and the previous one).
    pub fn parse(text: &str, keys: &[&[u8]]) -> Result<Self, InvalidRefreshToken> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidRefreshToken)?;
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| InvalidRefreshToken)?);
        if bytes.len() != TOKEN_BYTES {
            return Err(InvalidRefreshToken);
        }
        let (body, mac) = bytes.split_at(BODY_BYTES);
        if !keys.iter().any(|key| crypto::equal(&crypto::hmac_sha256(key, &[body]), mac)) {
            return Err(InvalidRefreshToken);
        }
        let (id, rest) = body.split_at(ID_BYTES);
        let id = u128::from_be_bytes(id.try_into().map_err(|_| InvalidRefreshToken)?);
        let generation = rest[..GENERATION_BYTES].try_into().map_err(|_| InvalidRefreshToken)?;
        let session_id = SessionId::parse(&format!("{}{}", SessionId::PREFIX, Ulid(id)))
            .map_err(|_| InvalidRefreshToken)?;
        Ok(Self {
            session_id,
            generation: u32::from_be_bytes(generation),
            text: Sensitive::new(text.to_owned()),
        })
    }

    /// The session it belongs to.
    pub fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    /// Its place in the session's line of tokens, from 0.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The token itself, for the one answer that carries it.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What is stored in its place: SHA-256 in hexadecimal.
    pub fn hash(&self) -> String {
        crypto::sha256_hex(&[self.expose().as_bytes()])
    }
}

fn id_bytes(id: &SessionId) -> [u8; ID_BYTES] {
    // A `SessionId` was checked when it was made: the fallback is never reached, and would only make a token nobody has.
    let ulid = id.as_str().get(SessionId::PREFIX.len()..).and_then(|text| Ulid::from_string(text).ok());
    ulid.map_or([0; ID_BYTES], |ulid| ulid.0.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    fn session() -> SessionId {
        SessionId::new(&ManualClock::new(OffsetDateTime::UNIX_EPOCH), &SystemRng)
    }

    #[test]
    fn a_token_reads_back_under_its_key_or_the_key_before() {
        let id = session();
        let token = RefreshToken::make(b"old", &id, 7, &Salt::random(&SystemRng));
        let read = RefreshToken::parse(token.expose(), &[b"new", b"old"]).unwrap();
        assert_eq!((read.session_id(), read.generation(), read.hash()), (&id, 7, token.hash()));
        assert!(RefreshToken::parse(token.expose(), &[b"new"]).is_err());
    }

    #[test]
    fn the_same_idempotency_key_gives_the_same_successor_and_another_does_not() {
        let id = session();
        let make = |key: &str| RefreshToken::make(b"k", &id, 1, &Salt::from_idempotency_key(key)).hash();
        assert_eq!(make("0123456789abcdef"), make("0123456789abcdef"));
        assert_ne!(make("0123456789abcdef"), make("0123456789abcdeg"));
    }

    /// The patterns name the types: what they hold is wiped when it is dropped.
    #[test]
    fn tokens_and_salts_are_wiped_and_were_never_moved() {
        let salt = Salt::random(&SystemRng);
        let RefreshToken { text, .. } = RefreshToken::make(b"k", &session(), 1, &salt);
        let text: Sensitive<String> = text;
        assert_eq!((text.expose().len(), text.expose().capacity()), (TEXT_BYTES, TEXT_BYTES), "it grew");
        let Salt(bytes) = salt;
        let bytes: Sensitive<[u8; SALT_BYTES]> = bytes;
        assert_eq!(format!("{bytes:?}"), "[sensitive]");
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let token = RefreshToken::make(b"k", &session(), 1, &Salt::random(&SystemRng));
        for at in 0..token.expose().len() {
            let mut bytes = token.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bytes).unwrap();
            assert!(RefreshToken::parse(&bent, &[b"k"]).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = RefreshToken::make(b"k", &session(), 1, &Salt::random(&SystemRng));
        let text = token.expose();
        for bad in [
            "",
            "rt_",
            "rt_AAAA",
            &text[3..],
            &format!("{text}A"),
            &format!("{text}="),
            &text.replacen("rt_", "RT_", 1),
            "rt_\u{fffd}",
        ] {
            assert!(RefreshToken::parse(bad, &[b"k"]).is_err(), "{bad}");
        }
    }
}
