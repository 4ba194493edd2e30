//! What should come of making a key, and of sending the same idempotency key again.

use shared::api_keys::{IDEMPOTENCY_SECONDS, RATE_SECONDS};

use crate::acts::Answer;
use crate::model::{Kept, Key, Model};
use crate::rules::writer;

/// How long a key lives that expires, in seconds: a day.
const KEY_SECONDS: i64 = 24 * 60 * 60;

/// Makes a key. `asked` is what an idempotency key belongs to: name and expiry.
pub fn create(
    model: &mut Model,
    access: usize,
    asked: (bool, bool),
    idempotency: Option<u8>,
) -> Result<Answer, &'static str> {
    let who = writer(model, access)?;
    let (now, org) = (model.now, model.people[who].org);
    if !model.orgs[org].may_use(model.orgs[org].live) {
        return Err("onboarding_incomplete");
    }
    let of_this = |kept: &&Kept| kept.who == who && Some(kept.idempotency) == idempotency;
    let kept = model.kept.iter().find(|kept| of_this(kept) && kept.expires_at > now);
    if let Some(kept) = kept {
        return match () {
            () if kept.spent => Err("idempotency_spent"),
            () if kept.asked != asked => Err("idempotency_mismatch"),
            () => Ok(Answer::Key(kept.key)),
        };
    }
    let marked = model.orgs[org].marker.map(|marked| &model.keys[marked]);
    if marked.is_some_and(|key| key.expires_at.is_none_or(|at| at > now)) {
        return Err("active_key_exists");
    }
    if model.people[who].made_key_at.is_some_and(|at| at > now - RATE_SECONDS) {
        return Err("rate_limited");
    }
    Ok(make(model, who, asked, idempotency))
}

fn make(model: &mut Model, who: usize, asked: (bool, bool), idempotency: Option<u8>) -> Answer {
    let (now, org, key) = (model.now, model.people[who].org, model.keys.len());
    model.keys.push(Key {
        org,
        by: who,
        live: model.orgs[org].live,
        created_at: now,
        expires_at: asked.1.then_some(now + KEY_SECONDS),
        revoked_at: None,
        suspended: false,
    });
    model.orgs[org].marker = Some(key);
    model.people[who].made_key_at = Some(now);
    if let Some(idempotency) = idempotency {
        model.kept.retain(|kept| (kept.who, kept.idempotency) != (who, idempotency));
        let expires_at = now + IDEMPOTENCY_SECONDS;
        model.kept.push(Kept { who, idempotency, asked, key, expires_at, spent: false });
    }
    Answer::Key(key)
}

/// The kept answer of a key that was revoked is spent, as long as it is that key's for certain.
pub fn spend(model: &mut Model, key: usize) {
    let (now, made_at) = (model.now, model.keys[key].created_at);
    if let Some(kept) = model.kept.iter_mut().find(|kept| kept.key == key)
        && now < made_at + IDEMPOTENCY_SECONDS
    {
        kept.spent = true;
    }
}
