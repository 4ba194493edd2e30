//! What each write refuses by itself, whatever was read before it: somebody may have logged out, been demoted or been suspended in
//! between. The store is called past the flows, which would have looked first; and a refused write leaves the table as it was.

use defences::{Place, admin, owner};
use shared::allowed_addresses::AllowedAddresses;
use shared::api_keys::{Env, KeyRecord, PlainKey};
use shared::audit::Event;
use shared::authz::Permission;
use shared::challenges::{Challenge, MAX_RESENDS};
use shared::ids::{KeyId, SessionId};
use shared::organizations::{OnboardingStatus, PaymentsStatus};
use shared::principals::UserPrincipal;
use shared::rng::SystemRng;
use shared::sessions::{LIFETIME_SECONDS, Session};
use shared::store::{
    CodeGuess, CreateKey, CreateKeyOutcome, EnvironmentOutcome, ResendOutcome, RevokeKeyOutcome, Revoker,
    RotateOutcome, Spent, StartOutcome, Store, Writer,
};
use shared::users::Role;
use time::Duration;

pub struct Scene {
    pub place: Place,
    pub user: UserPrincipal,
}

/// What happens to somebody between the read and the write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    LoggedOut,
    SessionExpired,
    SessionsEnded,
    Demoted,
    Suspended,
}

pub const TURNS: [Turn; 5] =
    [Turn::LoggedOut, Turn::SessionExpired, Turn::SessionsEnded, Turn::Demoted, Turn::Suspended];

impl Scene {
    pub async fn new() -> Self {
        let place = Place::new().await;
        let user = place.principal(&place.login(owner()).await).await;
        Self { place, user }
    }

    pub fn store(&self) -> Store {
        self.place.app().store.clone()
    }

    pub fn now(&self) -> i64 {
        self.place.app().clock.now_seconds()
    }

    /// An event of a write of ours.
    pub fn event(&self) -> Event {
        devstack::event(&self.place.app(), self.user.org_id.as_str())
    }

    /// The user, with the roles that may make and revoke keys.
    pub fn writer(&self) -> Writer<'_> {
        Writer::of(&self.user, Permission::ManageKeys.roles())
    }

    pub async fn turn(&self, turn: Turn) {
        let (store, user, now, event) = (self.store(), &self.user, self.now(), self.event());
        let changed = match turn {
            Turn::LoggedOut => store.revoke_session(&user.session_id, &event, now).await.unwrap(),
            Turn::SessionExpired => {
                self.place.devstack.clock.advance(Duration::seconds(LIFETIME_SECONDS));
                true
            }
            Turn::SessionsEnded => store
                .end_sessions(&user.user_id, std::slice::from_ref(&user.org_id), None, &event, now)
                .await
                .unwrap(),
            Turn::Demoted => store.set_role(&user.org_id, &user.user_id, Role::Viewer, &event).await.unwrap(),
            Turn::Suspended => store.set_suspended(&user.org_id, true, &|| self.event(), now).await.unwrap(),
        };
        assert!(changed, "{turn:?}");
    }

    pub fn record(&self, env: Env) -> KeyRecord {
        let (app, key) = (self.place.app(), PlainKey::generate(env, &SystemRng));
        KeyRecord {
            api_key_id: KeyId::new(app.clock.as_ref(), &SystemRng),
            org_id: self.user.org_id.clone(),
            key_name: "k".to_owned(),
            env,
            hint: key.hint(),
            key_hash: key.hash(),
            created_by: self.user.user_id.clone(),
            created_at: self.now(),
            key_expires_at: None,
            revoked_at: None,
            idempotency_id: None,
            allowed_addresses: AllowedAddresses::default(),
            last_used_at: None,
            leak: None,
        }
    }

    pub async fn create(&self, record: &KeyRecord) -> CreateKeyOutcome {
        let (by, event) = (self.writer(), &self.event());
        let create = CreateKey { record, by, answer: None, event, now: self.now() };
        self.store().create_key(&create).await.unwrap()
    }

    pub async fn revoke(&self, record: &KeyRecord) -> RevokeKeyOutcome {
        let by = Revoker::Member(self.writer());
        self.store().revoke_key(record, true, by, &self.event(), self.now()).await.unwrap()
    }

    async fn switch(&self, env: Env) -> EnvironmentOutcome {
        self.store().set_environment(self.writer(), env, &self.event(), self.now()).await.unwrap()
    }

    /// A challenge of the admin's, as it was written.
    async fn challenge(&self) -> Challenge {
        let (id, _) = self.place.challenge(admin()).await;
        self.store().challenge(&id.try_into().unwrap()).await.unwrap().unwrap()
    }

    fn session_of(&self, challenge: &Challenge) -> Session {
        let id = SessionId::new(self.place.app().clock.as_ref(), &SystemRng);
        Session::new(id, challenge.identity.clone(), "hash".to_owned(), self.now())
    }

    async fn start(&self, challenge: &Challenge) -> StartOutcome {
        let session = self.session_of(challenge);
        self.store()
            .start_session(challenge, &session, &Spent::MailedCode, &self.event(), self.now())
            .await
            .unwrap()
    }

    pub async fn table(&self) -> Vec<serde_json::Value> {
        self.place.items("", "").await
    }
}

#[tokio::test]
async fn making_a_key_looks_at_session_role_and_organization_in_its_own_write() {
    for turn in TURNS {
        let scene = Scene::new().await;
        scene.turn(turn).await;
        let before = scene.table().await;
        let expected = match turn {
            Turn::LoggedOut | Turn::SessionExpired | Turn::SessionsEnded => CreateKeyOutcome::SessionOver,
            Turn::Demoted => CreateKeyOutcome::RoleChanged,
            Turn::Suspended => CreateKeyOutcome::OrganizationChanged,
        };
        assert_eq!(scene.create(&scene.record(Env::Test)).await, expected, "{turn:?}");
        assert_eq!(scene.table().await, before, "{turn:?}");
    }
}

#[tokio::test]
async fn a_keys_environment_is_the_organizations_at_the_write() {
    let scene = Scene::new().await;
    assert_eq!(scene.create(&scene.record(Env::Live)).await, CreateKeyOutcome::OrganizationChanged);
    assert_eq!(scene.switch(Env::Live).await, EnvironmentOutcome::Switched);
    assert_eq!(scene.create(&scene.record(Env::Test)).await, CreateKeyOutcome::OrganizationChanged);
    // Payments withdrawn between the read and the write.
    let (store, org, now) = (scene.store(), &scene.user.org_id, scene.now());
    store
        .set_onboarding(org, OnboardingStatus::Completed, PaymentsStatus::Disabled, &scene.event(), now)
        .await
        .unwrap();
    assert_eq!(scene.create(&scene.record(Env::Live)).await, CreateKeyOutcome::OrganizationChanged);
    store
        .set_onboarding(org, OnboardingStatus::Completed, PaymentsStatus::Enabled, &scene.event(), now)
        .await
        .unwrap();
    assert_eq!(scene.create(&scene.record(Env::Live)).await, CreateKeyOutcome::Created);
}

#[tokio::test]
async fn revoking_a_key_switching_the_environment_and_renaming_look_in_their_own_writes() {
    for turn in TURNS {
        let scene = Scene::new().await;
        let record = scene.record(Env::Test);
        assert_eq!(scene.create(&record).await, CreateKeyOutcome::Created);
        scene.turn(turn).await;
        let before = scene.table().await;
        assert_eq!(scene.revoke(&record).await, RevokeKeyOutcome::Changed, "{turn:?}");
        assert_eq!(scene.switch(Env::Live).await, EnvironmentOutcome::StandingChanged, "{turn:?}");
        let (by, event) = (scene.writer(), scene.event());
        let renamed = scene.store().rename_organization(by, "n", &event, scene.now()).await.unwrap();
        assert!(!renamed, "{turn:?}");
        assert_eq!(scene.table().await, before, "{turn:?}");
    }
}

#[tokio::test]
async fn going_live_looks_at_the_organization_in_its_own_write() {
    let scene = Scene::new().await;
    let (store, org, now) = (scene.store(), &scene.user.org_id, scene.now());
    for (onboarding, payments) in [
        (OnboardingStatus::InProgress, PaymentsStatus::Enabled),
        (OnboardingStatus::Completed, PaymentsStatus::Disabled),
    ] {
        store.set_onboarding(org, onboarding, payments, &scene.event(), now).await.unwrap();
        assert_eq!(scene.switch(Env::Live).await, EnvironmentOutcome::StandingChanged);
    }
}

#[tokio::test]
async fn a_key_is_revoked_once_and_the_marker_of_another_stays() {
    let scene = Scene::new().await;
    let record = scene.record(Env::Test);
    scene.create(&record).await;
    assert_eq!(scene.revoke(&record).await, RevokeKeyOutcome::Revoked);
    assert_eq!(scene.revoke(&record).await, RevokeKeyOutcome::Changed);
    scene.place.devstack.clock.advance(Duration::seconds(61));
    let next = scene.record(Env::Test);
    assert_eq!(scene.create(&next).await, CreateKeyOutcome::Created);
    assert_eq!(scene.revoke(&record).await, RevokeKeyOutcome::Changed);
    assert_eq!(scene.place.items("ORG#", "ACTIVE_KEY").await[0]["api_key_id"], next.api_key_id.as_str());
}

/// The marker was read while the key that has expired held it still.
#[tokio::test]
async fn revoking_a_key_that_has_expired_takes_no_marker_from_the_next() {
    let scene = Scene::new().await;
    let record = KeyRecord { key_expires_at: Some(scene.now() + 60), ..scene.record(Env::Test) };
    assert_eq!(scene.create(&record).await, CreateKeyOutcome::Created);
    scene.place.devstack.clock.advance(Duration::seconds(61));
    let next = scene.record(Env::Test);
    assert_eq!(scene.create(&next).await, CreateKeyOutcome::Created);
    let before = scene.table().await;
    assert_eq!(scene.revoke(&record).await, RevokeKeyOutcome::Changed);
    assert_eq!(scene.table().await, before);
}

#[tokio::test]
async fn a_key_is_not_revoked_without_the_marker_that_it_holds() {
    let scene = Scene::new().await;
    let record = scene.record(Env::Test);
    scene.create(&record).await;
    let before = scene.table().await;
    // The marker was read before the key was made.
    let by = Revoker::Member(scene.writer());
    let revoked = scene.store().revoke_key(&record, false, by, &scene.event(), scene.now()).await.unwrap();
    assert_eq!(revoked, RevokeKeyOutcome::Changed);
    assert_eq!(scene.table().await, before);
}

#[tokio::test]
async fn a_session_starts_from_an_open_challenge_alone() {
    let scene = Scene::new().await;
    let challenge = scene.challenge().await;
    let other_code = Challenge { code_hash: "another".to_owned(), ..challenge.clone() };
    assert_eq!(scene.start(&other_code).await, StartOutcome::ChallengeClosed);
    assert_eq!(scene.start(&challenge).await, StartOutcome::Started);
    assert_eq!(scene.start(&challenge).await, StartOutcome::ChallengeClosed);
    let late = scene.challenge().await;
    scene.place.devstack.clock.advance(Duration::minutes(10));
    assert_eq!(scene.start(&late).await, StartOutcome::ChallengeClosed);
}

#[tokio::test]
async fn a_session_starts_and_rotates_only_as_who_one_is_now() {
    let scene = Scene::new().await;
    let (store, now) = (scene.store(), scene.now());
    let challenge = scene.challenge().await;
    let session = scene.session_of(&scene.challenge().await);
    let identity = &challenge.identity;

    store.set_role(&identity.org_id, &identity.user_id, Role::Viewer, &scene.event()).await.unwrap();
    let StartOutcome::Changed(changed) = scene.start(&challenge).await else {
        panic!("started with an old role")
    };
    assert_eq!((changed.role, changed.organization), (Some(Some(Role::Viewer)), None));

    store.set_suspended(&identity.org_id, true, &|| scene.event(), now).await.unwrap();
    let StartOutcome::Changed(changed) = scene.start(&challenge).await else {
        panic!("started while suspended")
    };
    assert!(!changed.organization.unwrap().unwrap().is_active);

    let live = store.session(&scene.user.session_id).await.unwrap().unwrap();
    let RotateOutcome::Changed(changed) = store.rotate(&live, "successor", now).await.unwrap() else {
        panic!("rotated while suspended")
    };
    assert!(!changed.organization.unwrap().unwrap().is_active);
    assert_eq!(store.rotate(&session, "successor", now).await.unwrap(), RotateOutcome::Superseded(None));
}

#[tokio::test]
async fn a_session_that_is_over_does_not_rotate() {
    for turn in [Turn::LoggedOut, Turn::SessionExpired, Turn::SessionsEnded] {
        let scene = Scene::new().await;
        let session = scene.store().session(&scene.user.session_id).await.unwrap().unwrap();
        scene.turn(turn).await;
        let before = scene.table().await;
        let rotated = scene.store().rotate(&session, "successor", scene.now()).await.unwrap();
        assert!(matches!(rotated, RotateOutcome::Superseded(Some(_))), "{turn:?} {rotated:?}");
        assert_eq!(scene.table().await, before);
    }
}

#[tokio::test]
async fn a_code_is_counted_only_for_an_open_challenge_and_the_code_that_is_alive() {
    let scene = Scene::new().await;
    let (store, now) = (scene.store(), scene.now());
    let challenge = scene.challenge().await;
    let replaced = Challenge { code_hash: "another".to_owned(), ..challenge.clone() };
    assert_eq!(store.count_code_guess(&replaced, &|_| scene.event(), now).await.unwrap(), CodeGuess::Closed);
    for _ in 0..5 {
        assert_eq!(
            store.count_code_guess(&challenge, &|_| scene.event(), now).await.unwrap(),
            CodeGuess::Counted
        );
    }
    assert_eq!(store.count_code_guess(&challenge, &|_| scene.event(), now).await.unwrap(), CodeGuess::Closed);
    assert_eq!(
        store
            .count_code_guess(&scene.challenge().await, &|_| scene.event(), challenge.expires_at)
            .await
            .unwrap(),
        CodeGuess::Closed
    );
}

#[tokio::test]
async fn a_code_is_sent_again_after_a_minute_and_three_times() {
    let scene = Scene::new().await;
    let (store, id) = (scene.store(), scene.challenge().await.challenge_id);
    for nth in 0..=MAX_RESENDS {
        let at_once = store.replace_code(&id, "too soon", scene.now(), i64::MAX).await.unwrap();
        assert!(matches!(at_once, ResendOutcome::Refused(Some(_))), "{nth}");
        scene.place.devstack.clock.advance(Duration::seconds(60));
        let after =
            store.replace_code(&id, &format!("code {nth}"), scene.now(), scene.now() + 600).await.unwrap();
        assert_eq!(after == ResendOutcome::Replaced, nth < MAX_RESENDS, "{nth}: {after:?}");
    }
}

#[tokio::test]
async fn suspending_marks_the_active_keys_credential_and_lifting_unmarks_it() {
    let scene = Scene::new().await;
    scene.create(&scene.record(Env::Test)).await;
    for suspended in [true, false] {
        scene
            .store()
            .set_suspended(&scene.user.org_id, suspended, &|| scene.event(), scene.now())
            .await
            .unwrap();
        assert_eq!(scene.place.items("KEYHASH#", "").await[0]["org_suspended"], suspended);
    }
}

#[tokio::test]
async fn an_item_of_a_later_version_is_not_guessed_at() {
    let scene = Scene::new().await;
    scene.place.devstack.requests.inject(|request| {
        (request.operation == "GetItem").then(|| {
            let item = serde_json::json!({"pk": {"S": "KEYSET"}, "sk": {"S": "KEYSET"}, "v": {"N": "2"}, "issuer": {"S": "i"}, "keys": {"L": []}});
            devstack::engines::recorder::Fault::Answer(200, serde_json::json!({ "Item": item }))
        })
    });
    let read = scene.store().key_set().await;
    assert!(
        matches!(&read, Err(shared::store::StoreError::Corrupt { item, .. }) if item == "KEYSET"),
        "{read:?}"
    );
}
