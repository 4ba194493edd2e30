//! Access tokens this execution environment has already seen to be signed: a signature check is most of what a call costs, and a token
//! comes again and again until it expires.
//!
//! What is remembered is the signature alone, under the token's SHA-256 and with the key it is by. Everything that can change between
//! two calls (the time, the key set, issuer, audience) is looked at every time, so the answer is always the one a fresh check gives.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::access_token::{self, Authentic, Claims, TokenError};
use super::key_set::Keyring;
use crate::crypto::sha256;

/// How many tokens are remembered: less than a quarter of a megabyte, which leaves the authorizer within its eight. An environment serves one
/// call at a time, and who comes often comes back before so many others. The oldest goes first.
pub const CAPACITY: usize = 384;

type Hash = [u8; 32];

/// The remembered tokens of one execution environment.
#[derive(Default)]
pub struct Remembered(Mutex<Memory>);

struct Memory {
    tokens: BTreeMap<Hash, Arc<Authentic>>,
    /// Oldest first. Tokens live equally long, so that is about the order they expire in.
    order: VecDeque<Hash>,
}

impl Default for Memory {
    fn default() -> Self {
        // One more is put there before the oldest goes. Left to itself it would double at that one.
        Self { tokens: BTreeMap::new(), order: VecDeque::with_capacity(CAPACITY + 1) }
    }
}

impl Remembered {
    /// Verifies a token at `now` (seconds since the epoch) and gives its claims, as [`access_token::verify`] does.
    ///
    /// # Errors
    /// What a fresh check says.
    pub fn verify(
        &self,
        token: &str,
        keyring: &Keyring,
        audience: &str,
        now: i64,
    ) -> Result<Arc<Authentic>, TokenError> {
        access_token::check_length(token)?;
        let hash = sha256(&[token.as_bytes()]);
        // A key that left the key set, or is another one under the same name, signs nothing any more: looked at afresh, which says so.
        if let Some(known) = self.find(&hash).filter(|known| keyring.published.contains(&known.key)) {
            access_token::check(&known.claims, &keyring.issuer, audience, now)?;
            return Ok(known);
        }
        let fresh = Arc::new(access_token::authentic(token, keyring)?);
        access_token::check(&fresh.claims, &keyring.issuer, audience, now)?;
        self.keep(hash, Arc::clone(&fresh), now);
        Ok(fresh)
    }

    fn find(&self, hash: &Hash) -> Option<Arc<Authentic>> {
        self.memory(|memory| memory.tokens.get(hash).map(Arc::clone))
    }

    fn keep(&self, hash: Hash, token: Arc<Authentic>, now: i64) {
        self.memory(|memory| {
            if memory.tokens.insert(hash, token).is_none() {
                memory.order.push_back(hash);
            }
            while memory.must_forget(now) {
                if let Some(oldest) = memory.order.pop_front() {
                    memory.tokens.remove(&oldest);
                }
            }
        });
    }

    fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Memory {
    fn must_forget(&self, now: i64) -> bool {
        let oldest = self.order.front().and_then(|hash| self.tokens.get(hash));
        self.order.len() > CAPACITY || oldest.is_some_and(|token| has_expired(&token.claims, now))
    }
}

fn has_expired(claims: &Claims, now: i64) -> bool {
    claims.exp <= now
}
