//! A history in plain English.

use shared::users::Role;

use crate::acts::{Act, Answer};
use crate::factors::Own;
use crate::model::Model;
use crate::names::Names;
use crate::step::Typed;
use crate::world::{Given, organization, person};

/// Time that passes.
pub fn wait(seconds: i64) -> String {
    match seconds {
        86_400.. => format!("{} days pass.", seconds / 86_400),
        120.. => format!("{} minutes pass.", seconds / 60),
        1 => "A second passes.".to_owned(),
        _ => format!("{seconds} seconds pass."),
    }
}

/// An act, and what was answered.
pub fn told(model: &Model, names: &Names, act: &Act, given: &Given) -> String {
    format!("{}: {}.", done(model, act), answered(names, given))
}

/// What the model would have had answered.
pub fn expected(answer: &Answer) -> String {
    match answer {
        Answer::Refused(code) => (*code).to_owned(),
        Answer::Done => "done".to_owned(),
        Answer::Challenge(nth) => format!("challenge {}", nth + 1),
        Answer::Tokens { session, refresh, access } => {
            format!("refresh token {} of session {}, access token {}", refresh + 1, session + 1, access + 1)
        }
        Answer::Key(nth) => format!("key {}", nth + 1),
        Answer::Invitation(nth) => format!("invitation {} by mail", nth + 1),
        Answer::App(nth) => format!("the secret of app {}", nth + 1),
        Answer::Codes(nth) => format!("backup codes, set {}", nth + 1),
    }
}

fn answered(names: &Names, given: &Given) -> String {
    fn known<T>(all: &[T], is: impl Fn(&T) -> bool, what: &str) -> String {
        match all.iter().position(is) {
            Some(nth) => format!("{what} {} again", nth + 1),
            None => format!("a new {what}"),
        }
    }
    match given {
        Given::Refused(code) => format!("refused, {code}"),
        Given::Done => "done".to_owned(),
        Given::Challenge { id, .. } => {
            known(&names.challenges, |it| it.0 == *id, "challenge") + ", and a code by mail"
        }
        Given::Tokens { refresh, .. } => {
            known(&names.refresh, |it| it == refresh, "refresh token") + " and a new access token"
        }
        Given::Key { id, .. } => known(&names.keys, |it| it.0 == *id, "key"),
        Given::App { secret } => known(&names.apps, |it| it == secret, "app"),
        Given::Codes { codes } => known(&names.codes, |it| it == codes, "set of backup codes"),
        Given::Invitation { token } => known(&names.invitations, |it| it == token, "invitation"),
    }
}

fn name(model: &Model, who: usize) -> String {
    let role = model.people[who].role.as_str();
    let article = if matches!(model.people[who].role, Role::Viewer | Role::Developer) { "a" } else { "an" };
    format!("{} ({article} {role} of {})", person(who).full_name, organization(who / 3).name)
}

/// Who has an access token, and which.
fn bearer(model: &Model, access: usize) -> String {
    let session = model.access[access].session;
    let who = name(model, model.sessions[session].who);
    format!("{who}, with access token {} of session {},", access + 1, session + 1)
}

fn typed_own(own: Own) -> String {
    match own {
        Own::App(app) => format!("what app {} shows", app + 1),
        Own::Backup(set, nth) => format!("backup code {} of set {}", nth + 1, set + 1),
        Own::Wrong => "a wrong code".to_owned(),
    }
}

fn with(password: Option<usize>) -> String {
    password.map_or("with a wrong password".to_owned(), |nth| format!("with their password {}", nth + 1))
}

fn done(model: &Model, act: &Act) -> String {
    let of_org = |org: usize| organization(org).name;
    match *act {
        Act::Login { who, password } => format!("{} logs in {}", name(model, who), with(password)),
        Act::Verify { challenge, own: Some(own), .. } => {
            let who = name(model, model.challenges[challenge].who);
            format!("{who} types {} for challenge {}", typed_own(own), challenge + 1)
        }
        Act::Verify { challenge, typed, own: None } => {
            let code = match typed {
                Typed::Right => "the code that is alive",
                Typed::Replaced => "the code before the one that is alive, or a wrong one",
                Typed::Wrong => "a wrong code",
            };
            let who = name(model, model.challenges[challenge].who);
            format!("{who} types {code} for challenge {}", challenge + 1)
        }
        Act::Resend { challenge } => {
            let who = name(model, model.challenges[challenge].who);
            format!("{who} asks for another code for challenge {}", challenge + 1)
        }
        Act::Refresh { token, header } => {
            let session = model.refresh[token].session;
            let who = name(model, model.sessions[session].who);
            let header = header.map_or(String::new(), |nth| format!(" and header {}", nth + 1));
            format!("{who} refreshes with refresh token {} of session {}{header}", token + 1, session + 1)
        }
        Act::Logout { access } => format!("{} logs out", bearer(model, access)),
        Act::CreateKey { access, name, expires, idempotency } => {
            let key = idempotency.map_or(String::new(), |nth| format!(" with idempotency key {}", nth + 1));
            let life = if expires { " for a day" } else { "" };
            let name = if name { "one" } else { "other" };
            format!("{} makes a key called `{name}`{life}{key}", bearer(model, access))
        }
        Act::RevokeKey { access, key } => format!("{} revokes key {}", bearer(model, access), key + 1),
        Act::Switch { access, live } => {
            let to = if live { "live" } else { "test" };
            format!("{} switches to {to}", bearer(model, access))
        }
        Act::Show { access } => format!("{} looks at the organization", bearer(model, access)),
        Act::ShowByKey { key } => format!("A server looks at the organization with key {}", key + 1),
        Act::ListKeys { access } => format!("{} lists the keys", bearer(model, access)),
        Act::ChangeRole { access, who, role } => {
            format!("{} makes {} a member as {}", bearer(model, access), name(model, who), role.as_str())
        }
        Act::BeginTotp { access, password } => {
            format!("{} begins an app {}", bearer(model, access), with(password))
        }
        Act::ConfirmTotp { access, app } => {
            let code = typed_own(app.map_or(Own::Wrong, Own::App));
            format!("{} confirms an app with {code}", bearer(model, access))
        }
        Act::RemoveTotp { access, password, own } => {
            let code = typed_own(own);
            format!("{} turns their app off {} and {code}", bearer(model, access), with(password))
        }
        Act::HandOver { access, who, password } => {
            format!("{} hands over to {} {}", bearer(model, access), name(model, who), with(password))
        }
        Act::Invite { access, who, role } => {
            format!("{} invites {} as {}", bearer(model, access), name(model, who), role.as_str())
        }
        Act::Accept { invitation } => {
            let who = name(model, model.invitations[invitation].who);
            format!("{who} accepts invitation {}", invitation + 1)
        }
        Act::ChangePassword { access, password, .. } => {
            format!("{} changes their password {}", bearer(model, access), with(password))
        }
        Act::Remove { access, who } => {
            format!("{} removes {}", bearer(model, access), name(model, who))
        }
        Act::Suspend { org, suspended } => {
            let what = if suspended { "suspends" } else { "reinstates" };
            format!("The operator {what} {}", of_org(org))
        }
        Act::Onboard { org, completed, payments } => {
            let onboarding = if completed { "completed" } else { "in progress" };
            let payments = if payments { "enabled" } else { "disabled" };
            format!("The operator sets {}: onboarding {onboarding}, payments {payments}", of_org(org))
        }
        Act::EndSessions { who } => format!("The operator ends all sessions of {}", name(model, who)),
        Act::Unlock { who } => format!("The operator unlocks {}", name(model, who)),
        Act::OperatorRevoke { key } => format!("The operator revokes key {}", key + 1),
    }
}
