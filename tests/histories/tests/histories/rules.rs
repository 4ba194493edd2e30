//! What should come of each act, as the contract has it.

use shared::challenges::{self, MAX_ATTEMPTS, MAX_RESENDS, RESEND_AFTER_SECONDS};
use shared::sessions::{self, REPLAY_SECONDS};
use shared::tokens::access_token;
use shared::users::Role;

use crate::acts::{Act, Answer};
use crate::creation;
use crate::factors::{self, Own, Totp};
use crate::model::{AccessToken, Challenge, Model, Person, RefreshToken, Session};
use crate::people;
use crate::step::Typed;

/// An act under way. Most are over in one moment; others look, and write later, and something may come in between.
#[derive(Debug, Clone)]
pub struct Running {
    /// What is done.
    pub act: Act,
    pub moment: u8,
    /// Which code was alive, or which password theirs, when it was looked at.
    pub seen: usize,
    /// The password that was right.
    pub proven: Option<usize>,
    /// The roles of those who change and are changed, as they were seen.
    pub roles: [Role; 2],
    /// How often it was written in vain.
    pub tries: usize,
    /// The credentials, and the app, that were seen.
    pub credentials: usize,
    pub app: Option<Totp>,
}

impl Running {
    /// It has not begun.
    pub fn new(act: Act) -> Self {
        let roles = [Role::Viewer; 2];
        Self { act, moment: 0, seen: 0, proven: None, roles, tries: 0, credentials: 0, app: None }
    }

    /// Its next moment. Gives the answer when it is the last one.
    pub fn advance(&mut self, model: &mut Model) -> Option<Answer> {
        self.moment += 1;
        match self.act.clone() {
            Act::Login { who, password } => self.login(model, who, password),
            Act::Verify { challenge, typed, own } => self.verify(model, challenge, typed, own),
            Act::Resend { challenge } => self.resend(model, challenge),
            Act::Unlock { who } => unlock(model, who),
            Act::HandOver { access, who, password } => self.hand_over(model, access, who, password),
            Act::Invite { access, who, role } => self.invite(model, access, who, role),
            Act::ChangePassword { access, password, new } => {
                self.change_password(model, access, password, new)
            }
            Act::BeginTotp { access, password } => self.begin(model, access, password),
            Act::ConfirmTotp { access, app } => self.confirm(model, access, app),
            Act::RemoveTotp { access, password, own } => self.remove_app(model, access, password, own),
            act => Some(at_once(model, act)),
        }
    }

    fn login(&mut self, model: &mut Model, who: usize, password: Option<usize>) -> Option<Answer> {
        let now = model.now;
        let person = &mut model.people[who];
        match self.moment {
            1 => {
                (self.seen, self.credentials) = (person.password, person.credentials);
                self.app = person.totp.clone();
                person.codes.is_shut(now).then_some(Answer::Refused("too_many_attempts"))
            }
            2 if !guess(person, now) => Some(Answer::Refused("too_many_attempts")),
            2 => (password != Some(self.seen)).then_some(Answer::Refused("invalid_credentials")),
            _ if !person.member => Some(Answer::Refused("invalid_credentials")),
            _ if !model.orgs[person.org].active => Some(Answer::Refused("organization_suspended")),
            _ => {
                let expires_at = now + challenges::LIFETIME_SECONDS;
                let (sent, sent_at, attempts, consumed_at) = (1, now, 0, None);
                let (credentials, totp) = (self.credentials, self.app.is_some());
                model.challenges.push(Challenge {
                    who,
                    credentials,
                    totp,
                    sent,
                    sent_at,
                    expires_at,
                    attempts,
                    consumed_at,
                });
                Some(Answer::Challenge(model.challenges.len() - 1))
            }
        }
    }

    fn verify(&mut self, model: &mut Model, nth: usize, typed: Typed, own: Option<Own>) -> Option<Answer> {
        let (now, open) = (model.now, is_open(model, nth));
        let challenge = &mut model.challenges[nth];
        let same_code = challenge.sent == self.seen;
        match self.moment {
            1 => {
                self.seen = challenge.sent;
                (!open).then_some(Answer::Refused("invalid_code"))
            }
            2 => {
                self.app = model.people[challenge.who].totp.clone();
                None
            }
            3 if model.people[challenge.who].codes.is_shut(now) => Some(Answer::Refused("too_many_attempts")),
            3 if !open || !same_code => Some(Answer::Refused("invalid_code")),
            3 => {
                challenge.attempts += 1;
                model.people[challenge.who].codes.count(now);
                let right =
                    own.map_or(typed == Typed::Right, |own| factors::is_right(self.app.as_ref(), own, now));
                (!right).then_some(Answer::Refused("invalid_code"))
            }
            _ if challenge.consumed_at.is_some() || challenge.expires_at <= now || !same_code => {
                Some(Answer::Refused("invalid_code"))
            }
            // What they log in with is another since.
            _ if challenge.credentials != model.people[challenge.who].credentials => {
                Some(Answer::Refused("invalid_code"))
            }
            // It was used since.
            _ if own.is_some_and(|own| {
                !factors::is_right(model.people[challenge.who].totp.as_ref(), own, now)
            }) =>
            {
                Some(Answer::Refused("invalid_code"))
            }
            _ => {
                let who = challenge.who;
                if !model.orgs[model.people[who].org].active {
                    return Some(Answer::Refused("organization_suspended"));
                }
                if !model.people[who].member {
                    return Some(Answer::Refused("invalid_code"));
                }
                challenge.consumed_at = Some(now);
                factors::spend(model.people[who].totp.as_mut(), own.unwrap_or(Own::Wrong), now);
                open_guards(model, who);
                Some(start(model, who))
            }
        }
    }

    fn resend(&self, model: &mut Model, nth: usize) -> Option<Answer> {
        let (now, open) = (model.now, is_open(model, nth));
        let challenge = &mut model.challenges[nth];
        match self.moment {
            1 if !open => Some(Answer::Refused("invalid_code")),
            1 => challenge.totp.then_some(Answer::Refused("totp_enabled")),
            2 => {
                model.people[challenge.who].codes.is_shut(now).then_some(Answer::Refused("too_many_attempts"))
            }
            _ if !open => Some(Answer::Refused("invalid_code")),
            _ if challenge.sent > MAX_RESENDS as usize || challenge.sent_at > now - RESEND_AFTER_SECONDS => {
                Some(Answer::Refused("rate_limited"))
            }
            _ => {
                challenge.sent += 1;
                challenge.sent_at = now;
                challenge.expires_at = now + challenges::LIFETIME_SECONDS;
                Some(Answer::Challenge(nth))
            }
        }
    }
}

fn is_open(model: &Model, nth: usize) -> bool {
    let challenge = &model.challenges[nth];
    challenge.consumed_at.is_none() && challenge.expires_at > model.now && challenge.attempts < MAX_ATTEMPTS
}

/// Counts a guess at a password, unless a guard is shut.
pub fn guess(person: &mut Person, now: i64) -> bool {
    if person.from_network.is_shut(now) || person.from_anywhere.is_shut(now) {
        return false;
    }
    person.from_network.count(now);
    person.from_anywhere.count(now);
    true
}

pub fn open_guards(model: &mut Model, who: usize) {
    let person = &mut model.people[who];
    for guard in [&mut person.codes, &mut person.from_network, &mut person.from_anywhere] {
        guard.recent = None;
    }
}

/// Deletes what it finds, and looks again until it finds nothing.
fn unlock(model: &mut Model, who: usize) -> Option<Answer> {
    let person = &model.people[who];
    let guards = [&person.codes, &person.from_network, &person.from_anywhere, &person.invitations];
    if guards.into_iter().all(|guard| guard.recent.is_none()) {
        return Some(Answer::Done);
    }
    open_guards(model, who);
    model.people[who].invitations.recent = None;
    None
}

fn start(model: &mut Model, who: usize) -> Answer {
    let (now, session, refresh) = (model.now, model.sessions.len(), model.refresh.len());
    model.sessions.push(Session {
        who,
        created_at: now,
        expires_at: now + sessions::LIFETIME_SECONDS,
        generation: 0,
        current: refresh,
        previous: None,
        rotated_at: None,
        revoked_at: None,
    });
    model.refresh.push(RefreshToken { session, header: None });
    give(model, session, refresh)
}

/// A new access token, and this refresh token.
fn give(model: &mut Model, session: usize, refresh: usize) -> Answer {
    let expires_at = model.now + access_token::LIFETIME_SECONDS;
    model.access.push(AccessToken { session, expires_at });
    Answer::Tokens { session, refresh, access: model.access.len() - 1 }
}

fn at_once(model: &mut Model, act: Act) -> Answer {
    let result = match act {
        Act::Refresh { token, header } => refresh(model, token, header),
        Act::Logout { access } => logout(model, access),
        Act::CreateKey { access, name, expires, idempotency } => {
            creation::create(model, access, (name, expires), idempotency)
        }
        Act::RevokeKey { access, key } => revoke(model, access, key),
        Act::Switch { access, live } => switch(model, access, live),
        Act::Show { access } | Act::ListKeys { access } => {
            let org = known(model, access).map(|who| model.people[who].org);
            org.and_then(|org| look(model, org))
        }
        Act::ShowByKey { key } => {
            model.key_refusal(key).map_or(Ok(()), Err).and_then(|()| look(model, model.keys[key].org))
        }
        Act::OperatorRevoke { key } => Ok(end_key(model, key)),
        Act::Suspend { org, suspended } => {
            let now = model.now;
            let it = &mut model.orgs[org];
            if it.active == suspended {
                (it.active, it.updated_at) = (!suspended, now);
            }
            if let Some(marked) = model.orgs[org].marker {
                model.keys[marked].suspended = suspended;
            }
            Ok(Answer::Done)
        }
        Act::Onboard { org, completed, payments } => {
            let now = model.now;
            let org = &mut model.orgs[org];
            if (org.completed, org.payments) != (completed, payments) {
                (org.completed, org.payments, org.updated_at) = (completed, payments, now);
            }
            Ok(Answer::Done)
        }
        Act::EndSessions { who } if !model.people[who].member => Err("not_found"),
        Act::EndSessions { who } => {
            let person = &mut model.people[who];
            (person.ended_at, person.kept) = (Some(model.now), None);
            Ok(Answer::Done)
        }
        Act::ChangeRole { access, who, role } => people::change_role(model, access, who, role),
        Act::Remove { access, who } => people::remove(model, access, who),
        Act::Accept { invitation } => people::accept(model, invitation),
        Act::Login { .. }
        | Act::Verify { .. }
        | Act::Resend { .. }
        | Act::Unlock { .. }
        | Act::HandOver { .. }
        | Act::Invite { .. }
        | Act::BeginTotp { .. }
        | Act::ConfirmTotp { .. }
        | Act::RemoveTotp { .. }
        | Act::ChangePassword { .. } => unreachable!("these take more than a moment"),
    };
    result.unwrap_or_else(Answer::Refused)
}

pub type Judged<T = Answer> = Result<T, &'static str>;

fn refresh(model: &mut Model, token: usize, header: Option<u8>) -> Judged {
    let now = model.now;
    let session = model.refresh[token].session;
    let (it, who) = (&model.sessions[session], model.sessions[session].who);
    let refused = "invalid_refresh_token";
    if !model.is_open(session) {
        return Err(refused);
    }
    let suspended = !model.orgs[model.people[who].org].active;
    if token == it.current {
        return match () {
            () if model.was_ended(session) => Err(refused),
            () if suspended => Err("organization_suspended"),
            () if !model.people[who].member => Err(refused),
            () => {
                let successor = model.refresh.len();
                model.refresh.push(RefreshToken { session, header });
                let it = &mut model.sessions[session];
                (it.previous, it.current) = (Some(token), successor);
                (it.generation, it.rotated_at) = (it.generation + 1, Some(now));
                Ok(give(model, session, successor))
            }
        };
    }
    let recent = it.rotated_at.is_some_and(|at| now - at <= REPLAY_SECONDS);
    let same_request = header.is_some() && model.refresh[it.current].header == header;
    if recent && same_request && it.previous == Some(token) {
        return match () {
            () if suspended => Err("organization_suspended"),
            () if model.was_ended(session) || !model.people[who].member => Err(refused),
            () => Ok(give(model, session, model.sessions[session].current)),
        };
    }
    model.sessions[session].revoked_at = Some(now);
    Err(refused)
}

/// Who the authorizer takes an access token for.
pub fn known(model: &Model, access: usize) -> Judged<usize> {
    match model.access_refusal(access) {
        Some(refusal) => Err(refusal),
        None => Ok(model.sessions[model.access[access].session].who),
    }
}

/// Who may write with an access token.
pub fn writer(model: &Model, access: usize) -> Judged<usize> {
    let who = known(model, access)?;
    let person = &model.people[who];
    match () {
        () if !model.is_live(model.access[access].session) => Err("unauthorized"),
        () if !model.orgs[person.org].active => Err("organization_suspended"),
        () if !person.member || !matches!(person.role, Role::Owner | Role::Admin) => Err("insufficient_role"),
        () => Ok(who),
    }
}

fn look(model: &Model, org: usize) -> Judged {
    if model.orgs[org].active { Ok(Answer::Done) } else { Err("organization_suspended") }
}

fn logout(model: &mut Model, access: usize) -> Judged {
    known(model, access)?;
    let session = model.access[access].session;
    model.sessions[session].revoked_at.get_or_insert(model.now);
    Ok(Answer::Done)
}

fn revoke(model: &mut Model, access: usize, key: usize) -> Judged {
    let who = writer(model, access)?;
    if model.keys[key].org != model.people[who].org {
        return Err("not_found");
    }
    Ok(end_key(model, key))
}

fn end_key(model: &mut Model, key: usize) -> Answer {
    let now = model.now;
    let it = &mut model.keys[key];
    if it.revoked_at.is_none() {
        it.revoked_at = Some(now);
        let marker = &mut model.orgs[it.org].marker;
        *marker = marker.filter(|marked| *marked != key);
        creation::spend(model, key);
    }
    Answer::Done
}

fn switch(model: &mut Model, access: usize, live: bool) -> Judged {
    let who = writer(model, access)?;
    let (now, org) = (model.now, model.people[who].org);
    let org = &mut model.orgs[org];
    if !org.may_use(live) {
        return Err("onboarding_incomplete");
    }
    // What changes nothing is no change.
    if org.live != live {
        (org.live, org.updated_at) = (live, now);
    }
    Ok(Answer::Done)
}
