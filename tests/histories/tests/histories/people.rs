//! What should come of what an organization's people do with its people.

use shared::invitations::LIFETIME_SECONDS;
use shared::users::Role;

use crate::acts::Answer;
use crate::model::{Invitation, Model};
use crate::rules::{Judged, Running, guess, known, writer};

/// Somebody of the organization who is not its owner.
fn but_the_owner(model: &Model, by: usize, who: usize) -> Judged<()> {
    let (by_person, person) = (&model.people[by], &model.people[who]);
    match () {
        () if person.org != by_person.org || !person.member => Err("not_found"),
        () if person.role == Role::Owner && who == by => Err("last_owner"),
        () if person.role == Role::Owner => Err("insufficient_role"),
        () => Ok(()),
    }
}

/// Another role for somebody.
pub fn change_role(model: &mut Model, access: usize, who: usize, role: Role) -> Judged {
    let by = writer(model, access)?;
    but_the_owner(model, by, who)?;
    model.people[who].role = role;
    Ok(Answer::Done)
}

/// Somebody goes.
pub fn remove(model: &mut Model, access: usize, who: usize) -> Judged {
    let by = known(model, access)?;
    if by == who {
        member(model, access)?;
    } else {
        writer(model, access)?;
    }
    but_the_owner(model, by, who)?;
    model.people[who].member = false;
    Ok(Answer::Done)
}

/// Who may write what every member may.
pub fn member(model: &Model, access: usize) -> Judged<usize> {
    let who = known(model, access)?;
    let person = &model.people[who];
    match () {
        () if !model.is_live(model.access[access].session) => Err("unauthorized"),
        () if !model.orgs[person.org].active => Err("organization_suspended"),
        () if !person.member => Err("insufficient_role"),
        () => Ok(who),
    }
}

/// An invitation, accepted: whoever comes back has no session of before.
pub fn accept(model: &mut Model, nth: usize) -> Judged {
    let now = model.now;
    let it = &mut model.invitations[nth];
    if !it.pending || it.expires_at <= now {
        return Err("invalid_invitation");
    }
    if !model.orgs[it.org].active {
        return Err("organization_suspended");
    }
    let person = &mut model.people[it.who];
    if person.member {
        return Err("already_member");
    }
    (it.pending, it.accepted) = (false, true);
    (person.member, person.role) = (true, it.role);
    (person.ended_at, person.kept) = (Some(now - 1), None);
    Ok(Answer::Done)
}

/// How often a write that others came before is tried.
const WRITE_TRIES: usize = 3;

/// What becomes of an act that looks, counts, and writes if all is as it was.
pub type Moment = Result<Option<Answer>, &'static str>;

pub fn told(moment: Moment) -> Option<Answer> {
    moment.unwrap_or_else(|refusal| Some(Answer::Refused(refusal)))
}

impl Running {
    /// Somebody came before: everything is looked at again, a few times.
    pub fn again(&mut self) -> Moment {
        (self.moment, self.tries) = (0, self.tries + 1);
        if self.tries < WRITE_TRIES { Ok(None) } else { Err("nothing: it gave up") }
    }

    /// The organization becomes another member's.
    pub fn hand_over(
        &mut self,
        model: &mut Model,
        access: usize,
        to: usize,
        password: Option<usize>,
    ) -> Option<Answer> {
        told(self.handing_over(model, access, to, password))
    }

    fn handing_over(
        &mut self,
        model: &mut Model,
        access: usize,
        to: usize,
        password: Option<usize>,
    ) -> Moment {
        let (now, by) = (model.now, model.holder(access));
        let [owner, next] = [by, to].map(|who| model.people[who].role);
        match self.moment {
            1 => {
                known(model, access)?;
                member(model, access)?;
                if owner != Role::Owner {
                    return Err("insufficient_role");
                }
                if model.people[to].org != model.people[by].org || !model.people[to].member {
                    return Err("not_found");
                }
                self.roles = [owner, next];
                Ok((next == Role::Owner).then_some(Answer::Done))
            }
            2 if self.proven.is_some() => Ok(None),
            2 if !guess(&mut model.people[by], now) => Err("too_many_attempts"),
            2 => Ok(None),
            3 if self.proven.is_some() => Ok(None),
            3 => {
                self.proven = Some(model.people[by].password);
                if password == self.proven { Ok(None) } else { Err("invalid_credentials") }
            }
            _ => {
                let same = [owner, next] == self.roles && self.proven == Some(model.people[by].password);
                if member(model, access).is_err() || !model.people[to].member || !same {
                    return self.again();
                }
                (model.people[by].role, model.people[to].role) = (Role::Admin, Role::Owner);
                let org = &mut model.orgs[model.people[by].org];
                (org.owner, org.updated_at) = (to, now);
                Ok(Some(Answer::Done))
            }
        }
    }

    /// Somebody is mailed an invitation.
    pub fn invite(&mut self, model: &mut Model, access: usize, who: usize, role: Role) -> Option<Answer> {
        told(self.inviting(model, access, who, role))
    }

    fn inviting(&mut self, model: &mut Model, access: usize, who: usize, role: Role) -> Moment {
        let (now, org) = (model.now, model.people[who].org);
        match self.moment {
            1 => {
                writer(model, access)?;
                if model.people[who].member { Err("already_member") } else { Ok(None) }
            }
            // Counted once, however often it is written.
            2 if self.tries > 0 => Ok(None),
            2 => {
                let (by, to) = (&mut model.orgs[org].invitations, &mut model.people[who].invitations);
                if by.is_shut(now) || to.is_shut(now) {
                    return Err("rate_limited");
                }
                by.count(now);
                to.count(now);
                Ok(None)
            }
            _ if writer(model, access).is_err() => self.again(),
            _ => {
                model.invitations.iter_mut().filter(|it| it.who == who).for_each(|it| it.pending = false);
                let expires_at = now + LIFETIME_SECONDS;
                let (pending, accepted) = (true, false);
                model.invitations.push(Invitation { org, who, role, expires_at, pending, accepted });
                Ok(Some(Answer::Invitation(model.invitations.len() - 1)))
            }
        }
    }

    /// A password becomes another, and ends all sessions but the one it is done in.
    pub fn change_password(
        &mut self,
        model: &mut Model,
        access: usize,
        password: Option<usize>,
        new: usize,
    ) -> Option<Answer> {
        told(self.changing_password(model, access, password, new))
    }

    fn changing_password(
        &mut self,
        model: &mut Model,
        access: usize,
        password: Option<usize>,
        new: usize,
    ) -> Moment {
        let (now, who) = (model.now, model.holder(access));
        match self.moment {
            1 => {
                member(model, access)?;
                let person = &model.people[who];
                (self.seen, self.credentials) = (person.password, person.credentials);
                Ok(None)
            }
            // What was right is right as long as it is theirs.
            2 if self.proven == Some(self.seen) => Ok(None),
            2 if !guess(&mut model.people[who], now) => Err("too_many_attempts"),
            2 if password != Some(self.seen) => Err("invalid_credentials"),
            2 => {
                self.proven = Some(self.seen);
                Ok(None)
            }
            _ if member(model, access).is_err() || self.credentials != model.people[who].credentials => {
                self.again()
            }
            _ => {
                let kept = Some(model.access[access].session);
                let person = &mut model.people[who];
                (person.password, person.credentials) = (new, person.credentials + 1);
                (person.ended_at, person.kept) = (Some(now), kept);
                Ok(Some(Answer::Done))
            }
        }
    }
}
