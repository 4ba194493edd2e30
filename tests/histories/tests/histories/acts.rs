//! Acts, which are deeds with those they are about, and what is answered.

use shared::users::Role;

use crate::factors::Own;
use crate::model::Model;
use crate::step::{Deed, Pick, Typed};

/// A deed, with those it is about. A password is one that was theirs at that moment, by its number; or a wrong one.
#[derive(Debug, Clone)]
pub enum Act {
    Login { who: usize, password: Option<usize> },
    Verify { challenge: usize, typed: Typed, own: Option<Own> },
    Resend { challenge: usize },
    Refresh { token: usize, header: Option<u8> },
    Logout { access: usize },
    CreateKey { access: usize, name: bool, expires: bool, idempotency: Option<u8> },
    RevokeKey { access: usize, key: usize },
    Switch { access: usize, live: bool },
    Show { access: usize },
    ShowByKey { key: usize },
    ListKeys { access: usize },
    ChangeRole { access: usize, who: usize, role: Role },
    HandOver { access: usize, who: usize, password: Option<usize> },
    Invite { access: usize, who: usize, role: Role },
    Accept { invitation: usize },
    ChangePassword { access: usize, password: Option<usize>, new: usize },
    BeginTotp { access: usize, password: Option<usize> },
    ConfirmTotp { access: usize, app: Option<usize> },
    RemoveTotp { access: usize, password: Option<usize>, own: Own },
    Remove { access: usize, who: usize },
    Suspend { org: usize, suspended: bool },
    Onboard { org: usize, completed: bool, payments: bool },
    EndSessions { who: usize },
    Unlock { who: usize },
    OperatorRevoke { key: usize },
}

impl Act {
    /// In a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Login { .. } => "login",
            Self::Verify { .. } => "verify",
            Self::Resend { .. } => "resend",
            Self::Refresh { .. } => "refresh",
            Self::Logout { .. } => "logout",
            Self::CreateKey { .. } => "make a key",
            Self::RevokeKey { .. } => "revoke a key",
            Self::Switch { .. } => "switch",
            Self::Show { .. } | Self::ShowByKey { .. } => "show",
            Self::ListKeys { .. } => "list keys",
            Self::ChangeRole { .. } => "change a role",
            Self::HandOver { .. } => "hand over",
            Self::Invite { .. } => "invite",
            Self::Accept { .. } => "accept",
            Self::ChangePassword { .. } => "change a password",
            Self::BeginTotp { .. } => "begin an app",
            Self::ConfirmTotp { .. } => "confirm an app",
            Self::RemoveTotp { .. } => "remove an app",
            Self::Remove { .. } => "remove a member",
            Self::Suspend { .. }
            | Self::Onboard { .. }
            | Self::EndSessions { .. }
            | Self::Unlock { .. }
            | Self::OperatorRevoke { .. } => "operator",
        }
    }
}

/// What was answered. What is made is numbered in the model's order.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Refused(&'static str),
    Done,
    Challenge(usize),
    Tokens { session: usize, refresh: usize, access: usize },
    Key(usize),
    Invitation(usize),
    App(usize),
    Codes(usize),
}

impl Model {
    /// The act that a deed is now; `None` when there is nothing yet that it could be about.
    pub fn act(&self, deed: &Deed) -> Option<Act> {
        let access = |pick: &Pick| pick.of(self.access.len());
        let key = |pick: &Pick| pick.of(self.keys.len());
        let challenge = |pick: &Pick| pick.of(self.challenges.len());
        Some(match *deed {
            Deed::Login { who, right } => {
                Act::Login { who, password: right.then_some(self.people[who].password) }
            }
            Deed::Verify { challenge: ref it, typed } => {
                let challenge = challenge(it)?;
                let begun = &self.challenges[challenge];
                let own = begun.totp.then(|| self.own(begun.who, typed, challenge));
                Act::Verify { challenge, typed, own }
            }
            Deed::Resend { challenge: ref it } => Act::Resend { challenge: challenge(it)? },
            Deed::Refresh { token, header } => Act::Refresh { token: token.of(self.refresh.len())?, header },
            Deed::Logout { access: ref it } => Act::Logout { access: access(it)? },
            Deed::CreateKey { access: ref it, name, expires, idempotency } => {
                Act::CreateKey { access: access(it)?, name, expires, idempotency }
            }
            Deed::RevokeKey { access: ref it, key: ref of } => {
                Act::RevokeKey { access: access(it)?, key: key(of)? }
            }
            Deed::Switch { access: ref it, live } => Act::Switch { access: access(it)?, live },
            Deed::Show { access: ref it } => Act::Show { access: access(it)? },
            Deed::ShowByKey { key: ref of } => Act::ShowByKey { key: key(of)? },
            Deed::ListKeys { access: ref it } => Act::ListKeys { access: access(it)? },
            Deed::ChangeRole { access: ref it, who, role } => {
                Act::ChangeRole { access: access(it)?, who, role: Role::ALL[role + 1] }
            }
            Deed::HandOver { access: ref it, who, right } => {
                let access = access(it)?;
                let password = right.then(|| self.people[self.holder(access)].password);
                Act::HandOver { access, who, password }
            }
            Deed::Invite { access: ref it, who, role } => {
                let access = access(it)?;
                let same = self.people[self.holder(access)].org == self.people[who].org;
                same.then_some(Act::Invite { access, who, role: Role::ALL[role + 1] })?
            }
            Deed::Accept { invitation } => Act::Accept { invitation: invitation.of(self.invitations.len())? },
            Deed::ChangePassword { access: ref it, right } => {
                let access = access(it)?;
                let now_is = self.people[self.holder(access)].password;
                Act::ChangePassword { access, password: right.then_some(now_is), new: now_is + 1 }
            }
            Deed::BeginTotp { access: ref it, right } => {
                let access = access(it)?;
                let password = right.then(|| self.people[self.holder(access)].password);
                Act::BeginTotp { access, password }
            }
            Deed::ConfirmTotp { access: ref it, right } => {
                let access = access(it)?;
                let waits = self.people[self.holder(access)].pending.as_ref().map(|it| it.app);
                Act::ConfirmTotp { access, app: waits.filter(|_| right) }
            }
            Deed::RemoveTotp { access: ref it, right, typed } => {
                let access = access(it)?;
                let who = self.holder(access);
                let password = right.then(|| self.people[who].password);
                Act::RemoveTotp { access, password, own: self.own(who, typed, access) }
            }
            Deed::Remove { access: ref it, who } => Act::Remove { access: access(it)?, who },
            Deed::Suspend { org, suspended } => Act::Suspend { org, suspended },
            Deed::Onboard { org, completed, payments } => Act::Onboard { org, completed, payments },
            Deed::EndSessions { who } => Act::EndSessions { who },
            Deed::Unlock { who } => Act::Unlock { who },
            Deed::OperatorRevoke { key: ref of } => Act::OperatorRevoke { key: key(of)? },
        })
    }

    /// Whom an act sends mail, if it does: whose code is whose, the mailbox tells for one at a time.
    pub fn mails(&self, act: &Act) -> Option<usize> {
        match *act {
            Act::Login { who, .. } => Some(who),
            Act::Resend { challenge } => Some(self.challenges[challenge].who),
            Act::Invite { who, .. } => Some(who),
            _ => None,
        }
    }
}
