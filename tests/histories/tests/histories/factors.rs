//! What should come of authenticator apps and backup codes: each code is good once, and a login that began before an app was turned on or off ends
//! nowhere.

use std::collections::BTreeSet;

use shared::factors::{BACKUP_CODES, PENDING_SECONDS, STEP_SECONDS};

use crate::acts::Answer;
use crate::model::Model;
use crate::people::{Moment, member, told};
use crate::rules::{Running, guess, open_guards};
use crate::step::Typed;

/// An app that is on.
#[derive(Debug, Clone)]
pub struct Totp {
    /// Which.
    pub app: usize,
    /// The step of the last code that was used.
    pub last_step: i64,
    /// Which backup codes came with it.
    pub set: usize,
    /// Those that are left.
    pub codes: BTreeSet<usize>,
}

/// An app that waits for its first code.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Which.
    pub app: usize,
    /// Until when.
    pub expires_at: i64,
}

/// A code of somebody's own that is typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Own {
    /// What an app shows at this moment.
    App(usize),
    /// A backup code, by its set and its place in it.
    Backup(usize, usize),
    /// None.
    Wrong,
}

impl Model {
    /// The code of their own that somebody types.
    pub fn own(&self, who: usize, typed: Typed, nth: usize) -> Own {
        match (typed, &self.people[who].totp) {
            (Typed::Right, Some(totp)) => Own::App(totp.app),
            // Few of the ten, so that some come again.
            (Typed::Replaced, Some(totp)) => Own::Backup(totp.set, nth % 3),
            _ => Own::Wrong,
        }
    }
}

/// Whether a code is right for an app that is on.
pub fn is_right(totp: Option<&Totp>, own: Own, now: i64) -> bool {
    totp.is_some_and(|totp| match own {
        Own::App(app) => totp.app == app && now / STEP_SECONDS > totp.last_step,
        Own::Backup(set, nth) => totp.set == set && totp.codes.contains(&nth),
        Own::Wrong => false,
    })
}

/// A code that was right is used.
pub fn spend(totp: Option<&mut Totp>, own: Own, now: i64) {
    let Some(totp) = totp else { return };
    match own {
        Own::App(_) => totp.last_step = now / STEP_SECONDS,
        Own::Backup(_, nth) => {
            totp.codes.remove(&nth);
        }
        Own::Wrong => {}
    }
}

impl Running {
    /// An app is shown its secret.
    pub fn begin(&mut self, model: &mut Model, access: usize, password: Option<usize>) -> Option<Answer> {
        told(self.beginning(model, access, password))
    }

    fn beginning(&mut self, model: &mut Model, access: usize, password: Option<usize>) -> Moment {
        let (now, who) = (model.now, model.holder(access));
        match self.moment {
            1 => {
                member(model, access)?;
                if self.tries == 0 && model.people[who].totp.is_some() {
                    return Err("totp_enabled");
                }
                self.seen = model.people[who].password;
                Ok(None)
            }
            2 if self.tries > 0 => Ok(None),
            2 if !guess(&mut model.people[who], now) => Err("too_many_attempts"),
            2 if password != Some(self.seen) => Err("invalid_credentials"),
            2 => Ok(None),
            _ if member(model, access).is_err() => self.again(),
            _ => {
                let (app, expires_at) = (model.apps, now + PENDING_SECONDS);
                model.apps += 1;
                model.people[who].pending = Some(Pending { app, expires_at });
                Ok(Some(Answer::App(app)))
            }
        }
    }

    /// The first code of an app turns it on.
    pub fn confirm(&mut self, model: &mut Model, access: usize, app: Option<usize>) -> Option<Answer> {
        told(self.confirming(model, access, app))
    }

    fn confirming(&mut self, model: &mut Model, access: usize, app: Option<usize>) -> Moment {
        let (now, who) = (model.now, model.holder(access));
        let person = &model.people[who];
        let waits = person.pending.as_ref().filter(|it| it.expires_at > now).map(|it| it.app);
        match self.moment {
            1 => {
                member(model, access)?;
                let waits = match (&person.totp, waits) {
                    (Some(_), _) => return Err("totp_enabled"),
                    (None, None) => return Err("not_found"),
                    (None, Some(waits)) => waits,
                };
                if self.tries > 0 && waits != self.seen {
                    return Err("invalid_code");
                }
                (self.seen, self.credentials) = (waits, person.credentials);
                Ok(None)
            }
            2 if self.tries > 0 => Ok(None),
            2 if person.codes.is_shut(now) => Err("too_many_attempts"),
            2 => {
                model.people[who].codes.count(now);
                if app == Some(self.seen) { Ok(None) } else { Err("invalid_code") }
            }
            _ => {
                let as_it_was = person.totp.is_none() && person.credentials == self.credentials;
                if member(model, access).is_err() || !as_it_was || waits != Some(self.seen) {
                    return self.again();
                }
                let (app, set, codes) = (self.seen, model.sets, (0..BACKUP_CODES).collect());
                model.sets += 1;
                let person = &mut model.people[who];
                person.totp = Some(Totp { app, last_step: now / STEP_SECONDS, set, codes });
                (person.pending, person.credentials) = (None, person.credentials + 1);
                open_guards(model, who);
                Ok(Some(Answer::Codes(set)))
            }
        }
    }

    /// An app is turned off.
    pub fn remove_app(
        &mut self,
        model: &mut Model,
        access: usize,
        password: Option<usize>,
        own: Own,
    ) -> Option<Answer> {
        told(self.removing(model, access, password, own))
    }

    fn removing(&mut self, model: &mut Model, access: usize, password: Option<usize>, own: Own) -> Moment {
        let (now, who) = (model.now, model.holder(access));
        let person = &model.people[who];
        let is_on = person.totp.is_some();
        let good = person.credentials == self.credentials && is_right(person.totp.as_ref(), own, now);
        match self.moment {
            1 => {
                member(model, access)?;
                if self.tries == 0 && !is_on {
                    return Err("not_found");
                }
                (self.seen, self.credentials) = (person.password, person.credentials);
                self.app = person.totp.clone();
                Ok(None)
            }
            2 if self.tries > 0 => Ok(None),
            2 if person.codes.is_shut(now) => Err("too_many_attempts"),
            2 if !guess(&mut model.people[who], now) => Err("too_many_attempts"),
            2 => {
                model.people[who].codes.count(now);
                match () {
                    () if password != Some(self.seen) => Err("invalid_credentials"),
                    () if !is_right(self.app.as_ref(), own, now) => Err("invalid_code"),
                    () => Ok(None),
                }
            }
            3 if member(model, access).is_err() => self.again(),
            3 if !good => Ok(None),
            3 => {
                let person = &mut model.people[who];
                (person.totp, person.credentials) = (None, person.credentials + 1);
                open_guards(model, who);
                Ok(Some(Answer::Done))
            }
            // It says which.
            _ => {
                member(model, access)?;
                if is_on { Err("invalid_code") } else { Err("not_found") }
            }
        }
    }
}
