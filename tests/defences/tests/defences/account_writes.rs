//! The same for what people change of their own account: each write is made as if everything had just been read, and something of it was not so any
//! more.

use defences::{admin, owner};
use devstack::seed::{BIRCH, Person};
use serde_json::json;
use shared::addresses::EmailAddress;
use shared::challenges::{Code, MAX_ATTEMPTS};
use shared::factors::{PENDING_SECONDS, PendingTotp, SealedTotp, Totp, TotpSecret};
use shared::flows::{self, Refusal};
use shared::ids::{OrgId, SessionId, UserId};
use shared::reset_tokens::{self, Reset, ResetToken};
use shared::rng::SystemRng;
use shared::sessions::Session;
use shared::sign_ups::{self, SignUp};
use shared::store::{
    CodeGuess, EndOutcome, FactorsChange, FactorsOutcome, SetPassword, SetPasswordOutcome, Spent,
};
use shared::users::{Role, User};
use time::Duration;

use super::writes::{Scene, TURNS, Turn};

const SIGNED_UP: &str = "new@shop.example";

fn address_of(person: &Person) -> EmailAddress {
    EmailAddress::parse(person.email).unwrap()
}

fn new_id(scene: &Scene) -> UserId {
    UserId::new(scene.place.app().clock.as_ref(), &SystemRng)
}

impl Scene {
    /// The user's own item.
    async fn person(&self) -> User {
        self.store().user(&address_of(owner())).await.unwrap().unwrap()
    }

    async fn set_password(&self, user: &User, token: Option<&ResetToken>, now: i64) -> SetPasswordOutcome {
        let (address, organizations) = (address_of(owner()), [self.user.org_id.clone()]);
        let (event, password_hash) = (&self.event(), "another");
        let set =
            SetPassword { address: &address, user, organizations: &organizations, password_hash, event, now };
        match token {
            None => self.store().change_password(&self.user, &set).await.unwrap(),
            Some(token) => self.store().reset_password(token, "127.0.0.0/24", &set).await.unwrap(),
        }
    }

    fn pending(&self) -> PendingTotp {
        let secret = TotpSecret::generate(&SystemRng);
        let sealed = SealedTotp::seal(&SystemRng, b"key", &self.user.user_id, &secret).unwrap();
        PendingTotp { sealed, expires_at: self.now() + PENDING_SECONDS }
    }

    /// One change of factors by the owner, read as `user`.
    async fn change(&self, user: &User, deed: Deed<'_>, now: i64) -> FactorsOutcome {
        let (event, hash) = (&self.event(), address_of(owner()).hash());
        let network = "127.0.0.0/24";
        let change = FactorsChange { by: self.writer(), address_hash: &hash, user, network, event, now };
        let (store, codes) = (self.store(), vec!["hash".to_owned()]);
        match deed {
            Deed::Begin(pending) => store.begin_totp(&change, pending).await,
            Deed::TurnOn(pending) => {
                let totp = Totp { sealed: pending.sealed.clone(), last_step: 7, since: now };
                store.turn_totp_on(&change, pending, &totp, codes).await
            }
            Deed::TurnOff(spent) => store.turn_totp_off(&change, spent).await,
            Deed::Remake(spent) => store.replace_backup_codes(&change, spent, codes).await,
        }
        .unwrap()
    }

    /// Their app is on; of its codes the seventh step is used.
    async fn with_app(&self) -> User {
        let pending = self.pending();
        for deed in [Deed::Begin(&pending), Deed::TurnOn(&pending)] {
            assert_eq!(self.change(&self.person().await, deed, self.now()).await, FactorsOutcome::Changed);
        }
        self.person().await
    }

    async fn sign_up(&self) -> (EmailAddress, SignUp) {
        let account = json!({"email": SIGNED_UP, "password": "six parrots over Leeds", "full_name": "O"});
        assert_eq!(self.place.post("register", account).await.0, 201);
        let address = EmailAddress::parse(SIGNED_UP).unwrap();
        let sign_up = self.store().sign_up(&address).await.unwrap().unwrap();
        (address, sign_up)
    }

    async fn guess(&self, address: &EmailAddress, sign_up: &SignUp) -> CodeGuess {
        let (store, locked) = (self.store(), |_: &_| self.event());
        store.count_sign_up_guess(address, Some(sign_up), &locked, self.now()).await.unwrap()
    }

    async fn complete(&self, address: &EmailAddress, sign_up: &SignUp) -> bool {
        let id = SessionId::new(self.place.app().clock.as_ref(), &SystemRng);
        let session = Session::new(id, sign_up.identity(), "hash".to_owned(), self.now());
        let (store, event) = (self.store(), self.event());
        store.complete_sign_up(address, sign_up, &session, &event, self.now()).await.unwrap()
    }
}

/// What somebody does with their factors.
#[derive(Clone, Copy)]
enum Deed<'a> {
    Begin(&'a PendingTotp),
    TurnOn(&'a PendingTotp),
    TurnOff(&'a Spent),
    Remake(&'a Spent),
}

fn step(step: i64) -> Spent {
    Spent::Step { step, resealed: None }
}

fn backup_code(hash: &str) -> Spent {
    Spent::BackupCode(hash.to_owned())
}

#[tokio::test]
async fn a_password_is_changed_from_a_session_that_lives_alone() {
    // Everybody may, whatever their role.
    for turn in TURNS.into_iter().filter(|turn| *turn != Turn::Demoted) {
        let scene = Scene::new().await;
        let person = scene.person().await;
        scene.turn(turn).await;
        let before = scene.table().await;
        let made = scene.set_password(&person, None, scene.now()).await;
        assert_ne!(made, SetPasswordOutcome::Set, "{turn:?}");
        assert_eq!(scene.table().await, before, "{turn:?}");
    }
}

/// Those who differ in one thing from who somebody is.
fn others(scene: &Scene, person: &User) -> [User; 3] {
    [
        User { credentials: person.credentials + 1, ..person.clone() },
        User { password_hash: "of before".to_owned(), ..person.clone() },
        User { user_id: new_id(scene), ..person.clone() },
    ]
}

#[tokio::test]
async fn a_password_is_set_for_the_person_and_the_credentials_that_were_read() {
    let scene = Scene::new().await;
    let (store, now) = (scene.store(), scene.now());
    let (person, token) = (scene.person().await, ResetToken::generate(&SystemRng));
    let reset = Reset {
        address_hash: address_of(owner()).hash(),
        user_id: Some(person.user_id.clone()),
        credentials: person.credentials,
        expires_at: now + reset_tokens::LIFETIME_SECONDS,
    };
    store.put_reset(&token, &reset, &scene.event()).await.unwrap();
    let before = scene.table().await;
    for other in others(&scene, &person) {
        for by in [None, Some(&token)] {
            let made = scene.set_password(&other, by, now).await;
            assert_eq!(made, SetPasswordOutcome::PersonChanged, "{other:?} {}", by.is_some());
        }
    }
    let late = scene.set_password(&person, Some(&token), reset.expires_at).await;
    assert_eq!(late, SetPasswordOutcome::Closed, "it has expired");
    assert_eq!(scene.table().await, before);
    assert_eq!(scene.set_password(&person, Some(&token), now).await, SetPasswordOutcome::Set);
    // As if everything had been read again, but the token.
    let again = scene.set_password(&scene.person().await, Some(&token), now).await;
    assert_eq!(again, SetPasswordOutcome::Closed, "it is used");
}

#[tokio::test]
async fn factors_are_changed_by_who_may_write_alone() {
    for turn in TURNS {
        let scene = Scene::new().await;
        let (pending, person) = (scene.pending(), scene.person().await);
        let began = scene.change(&person, Deed::Begin(&pending), scene.now()).await;
        assert_eq!(began, FactorsOutcome::Changed);
        scene.turn(turn).await;
        let before = scene.table().await;
        // Past its end nothing could be confirmed anyway.
        let now = scene.now();
        for deed in [Deed::Begin(&pending), Deed::TurnOn(&pending)] {
            assert_eq!(scene.change(&person, deed, now).await, FactorsOutcome::StandingChanged, "{turn:?}");
        }
        assert_eq!(scene.table().await, before, "{turn:?}");

        let scene = Scene::new().await;
        let person = scene.with_app().await;
        scene.turn(turn).await;
        let (before, spent) = (scene.table().await, step(8));
        for deed in [Deed::TurnOff(&spent), Deed::Remake(&spent)] {
            let made = scene.change(&person, deed, scene.now()).await;
            assert_eq!(made, FactorsOutcome::StandingChanged, "{turn:?}");
        }
        assert_eq!(scene.table().await, before, "{turn:?}");
    }
}

#[tokio::test]
async fn an_app_is_turned_on_as_it_was_begun_and_once() {
    let scene = Scene::new().await;
    let (pending, person, now) = (scene.pending(), scene.person().await, scene.now());
    scene.change(&person, Deed::Begin(&pending), now).await;
    let before = scene.table().await;
    let [changed, _, another] = others(&scene, &person);
    for (other, deed, at) in [
        (&changed, &pending, now),
        (&another, &pending, now),
        (&person, &scene.pending(), now),
        (&person, &pending, pending.expires_at),
    ] {
        assert_eq!(scene.change(other, Deed::TurnOn(deed), at).await, FactorsOutcome::Spent);
    }
    assert_eq!(scene.table().await, before);
    assert_eq!(scene.change(&person, Deed::TurnOn(&pending), now).await, FactorsOutcome::Changed);
    // Somebody begins while it is on; nobody confirms that.
    let person = scene.person().await;
    assert_eq!(person.credentials, 1, "logins of before end nowhere");
    scene.change(&person, Deed::Begin(&pending), now).await;
    assert_eq!(scene.change(&person, Deed::TurnOn(&pending), now).await, FactorsOutcome::Spent);
}

#[tokio::test]
async fn what_proved_a_change_of_factors_is_spent_by_it() {
    let scene = Scene::new().await;
    let (person, now) = (scene.with_app().await, scene.now());
    let before = scene.table().await;
    let [changed, _, another] = others(&scene, &person);
    let (used, next, none, code) = (step(7), step(8), backup_code("none of theirs"), backup_code("hash"));
    for (who, spent) in
        [(&changed, &next), (&another, &next), (&person, &used), (&person, &none), (&changed, &code)]
    {
        for deed in [Deed::Remake(spent), Deed::TurnOff(spent)] {
            assert_eq!(scene.change(who, deed, now).await, FactorsOutcome::Spent, "{spent:?}");
        }
    }
    assert_eq!(scene.table().await, before);
    for (spent, again) in [(&code, FactorsOutcome::Changed), (&next, FactorsOutcome::Spent)] {
        assert_eq!(scene.change(&person, Deed::Remake(spent), now).await, FactorsOutcome::Changed);
        // The new codes have the old one's hash here: of these, the same is good again.
        assert_eq!(scene.change(&person, Deed::Remake(spent), now).await, again, "{spent:?}");
    }
    assert_eq!(scene.change(&person, Deed::TurnOff(&step(9)), now).await, FactorsOutcome::Changed);
    let person = scene.person().await;
    assert_eq!((person.credentials, person.totp.as_ref(), person.backup_codes.len()), (2, None, 0));
    for deed in [Deed::TurnOff(&Spent::MailedCode), Deed::Remake(&Spent::MailedCode)] {
        assert_eq!(scene.change(&person, deed, now).await, FactorsOutcome::Spent, "it is off");
    }
}

#[tokio::test]
async fn sessions_are_ended_by_their_person_and_from_one_that_lives() {
    for turn in TURNS {
        let scene = Scene::new().await;
        let other = scene.place.principal(&scene.place.login(owner()).await).await.session_id;
        scene.turn(turn).await;
        let (before, event, now) = (scene.table().await, scene.event(), scene.now());
        let ended = scene.store().end_session(scene.writer(), &other, &event, now).await.unwrap();
        assert_eq!(ended, EndOutcome::StandingChanged, "{turn:?}");
        if turn != Turn::Demoted {
            let organizations = [scene.user.org_id.clone()];
            let ended = scene.store().end_other_sessions(scene.writer(), &organizations, &event, now).await;
            assert_eq!(ended.unwrap(), EndOutcome::StandingChanged, "{turn:?}");
        }
        assert_eq!(scene.table().await, before, "{turn:?}");
    }
    let scene = Scene::new().await;
    let [own, theirs] = [owner(), admin()].map(|person| scene.place.login(person));
    let (own, theirs) = (scene.place.principal(&own.await).await, scene.place.principal(&theirs.await).await);
    let now = scene.now();
    for (id, outcome) in [
        (&theirs.session_id, EndOutcome::NotFound),
        (&own.session_id, EndOutcome::Ended),
        (&own.session_id, EndOutcome::WereOver),
    ] {
        let ended = scene.store().end_session(scene.writer(), id, &scene.event(), now).await.unwrap();
        assert_eq!(ended, outcome);
    }
    assert!(scene.store().session(&theirs.session_id).await.unwrap().unwrap().is_live(now));
}

#[tokio::test]
async fn a_code_of_a_sign_up_is_counted_while_it_waits_and_for_the_code_that_is_alive() {
    let scene = Scene::new().await;
    let (address, sign_up) = scene.sign_up().await;
    let store = scene.store();
    let other_code = SignUp { code_hash: "another".to_owned(), ..sign_up.clone() };
    let replaced = SignUp { user_id: new_id(&scene), ..sign_up.clone() };
    assert_eq!(scene.guess(&address, &other_code).await, CodeGuess::Closed);
    assert_eq!(scene.guess(&address, &replaced).await, CodeGuess::Closed);
    for _ in 0..MAX_ATTEMPTS {
        assert_eq!(scene.guess(&address, &sign_up).await, CodeGuess::Counted);
    }
    assert_eq!(scene.guess(&address, &sign_up).await, CodeGuess::Closed, "five tries, whoever reads what");
    let (hash, until) = ("new", sign_up.code_expires_at + 60);
    let again = async |user: &UserId, at: i64| {
        store.replace_sign_up_code(&address, user, hash, until, at).await.unwrap()
    };
    assert!(!again(&sign_up.user_id, scene.now()).await, "no code revives it");

    let (address, sign_up) = scene.sign_up().await;
    scene.place.devstack.clock.advance(Duration::seconds(sign_ups::CODE_LIFETIME_SECONDS));
    assert_eq!(scene.guess(&address, &sign_up).await, CodeGuess::Closed, "ten minutes");
    let again = async |user: &UserId, at: i64| {
        store.replace_sign_up_code(&address, user, hash, at + 60, at).await.unwrap()
    };
    assert!(!again(&replaced.user_id, scene.now()).await, "somebody else's");
    assert!(!again(&sign_up.user_id, sign_up.expires_at).await, "a day");
    assert!(again(&sign_up.user_id, scene.now()).await);
}

#[tokio::test]
async fn a_sign_up_makes_one_account_of_the_code_that_was_judged() {
    let scene = Scene::new().await;
    let (address, sign_up) = scene.sign_up().await;
    let before = scene.table().await;
    let other_code = SignUp { code_hash: "another".to_owned(), ..sign_up.clone() };
    let replaced = SignUp { user_id: new_id(&scene), ..sign_up.clone() };
    for not_it in [other_code, replaced] {
        assert!(!scene.complete(&address, &not_it).await);
    }
    assert_eq!(scene.table().await, before);
    assert!(scene.complete(&address, &sign_up).await);
    assert!(!scene.complete(&address, &sign_up).await, "it is used");

    // The address came to be somebody's in another way, and a code that is late.
    let scene = Scene::new().await;
    let (address, sign_up) = scene.sign_up().await;
    let org = OrgId::parse(BIRCH.id).unwrap();
    let user = User::new(new_id(&scene), SIGNED_UP.to_owned(), "O".to_owned(), "none".to_owned(), org);
    scene.store().create_user(&address, &user, Role::Viewer, &scene.event()).await.unwrap();
    let before = scene.table().await;
    assert!(!scene.complete(&address, &sign_up).await, "the address is taken");
    assert_eq!(scene.table().await, before);
    let scene = Scene::new().await;
    let (address, sign_up) = scene.sign_up().await;
    scene.place.devstack.clock.advance(Duration::seconds(sign_ups::CODE_LIFETIME_SECONDS));
    assert!(!scene.complete(&address, &sign_up).await, "ten minutes");
}

/// The sign-up of an address that was taken makes nothing, even if its code, which nobody was mailed, is guessed and the address is free by then.
#[tokio::test]
async fn a_sign_up_of_a_taken_address_makes_nothing_whatever_is_typed() {
    for taken in [true, false] {
        let scene = Scene::new().await;
        let (app, (address, sign_up)) = (scene.place.app(), scene.sign_up().await);
        let (code, codes) = (Code::typed("123456"), app.secrets.codes().await.unwrap());
        let code_hash = sign_ups::code_hash(&code, codes.current(), &sign_up.user_id);
        let sign_up = SignUp { code_hash, taken, ..sign_up };
        scene.store().put_sign_up(&address, &sign_up, &scene.event()).await.unwrap();
        let verified = flows::verify_email(&app, &defences::origin(), &address, &code).await;
        match taken {
            true => assert!(matches!(verified, Err(Refusal::InvalidCode)), "{verified:?}"),
            false => assert!(verified.is_ok(), "{verified:?}"),
        }
    }
}
