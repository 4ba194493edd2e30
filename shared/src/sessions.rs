//! Sessions: one signed-in device, and what a presented refresh token means for it.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;
use crate::tokens::refresh_token::RefreshToken;
use crate::users::Identity;

/// How long a session lives from its login, in seconds. Rotation does not extend it.
pub const LIFETIME_SECONDS: i64 = 30 * 24 * 60 * 60;
/// How long a client that lost the answer may ask for it again, in seconds.
pub const REPLAY_SECONDS: i64 = 60;

/// How far ahead the clock of the environment that rotated may have been, in seconds.
const SKEW_SECONDS: i64 = 60;

/// A session's one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub session_id: SessionId,
    /// Whose it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// How often its refresh token was rotated.
    pub generation: u32,
    /// SHA-256 of the refresh token that is alive, hexadecimal.
    pub current_hash: String,
    /// SHA-256 of the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_hash: Option<String>,
    /// When the latest rotation was. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<i64>,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Seconds since the epoch.
    pub expires_at: i64,
    /// The address its login came from, as the gateway says. Shown to its owner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_address: String,
    /// What its login's client called itself. Shown to its owner, and never believed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client: String,
    /// When it was ended: by logging out, or because a used token came back. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

/// What a genuine refresh token means for its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It is alive: rotate.
    Current,
    /// It was rotated away by this same request, whose answer was lost: give the same successor again.
    Replay,
    /// It was rotated away and comes back: theft. Revoke the session.
    Reuse,
    /// The session is over, or knows nothing of this token.
    Over,
}

impl Session {
    /// A session that begins now, with `refresh_hash` as its first refresh token's hash.
    pub fn new(session_id: SessionId, identity: Identity, refresh_hash: String, now: i64) -> Self {
        Self {
            session_id,
            identity,
            generation: 0,
            current_hash: refresh_hash,
            previous_hash: None,
            rotated_at: None,
            created_at: now,
            expires_at: now + LIFETIME_SECONDS,
            source_address: String::new(),
            client: String::new(),
            revoked_at: None,
        }
    }

    /// Whether the session lives at `now`.
    pub fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// Judges a token whose MAC was already checked.
    ///
    /// `successors` are the hashes of the tokens that this request would rotate to: one for each refresh key in use, and
    /// none unless the client sent an idempotency key, since a random salt is never drawn twice.
    pub fn judge(&self, presented: &RefreshToken, successors: &[String], now: i64) -> Judgement {
        if !self.is_live(now) {
            return Judgement::Over;
        }
        let hash = presented.hash();
        if hash == self.current_hash {
            return Judgement::Current;
        }
        if presented.generation() >= self.generation {
            // Ours by its MAC, but of no rotation that was committed: nobody can have been given it.
            return Judgement::Over;
        }
        let recent = self.rotated_at.is_some_and(|at| (-SKEW_SECONDS..=REPLAY_SECONDS).contains(&(now - at)));
        let ours = self.previous_hash.as_ref() == Some(&hash) && successors.contains(&self.current_hash);
        if recent && ours { Judgement::Replay } else { Judgement::Reuse }
    }
}
