//! What a presented refresh token means for its session.

use shared::clock::SystemClock;
use shared::ids::{OrgId, SessionId, UserId};
use shared::rng::SystemRng;
use shared::sessions::{Judgement, REPLAY_SECONDS, Session};
use shared::tokens::refresh_token::{RefreshToken, Salt};
use shared::users::{Identity, Role};

const NOW: i64 = 1_790_000_000;
const KEY: &[u8] = b"refresh key";

fn token(id: &SessionId, generation: u32, idempotency_key: &str) -> RefreshToken {
    RefreshToken::make(KEY, id, generation, &Salt::from_idempotency_key(idempotency_key))
}

/// A session whose token of generation 0 was rotated to one of generation 1 at `NOW`.
fn rotated(id: &SessionId) -> Session {
    let identity = Identity {
        user_id: UserId::new(&SystemClock, &SystemRng),
        org_id: OrgId::new(&SystemClock, &SystemRng),
        email: String::new(),
        full_name: String::new(),
        role: Role::Owner,
        has_onboarded: false,
    };
    Session {
        generation: 1,
        previous_hash: Some(token(id, 0, "first").hash()),
        rotated_at: Some(NOW),
        ..Session::new(id.clone(), identity, token(id, 1, "mine").hash(), NOW - 100)
    }
}

fn session_id() -> SessionId {
    SessionId::new(&SystemClock, &SystemRng)
}

#[test]
fn the_current_token_rotates() {
    let id = session_id();
    assert_eq!(rotated(&id).judge(&token(&id, 1, "mine"), &[], NOW), Judgement::Current);
}

#[test]
fn a_used_token_is_theft_unless_it_is_the_same_request_again() {
    let id = session_id();
    let (session, used) = (rotated(&id), token(&id, 0, "first"));
    let (mine, other) = (token(&id, 1, "mine").hash(), token(&id, 1, "other").hash());
    assert_eq!(session.judge(&used, &[], NOW), Judgement::Reuse);
    assert_eq!(session.judge(&used, std::slice::from_ref(&other), NOW), Judgement::Reuse);
    assert_eq!(session.judge(&used, &[other, mine.clone()], NOW + REPLAY_SECONDS), Judgement::Replay);
    assert_eq!(session.judge(&used, std::slice::from_ref(&mine), NOW + REPLAY_SECONDS + 1), Judgement::Reuse);
    // Another environment's clock may be ahead, but not for ever.
    assert_eq!(session.judge(&used, std::slice::from_ref(&mine), NOW - 60), Judgement::Replay);
    assert_eq!(session.judge(&used, &[mine], NOW - 61), Judgement::Reuse);
}

#[test]
fn a_repeat_is_theft_once_the_successor_was_used() {
    let id = session_id();
    let mut session = rotated(&id);
    session.generation = 2;
    session.previous_hash = Some(session.current_hash);
    session.current_hash = token(&id, 2, "next").hash();
    assert_eq!(
        session.judge(&token(&id, 0, "first"), &[token(&id, 1, "mine").hash()], NOW),
        Judgement::Reuse
    );
}

#[test]
fn a_session_that_is_over_knows_no_token() {
    let id = session_id();
    let current = token(&id, 1, "mine");
    let mut session = rotated(&id);
    assert_eq!(session.judge(&current, &[], session.expires_at), Judgement::Over);
    session.revoked_at = Some(NOW);
    assert_eq!(session.judge(&current, &[], NOW), Judgement::Over);
}

#[test]
fn a_token_of_a_rotation_that_was_never_committed_ends_no_session() {
    let id = session_id();
    assert_eq!(rotated(&id).judge(&token(&id, 1, "a racer's"), &[], NOW), Judgement::Over);
    assert_eq!(rotated(&id).judge(&token(&id, 7, "from the future"), &[], NOW), Judgement::Over);
}
