//! What is known of the system from outside: who is there, what was given to whom, and what became of it.

use shared::guards::{
    CODES, Guesses, INVITATIONS_BY, INVITATIONS_TO, Limit, PASSWORDS_FROM_ANYWHERE, PASSWORDS_FROM_NETWORK,
};
use shared::users::Role;

use crate::factors::{Pending, Totp};

/// An organization.
#[derive(Debug, Clone)]
pub struct Org {
    /// False while suspended.
    pub active: bool,
    /// Onboarding is completed.
    pub completed: bool,
    /// Payments are enabled.
    pub payments: bool,
    /// It makes live keys.
    pub live: bool,
    /// Its marker: the key that is, or was when it expired, its active one.
    pub marker: Option<usize>,
    /// When it was changed last.
    pub updated_at: i64,
    /// Whose it is.
    pub owner: usize,
    /// The guard of the invitations it mails.
    pub invitations: Counter,
}

impl Org {
    /// Whether it may be in an environment.
    pub fn may_use(&self, live: bool) -> bool {
        !live || (self.completed && self.payments)
    }
}

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their organization.
    pub org: usize,
    /// Whether they are a member still.
    pub member: bool,
    /// Their role.
    pub role: Role,
    /// When all their sessions were ended.
    pub ended_at: Option<i64>,
    /// All but this one.
    pub kept: Option<usize>,
    /// How often their password has changed: which it is.
    pub password: usize,
    /// How often what they log in with has changed.
    pub credentials: usize,
    /// Their app that is on.
    pub totp: Option<Totp>,
    /// The one that waits to be confirmed.
    pub pending: Option<Pending>,
    /// When they made a key last.
    pub made_key_at: Option<i64>,
    /// The guard of their codes.
    pub codes: Counter,
    /// The guard of their passwords from the one network there is.
    pub from_network: Counter,
    /// The guard of their passwords from anywhere.
    pub from_anywhere: Counter,
    /// The guard of the invitations that are mailed to them.
    pub invitations: Counter,
}

/// A guard, if it was ever written since it was opened.
#[derive(Debug, Clone)]
pub struct Counter {
    limit: Limit,
    /// The guesses.
    pub recent: Option<Vec<i64>>,
}

impl Counter {
    fn new(limit: Limit) -> Self {
        Self { limit, recent: None }
    }

    /// Whether it is shut.
    pub fn is_shut(&self, now: i64) -> bool {
        self.recent.clone().is_some_and(|it| Guesses(it).locked_until(self.limit, now).is_some())
    }

    /// Counts one more: there is room, or room is made of what is too old to count.
    pub fn count(&mut self, now: i64) {
        let recent = self.recent.get_or_insert_default();
        if recent.len() < self.limit.max {
            recent.push(now);
        } else {
            *recent = Guesses(std::mem::take(recent)).with_one_more(self.limit, now).0;
        }
    }
}

/// A challenge.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Whose.
    pub who: usize,
    /// `Person::credentials` as their login found it.
    pub credentials: usize,
    /// It is done with an app.
    pub totp: bool,
    /// How many codes were sent; the last is alive.
    pub sent: usize,
    /// When that was.
    pub sent_at: i64,
    /// When it dies.
    pub expires_at: i64,
    /// How many were tried.
    pub attempts: u32,
    /// When it was used.
    pub consumed_at: Option<i64>,
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose.
    pub who: usize,
    /// When they logged in.
    pub created_at: i64,
    /// When it is over by itself.
    pub expires_at: i64,
    /// How often it was refreshed.
    pub generation: usize,
    /// Its refresh token that is alive.
    pub current: usize,
    /// The one before.
    pub previous: Option<usize>,
    /// When it was refreshed last.
    pub rotated_at: Option<i64>,
    /// When it was ended.
    pub revoked_at: Option<i64>,
}

/// A refresh token that was given to somebody.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Its session.
    pub session: usize,
    /// The `Idempotency-Key` of the refresh that gave it.
    pub header: Option<u8>,
}

/// An access token that was given to somebody.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// Its session.
    pub session: usize,
    /// When it is over.
    pub expires_at: i64,
}

/// An API key.
#[derive(Debug, Clone)]
pub struct Key {
    /// Whose.
    pub org: usize,
    /// Who made it.
    pub by: usize,
    /// Its environment.
    pub live: bool,
    /// When it was made.
    pub created_at: i64,
    /// When it is over by itself.
    pub expires_at: Option<i64>,
    /// When it was ended.
    pub revoked_at: Option<i64>,
    /// Its credential says that its organization is suspended.
    pub suspended: bool,
}

/// The kept answer to a creation.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Who sent the idempotency key.
    pub who: usize,
    /// Which one.
    pub idempotency: u8,
    /// What they asked for: name and expiry.
    pub asked: (bool, bool),
    /// What they were given.
    pub key: usize,
    /// When it is forgotten.
    pub expires_at: i64,
    /// The key was revoked.
    pub spent: bool,
}

/// An invitation that was mailed.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Where to.
    pub org: usize,
    /// Whom.
    pub who: usize,
    /// As what.
    pub role: Role,
    /// When it is over by itself.
    pub expires_at: i64,
    /// It is the one that is pending for its address; the others were replaced or accepted.
    pub pending: bool,
    /// It was accepted.
    pub accepted: bool,
}

/// Everything.
#[derive(Debug, Clone)]
pub struct Model {
    /// Seconds since the epoch.
    pub now: i64,
    /// Acorn and Birch.
    pub orgs: Vec<Org>,
    /// Three of Acorn, three of Birch: owner, admin, viewer.
    pub people: Vec<Person>,
    /// In the order they were made, as all that follow.
    pub challenges: Vec<Challenge>,
    /// Sessions.
    pub sessions: Vec<Session>,
    /// Refresh tokens.
    pub refresh: Vec<RefreshToken>,
    /// Access tokens.
    pub access: Vec<AccessToken>,
    /// API keys.
    pub keys: Vec<Key>,
    /// Kept answers.
    pub kept: Vec<Kept>,
    /// Invitations.
    pub invitations: Vec<Invitation>,
    /// How many apps were begun.
    pub apps: usize,
    /// How many sets of backup codes were made.
    pub sets: usize,
}

impl Model {
    /// The demo organizations at `now`, and nobody logged in.
    pub fn new(now: i64) -> Self {
        let org = |ready, owner| Org {
            active: true,
            completed: ready,
            payments: ready,
            live: false,
            marker: None,
            updated_at: now,
            owner,
            invitations: Counter::new(INVITATIONS_BY),
        };
        let person = |org, role| Person {
            org,
            member: true,
            role,
            ended_at: None,
            kept: None,
            password: 0,
            credentials: 0,
            totp: None,
            pending: None,
            made_key_at: None,
            codes: Counter::new(CODES),
            from_network: Counter::new(PASSWORDS_FROM_NETWORK),
            from_anywhere: Counter::new(PASSWORDS_FROM_ANYWHERE),
            invitations: Counter::new(INVITATIONS_TO),
        };
        let roles = [Role::Owner, Role::Admin, Role::Viewer];
        Self {
            now,
            orgs: vec![org(false, 0), org(true, 3)],
            people: (0..6).map(|nth| person(nth / 3, roles[nth % 3])).collect(),
            challenges: Vec::new(),
            sessions: Vec::new(),
            refresh: Vec::new(),
            access: Vec::new(),
            keys: Vec::new(),
            kept: Vec::new(),
            invitations: Vec::new(),
            apps: 0,
            sets: 0,
        }
    }

    /// Whose an access token is.
    pub fn holder(&self, access: usize) -> usize {
        self.sessions[self.access[access].session].who
    }

    /// Whether a session's own item says that it lives.
    pub fn is_open(&self, session: usize) -> bool {
        let session = &self.sessions[session];
        session.revoked_at.is_none() && session.expires_at > self.now
    }

    /// Whether a session lives.
    pub fn is_live(&self, session: usize) -> bool {
        self.is_open(session) && !self.was_ended(session)
    }

    /// Whether a session was ended with all of its person's.
    pub fn was_ended(&self, nth: usize) -> bool {
        let session = &self.sessions[nth];
        let person = &self.people[session.who];
        // What ended sessions is in the membership, and goes with it.
        person.member
            && person.ended_at.is_some_and(|at| at >= session.created_at)
            && person.kept != Some(nth)
    }

    /// What an authorizer says to a key, if it refuses it.
    pub fn key_refusal(&self, key: usize) -> Option<&'static str> {
        let key = &self.keys[key];
        let over = key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= self.now);
        match () {
            () if over => Some("unauthorized"),
            () if key.suspended => Some("organization_suspended"),
            () => None,
        }
    }

    /// What an authorizer says to an access token, if it refuses it.
    pub fn access_refusal(&self, access: usize) -> Option<&'static str> {
        (self.access[access].expires_at <= self.now).then_some("unauthorized")
    }
}
