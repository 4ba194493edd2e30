//! What can happen in a history, and how one is drawn.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

/// One of those there are, counted back from the newest: 0 is the newest. It means something as long as there is one at all, so that a
/// history from which steps were taken out still is one.
#[derive(Debug, Clone, Copy)]
pub struct Pick(pub u8);

impl Pick {
    /// Which of `count` it is.
    pub fn of(self, count: usize) -> Option<usize> {
        let back = usize::from(self.0).checked_rem(count)?;
        Some(count - 1 - back)
    }
}

/// A code that is typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Typed {
    /// The one that is alive.
    Right,
    /// The one before it, if another was sent, else a wrong one; where an app is on, a backup code.
    Replaced,
    /// No code of this challenge.
    Wrong,
}

/// What one of them does. People are numbered as in the model.
#[derive(Debug, Clone)]
pub enum Deed {
    /// The first step of a login.
    Login { who: usize, right: bool },
    /// The second.
    Verify { challenge: Pick, typed: Typed },
    /// A code sent again.
    Resend { challenge: Pick },
    /// A refresh, with one of a few `Idempotency-Key`s or none.
    Refresh { token: Pick, header: Option<u8> },
    /// A logout.
    Logout { access: Pick },
    /// A new key, of one of two names, with one of a few idempotency keys or none.
    CreateKey { access: Pick, name: bool, expires: bool, idempotency: Option<u8> },
    /// A key's end.
    RevokeKey { access: Pick, key: Pick },
    /// Another environment.
    Switch { access: Pick, live: bool },
    /// A look at the own organization, as a person.
    Show { access: Pick },
    /// The same with an API key.
    ShowByKey { key: Pick },
    /// A look at the keys.
    ListKeys { access: Pick },
    /// Another role for somebody, by one who may or may not give it.
    ChangeRole { access: Pick, who: usize, role: usize },
    /// The organization is handed over, with the right password or a wrong one.
    HandOver { access: Pick, who: usize, right: bool },
    /// Somebody who was of the organization is invited to it again.
    Invite { access: Pick, who: usize, role: usize },
    /// An invitation is accepted, whichever.
    Accept { invitation: Pick },
    /// A password becomes another, by who knows the one before, or does not.
    ChangePassword { access: Pick, right: bool },
    /// An app is begun, with the right password or a wrong one.
    BeginTotp { access: Pick, right: bool },
    /// It is confirmed.
    ConfirmTotp { access: Pick, right: bool },
    /// It is turned off.
    RemoveTotp { access: Pick, right: bool, typed: Typed },
    /// Somebody is taken out of the organization, or leaves.
    Remove { access: Pick, who: usize },
    /// The operator suspends an organization, or reinstates it.
    Suspend { org: usize, suspended: bool },
    /// The operator writes down how far onboarding has come.
    Onboard { org: usize, completed: bool, payments: bool },
    /// The operator ends all sessions of a person.
    EndSessions { who: usize },
    /// The operator opens a person's guards.
    Unlock { who: usize },
    /// The operator revokes a key.
    OperatorRevoke { key: Pick },
}

/// One line of a history.
#[derive(Debug, Clone)]
pub enum Step {
    /// One thing.
    One(Deed),
    /// A whole login.
    Enter { who: usize },
    /// More wrong guesses than an address is allowed: at codes, with a new challenge for every five, or at the password.
    Siege { who: usize, codes: bool },
    /// Somebody is taken out of the organization, invited again, and accepts.
    Return { access: Pick, who: usize, role: usize },
    /// An app is begun and confirmed.
    TurnOn { access: Pick },
    /// Several things at once.
    Together(Vec<Deed>),
    /// Time passes: so many seconds.
    Wait(i64),
}

/// The six people.
const PEOPLE: std::ops::Range<usize> = 0..6;

/// Mostly the newest.
fn pick() -> BoxedStrategy<Pick> {
    prop_oneof![3 => Just(Pick(0)), 2 => (0_u8..3).prop_map(Pick), 1 => (0_u8..12).prop_map(Pick)].boxed()
}

/// Birch can go live, and its people are half of the story.
fn who() -> BoxedStrategy<usize> {
    prop_oneof![4 => 3_usize..5, 1 => PEOPLE].boxed()
}

/// Those whom Birch's people do something about, and now and then somebody of Acorn.
fn colleague() -> BoxedStrategy<usize> {
    prop_oneof![6 => 3_usize..6, 1 => PEOPLE].boxed()
}

fn org() -> BoxedStrategy<usize> {
    prop_oneof![3 => Just(1_usize), 1 => Just(0)].boxed()
}

fn some_of(count: u8) -> BoxedStrategy<Option<u8>> {
    prop_oneof![2 => Just(None), 3 => (0..count).prop_map(Some)].boxed()
}

fn yes_mostly() -> BoxedStrategy<bool> {
    prop_oneof![4 => Just(true), 1 => Just(false)].boxed()
}

fn typed() -> BoxedStrategy<Typed> {
    prop_oneof![4 => Just(Typed::Right), 1 => Just(Typed::Replaced), 3 => Just(Typed::Wrong)].boxed()
}

fn of_people() -> BoxedStrategy<Deed> {
    prop_oneof![
        2 => (who(), yes_mostly()).prop_map(|(who, right)| Deed::Login { who, right }),
        4 => (pick(), typed()).prop_map(|(challenge, typed)| Deed::Verify { challenge, typed }),
        1 => pick().prop_map(|challenge| Deed::Resend { challenge }),
        8 => (pick(), some_of(2)).prop_map(|(token, header)| Deed::Refresh { token, header }),
        2 => pick().prop_map(|access| Deed::Logout { access }),
        8 => (pick(), any::<bool>(), any::<bool>(), some_of(3)).prop_map(|(access, name, expires, idempotency)| {
            Deed::CreateKey { access, name, expires, idempotency }
        }),
        4 => (pick(), pick()).prop_map(|(access, key)| Deed::RevokeKey { access, key }),
        4 => (pick(), any::<bool>()).prop_map(|(access, live)| Deed::Switch { access, live }),
        4 => (pick(), colleague(), 0_usize..3).prop_map(|(access, who, role)| Deed::ChangeRole { access, who, role }),
        3 => (pick(), colleague(), yes_mostly())
            .prop_map(|(access, who, right)| Deed::HandOver { access, who, right }),
        3 => (pick(), colleague()).prop_map(|(access, who)| Deed::Remove { access, who }),
        3 => (pick(), colleague(), 0_usize..3).prop_map(|(access, who, role)| Deed::Invite { access, who, role }),
        4 => pick().prop_map(|invitation| Deed::Accept { invitation }),
        4 => (pick(), yes_mostly()).prop_map(|(access, right)| Deed::ChangePassword { access, right }),
        1 => (pick(), yes_mostly()).prop_map(|(access, right)| Deed::BeginTotp { access, right }),
        2 => (pick(), yes_mostly()).prop_map(|(access, right)| Deed::ConfirmTotp { access, right }),
        2 => (pick(), yes_mostly(), typed())
            .prop_map(|(access, right, typed)| Deed::RemoveTotp { access, right, typed }),
        1 => pick().prop_map(|access| Deed::Show { access }),
        1 => pick().prop_map(|key| Deed::ShowByKey { key }),
        1 => pick().prop_map(|access| Deed::ListKeys { access }),
    ]
    .boxed()
}

fn of_the_operator() -> BoxedStrategy<Deed> {
    prop_oneof![
        2 => (org(), any::<bool>()).prop_map(|(org, suspended)| Deed::Suspend { org, suspended }),
        2 => (org(), yes_mostly(), yes_mostly())
            .prop_map(|(org, completed, payments)| Deed::Onboard { org, completed, payments }),
        1 => who().prop_map(|who| Deed::EndSessions { who }),
        1 => who().prop_map(|who| Deed::Unlock { who }),
        1 => pick().prop_map(|key| Deed::OperatorRevoke { key }),
    ]
    .boxed()
}

fn deed() -> BoxedStrategy<Deed> {
    prop_oneof![5 => of_people(), 1 => of_the_operator()].boxed()
}

fn wait() -> BoxedStrategy<i64> {
    const DAY: i64 = 24 * 60 * 60;
    // A second, a step of an app, around a minute, a token's and a guard's quarter of an hour, a key's or an answer's day, a session's month.
    prop_oneof![
        8 => Just(1), 4 => Just(30), 4 => Just(59), 12 => Just(60), 4 => Just(61), 2 => Just(600), 2 => Just(900), 2 => Just(DAY),
        1 => Just(30 * DAY),
    ]
    .boxed()
}

/// A history of up to `longest` steps.
pub fn history(longest: usize) -> BoxedStrategy<Vec<Step>> {
    let step = prop_oneof![
        20 => deed().prop_map(Step::One),
        3 => who().prop_map(|who| Step::Enter { who }),
        1 => (who(), any::<bool>()).prop_map(|(who, codes)| Step::Siege { who, codes }),
        2 => (pick(), colleague(), 0_usize..3).prop_map(|(access, who, role)| Step::Return { access, who, role }),
        3 => pick().prop_map(|access| Step::TurnOn { access }),
        8 => vec(prop_oneof![2 => of_people(), 1 => of_the_operator()], 2..=4).prop_map(Step::Together),
        6 => wait().prop_map(Step::Wait),
    ];
    vec(step, 1..=longest).boxed()
}
