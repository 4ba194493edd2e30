//! What follows a stored secret when it rotates. Pure: where it is kept, `versions` knows.
//!
//! Execution environments hold a secret for up to an hour after another one took its place, and a rotation may stand half done for a
//! day. So a key is used only after it has been accepted everywhere, and dropped only after all that was made with it is over.

use std::fmt;

use zeroize::Zeroizing;

use super::MAX_AGE_SECONDS;
use super::generate::{new_key, new_signer, new_signing, random};
use super::stored::{Stamp, StoredKey, StoredPlain, StoredSigning};
use crate::rng::Rng;
use crate::signer::{SignError, Signer};

/// How long a value may wait, from its making, to become the current one; in seconds. Later it is thrown away.
pub const MAX_PENDING_SECONDS: i64 = 24 * 60 * 60;
/// How far clocks may lie apart, and how long Secrets Manager may take to give the same answer everywhere; in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// After this many seconds from the making of a value no environment holds the one before it.
const SETTLED_SECONDS: i64 = MAX_PENDING_SECONDS + MAX_AGE_SECONDS + LEEWAY_SECONDS;

/// What a rotation does with a key. The words are what audit lines and events say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The next one took its place.
    Promoted,
    /// It had no next one, and now has: it moves at the next rotation.
    Prepared,
    /// It stays, because of this.
    LeftAlone(&'static str),
}

impl Move {
    /// The fixed word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Prepared => "prepared",
            Self::LeftAlone(why) => why,
        }
    }
}

/// A secret of which a rotation makes the next value.
pub trait Rotating: Sized {
    /// Reads a stored value.
    fn read(json: &str) -> Option<Self>;
    /// As it is stored.
    fn json(&self) -> Option<Zeroizing<String>>;
    /// When a rotation made it. Seconds since the epoch.
    fn made_at(&self) -> Option<i64>;
    /// The version a rotation made it from.
    fn made_from(&self) -> Option<&str>;
    /// Whether it accepts what `current` makes, and `current` what it makes: both are held by some environment for a while.
    fn follows(&self, current: &Self) -> bool;
    /// Whether both make things with the same key. (Of a `signing` secret, that is the refresh key.)
    fn has_the_key_of(&self, other: &Self) -> bool;
}

/// A `signing` secret.
pub struct SigningValue(StoredSigning);

/// A `codes` or `sealing` secret.
pub struct KeyValue(StoredPlain);

macro_rules! rotating {
    ($value:ident, $stored:ident, $key:ident) => {
        impl Rotating for $value {
            fn read(json: &str) -> Option<Self> {
                let stored: $stored = serde_json::from_str(json).ok()?;
                stored.$key.parse()?;
                Some(Self(stored))
            }

            fn json(&self) -> Option<Zeroizing<String>> {
                serde_json::to_string(&self.0).ok().map(Zeroizing::new)
            }

            fn made_at(&self) -> Option<i64> {
                self.0.stamp.made_at
            }

            fn made_from(&self) -> Option<&str> {
                self.0.stamp.made_from.as_deref()
            }

            fn follows(&self, current: &Self) -> bool {
                self.0.$key.accepts(&current.0.$key.key) && current.0.$key.accepts(&self.0.$key.key)
            }

            fn has_the_key_of(&self, other: &Self) -> bool {
                self.0.$key.key == other.0.$key.key
            }
        }

        impl fmt::Debug for $value {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(concat!("[", stringify!($value), "]"))
            }
        }
    };
}
rotating!(SigningValue, StoredSigning, refresh);
rotating!(KeyValue, StoredPlain, key);

impl SigningValue {
    /// The first one there is.
    pub fn first(now: i64, rng: &dyn Rng) -> Result<Self, SignError> {
        let mut stored = new_signing(rng)?;
        stored.refresh.since(now);
        stored.stamp = Stamp { made_at: Some(now), made_from: None };
        Ok(Self(stored))
    }

    /// The next one: what becomes of the signers, and of the refresh key, which made things that live `lifetime` seconds.
    ///
    /// `may_sign` says whether the next signer has been public for long enough.
    pub fn successor(
        &self,
        may_sign: bool,
        from: &str,
        lifetime: i64,
        now: i64,
        rng: &dyn Rng,
    ) -> Result<(Self, [Move; 2]), SignError> {
        let mut stored = self.0.clone();
        let signers = match stored.next.take() {
            Some(next) if may_sign => {
                (stored.signing, stored.next) = (next, Some(new_signer(rng)?));
                Move::Promoted
            }
            Some(next) => {
                stored.next = Some(next);
                Move::LeftAlone("next_not_public_long_enough")
            }
            None => {
                stored.next = Some(new_signer(rng)?);
                Move::Prepared
            }
        };
        let refresh = stored.refresh.rotate(lifetime, now, rng);
        stored.stamp = Stamp { made_at: Some(now), made_from: Some(from.to_owned()) };
        Ok((Self(stored), [signers, refresh]))
    }

    /// The one without the key `kid`, whose place its successor takes at once; `None` when there is no such key in it.
    pub fn without(&self, kid: &str, from: &str, now: i64, rng: &dyn Rng) -> Result<Option<Self>, SignError> {
        let mut stored = self.0.clone();
        if stored.signing.kid == kid {
            stored.signing = match stored.next.take() {
                Some(next) => next,
                None => new_signer(rng)?,
            };
        } else if stored.next.as_ref().is_none_or(|next| next.kid != kid) {
            return Ok(None);
        }
        stored.next = Some(new_signer(rng)?);
        stored.stamp = Stamp { made_at: Some(now), made_from: Some(from.to_owned()) };
        Ok(Some(Self(stored)))
    }

    /// What signs.
    pub fn signer(&self) -> Result<Signer, SignError> {
        self.0.signing.parse().ok_or(SignError::UnreadableKey)
    }

    /// What will sign.
    pub fn next_signer(&self) -> Result<Option<Signer>, SignError> {
        let next = self.0.next.as_ref();
        next.map(|next| next.parse().ok_or(SignError::UnreadableKey)).transpose()
    }
}

impl KeyValue {
    /// The first one there is.
    pub fn first(now: i64, rng: &dyn Rng) -> Self {
        let mut key = new_key(rng);
        key.since(now);
        Self(StoredPlain { key, stamp: Stamp { made_at: Some(now), made_from: None } })
    }

    /// The next one, and what becomes of the key, which made things that live `lifetime` seconds.
    pub fn successor(&self, from: &str, lifetime: i64, now: i64, rng: &dyn Rng) -> (Self, Move) {
        let mut stored = self.0.clone();
        let moved = stored.key.rotate(lifetime, now, rng);
        stored.stamp = Stamp { made_at: Some(now), made_from: Some(from.to_owned()) };
        (Self(stored), moved)
    }
}

impl StoredKey {
    fn since(&mut self, now: i64) {
        (self.key_since, self.next_since) = (Some(now), Some(now));
    }

    /// Whether what was made with `key` is accepted.
    fn accepts(&self, key: &str) -> bool {
        [Some(&self.key), self.previous.as_ref(), self.next.as_ref()]
            .into_iter()
            .flatten()
            .any(|it| it == key)
    }

    /// Moves on to the next key, if every environment accepts it and the previous one is over.
    fn rotate(&mut self, lifetime: i64, now: i64, rng: &dyn Rng) -> Move {
        if self.next.is_none() {
            (self.next, self.next_since) = (Some(random(rng)), Some(now));
            return Move::Prepared;
        }
        // A time nobody noted counts from now.
        let next_since = *self.next_since.get_or_insert(now);
        let key_since = *self.key_since.get_or_insert(now);
        if now < next_since + SETTLED_SECONDS {
            return Move::LeftAlone("next_not_known_everywhere");
        }
        // What was made with it last, was made by an environment that still held the value before.
        if self.previous.is_some() && now < key_since + SETTLED_SECONDS + lifetime {
            return Move::LeftAlone("previous_still_needed");
        }
        let next = self.next.replace(random(rng)).unwrap_or_default();
        self.previous = Some(std::mem::replace(&mut self.key, next));
        self.since(now);
        Move::Promoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    const DAY: i64 = 24 * 60 * 60;

    fn rotate(value: &KeyValue, at: i64) -> (KeyValue, Move) {
        let (next, moved) = value.successor("v", DAY, at, &SystemRng);
        assert!(next.follows(value), "{moved:?}");
        (next, moved)
    }

    #[test]
    fn a_key_is_used_once_it_is_known_everywhere_and_dropped_once_nothing_needs_it() {
        let first = KeyValue::first(0, &SystemRng);
        let known = SETTLED_SECONDS;
        assert_eq!(rotate(&first, known - 1).1, Move::LeftAlone("next_not_known_everywhere"));
        let (second, moved) = rotate(&first, known);
        assert_eq!(moved, Move::Promoted);
        assert_eq!(second.0.key.previous.as_ref(), Some(&first.0.key.key));
        assert_eq!(rotate(&second, known + known + DAY - 1).1, Move::LeftAlone("previous_still_needed"));
        let (third, moved) = rotate(&second, known + known + DAY);
        assert_eq!(moved, Move::Promoted);
        assert!(!third.follows(&first), "two rotations on, the first key is gone");
    }

    #[test]
    fn a_value_that_no_rotation_made_counts_from_the_first_one() {
        let made = KeyValue::read(r#"{"key":"0123456789012345678901234567890123456789"}"#).unwrap();
        let (prepared, moved) = rotate(&made, 10 * DAY);
        assert_eq!(moved, Move::Prepared);
        assert_eq!(rotate(&prepared, 10 * DAY + SETTLED_SECONDS - 1).1.word(), "next_not_known_everywhere");
        assert_eq!(rotate(&prepared, 10 * DAY + SETTLED_SECONDS).1, Move::Promoted);
        let old = KeyValue::read(&crate::secrets::generate::key(&SystemRng)).unwrap();
        let (seen, moved) = rotate(&old, 10 * DAY);
        assert_eq!(moved.word(), "next_not_known_everywhere");
        assert_eq!(rotate(&seen, 10 * DAY + SETTLED_SECONDS).1, Move::Promoted);
    }

    #[test]
    fn a_signer_without_the_dead_key_keeps_the_refresh_key() {
        let value = SigningValue::first(0, &SystemRng).unwrap();
        let kid = |signer: Signer| signer.kid().to_owned();
        let (signs, next) = (kid(value.signer().unwrap()), kid(value.next_signer().unwrap().unwrap()));
        let promoted = value.without(&signs, "v", 1, &SystemRng).unwrap().unwrap();
        assert_eq!(kid(promoted.signer().unwrap()), next);
        let spared = value.without(&next, "v", 1, &SystemRng).unwrap().unwrap();
        assert_eq!(kid(spared.signer().unwrap()), signs);
        assert!(promoted.follows(&value) && spared.follows(&value));
        assert_eq!(promoted.0.refresh.key, value.0.refresh.key);
        for it in [promoted, spared] {
            let fresh = kid(it.next_signer().unwrap().unwrap());
            assert!(fresh != signs && fresh != next);
        }
        assert!(value.without("another", "v", 1, &SystemRng).unwrap().is_none());
    }
}
