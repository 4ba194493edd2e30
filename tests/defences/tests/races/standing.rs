//! R9 and R11: a key is made while what allows it is changed.
//!
//! Which of two that overlap came first, nobody outside can say; so whoever makes the change looks at the keys once it is made. Sees it
//! none, then a key that is there in the end was made after the change, and must be as the change would have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use defences::{admin, owner};
use devstack::seed::BIRCH;
use shared::addresses::EmailAddress;
use shared::api_keys::{Env, KeyRecord};
use shared::app::App;
use shared::flows::{self, CreatedKey, Refusal};
use shared::ids::{KeyId, OrgId};
use shared::organizations::{OnboardingStatus, PaymentsStatus};
use shared::principals::UserPrincipal;
use shared::users::Role;

use crate::harness::{FROM, Round, Weather, rounds};
use crate::keys::{managers, request, revoke, sound_keys};

/// What those who make the change tell those who make keys.
#[derive(Default)]
struct Told {
    /// The change is made and answered.
    changed: AtomicBool,
    /// After it, there was no key.
    no_key_then: AtomicBool,
}

impl Told {
    /// The change is made: are there keys already?
    async fn changed(&self, app: &App, weather: &Weather) {
        self.changed.store(true, Ordering::SeqCst);
        if newest(app, weather).await.is_none_or(|key| key.revoked_at.is_some()) {
            self.no_key_then.store(true, Ordering::SeqCst);
        }
    }
}

fn birch() -> OrgId {
    OrgId::parse(BIRCH.id).unwrap()
}

async fn newest(app: &App, weather: &Weather) -> Option<KeyRecord> {
    let org = birch();
    let page = || async { app.store.key_page(&org, 1, None).await.map_err(Refusal::from) };
    weather.ask(page).await.unwrap().records.pop()
}

/// Races `change`, made by every fourth and by the first, with makers of keys. Gives the key that was made, if one was.
async fn change_and_make<F>(
    round: &Round,
    maker: &UserPrincipal,
    change: impl Fn(Arc<App>, Arc<Weather>) -> F,
    is_refused: fn(&Result<CreatedKey, Refusal>) -> bool,
) -> (Option<CreatedKey>, Arc<Told>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let told = Arc::new(Told::default());
    let made = round
        .race(|nth| {
            let (app, weather, told) = (round.place.app(), round.weather.clone(), Arc::clone(&told));
            let changing = (nth % 4 == 0).then(|| change(Arc::clone(&app), Arc::clone(&weather)));
            let maker = maker.clone();
            async move {
                if let Some(changing) = changing {
                    changing.await;
                    told.changed(&app, &weather).await;
                    return None;
                }
                let after = told.changed.load(Ordering::SeqCst);
                let asked = request();
                let made = weather.ask(|| flows::create_key(&app, &FROM, &maker, &asked)).await;
                assert!(!after || is_refused(&made), "asked for after the change: {made:?}");
                made.ok()
            }
        })
        .await;
    let mut made: Vec<_> = made.into_iter().flatten().collect();
    assert!(made.len() <= 1);
    (made.pop(), told)
}

async fn end_round(round: &Round, by: &UserPrincipal) {
    if let Some(marked) = sound_keys(round).await {
        revoke(round, by, &KeyId::parse(&marked).unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_a_keys_environment_is_the_organizations_when_it_is_made() {
    rounds("R9, switching", async |round| {
        let [owner, admin] = managers(round).await;
        let to = if round.nth % 2 == 0 { Env::Live } else { Env::Test };
        let switch = |app: Arc<App>, weather: Arc<Weather>| {
            let owner = owner.clone();
            async move {
                let switch = || flows::switch_environment(&app, &FROM, &owner, BIRCH.id, to);
                weather.ask(switch).await.unwrap();
            }
        };
        // A key of the other environment that comes after the switch is seen below.
        let (made, told) = change_and_make(round, &admin, switch, |_| true).await;
        let found = newest(&round.place.app(), &round.weather).await.filter(|it| it.revoked_at.is_none());
        if let Some(made) = made {
            assert_eq!(found.as_ref().map(|it| it.env), Some(made.key.env()), "the prefix is the record's");
        }
        if let Some(found) = found {
            let after = told.no_key_then.load(Ordering::SeqCst);
            assert!(!after || found.env == to, "made after the switch: {found:?}");
        }
        end_round(round, &owner).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_no_live_key_is_made_once_payments_are_withdrawn() {
    rounds("R9, payments", async |round| {
        let [owner, admin] = managers(round).await;
        set_payments(&round.place.app(), &round.weather, PaymentsStatus::Enabled).await;
        let app = round.place.app();
        let live = || flows::switch_environment(&app, &FROM, &owner, BIRCH.id, Env::Live);
        round.weather.ask(live).await.unwrap();
        let withdraw = |app: Arc<App>, weather: Arc<Weather>| async move {
            set_payments(&app, &weather, PaymentsStatus::Disabled).await;
        };
        let refused = |made: &Result<CreatedKey, Refusal>| {
            matches!(made, Err(Refusal::OnboardingIncomplete | Refusal::ActiveKeyExists))
        };
        let (_, told) = change_and_make(round, &admin, withdraw, refused).await;
        let found = newest(&app, &round.weather).await.filter(|it| it.revoked_at.is_none());
        let after = told.no_key_then.load(Ordering::SeqCst);
        assert!(!after || found.is_none(), "made after payments were withdrawn: {found:?}");
        end_round(round, &owner).await;
    })
    .await;
}

async fn set_payments(app: &App, weather: &Weather, payments: PaymentsStatus) {
    let org = birch();
    let set = || flows::operator::set_onboarding(app, &FROM, &org, OnboardingStatus::Completed, payments);
    weather.ask(set).await.unwrap();
}

/// How somebody stops being one who may make keys.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Demoted,
    Removed,
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_nobody_makes_a_key_after_being_demoted_or_removed() {
    rounds("R11", async |round| {
        let [owner, maker] = managers(round).await;
        let turn = if round.nth % 2 == 0 { Turn::Demoted } else { Turn::Removed };
        let dismiss = |app: Arc<App>, weather: Arc<Weather>| {
            let (owner, maker) = (owner.clone(), maker.clone());
            async move {
                match turn {
                    Turn::Demoted => set_role(&app, &weather, &maker, Role::Viewer).await,
                    Turn::Removed => {
                        let org = owner.org_id.as_str();
                        let remove =
                            || flows::remove_member(&app, &FROM, &owner, org, maker.user_id.as_str());
                        let removed = weather.ask(remove).await;
                        assert!(matches!(removed, Ok(()) | Err(Refusal::NotFound)), "{removed:?}");
                    }
                }
            }
        };
        let refused = |made: &Result<CreatedKey, Refusal>| matches!(made, Err(Refusal::InsufficientRole));
        let (_, told) = change_and_make(round, &maker, dismiss, refused).await;
        let found = newest(&round.place.app(), &round.weather).await.filter(|it| it.revoked_at.is_none());
        let after = told.no_key_then.load(Ordering::SeqCst);
        assert!(!after || found.is_none(), "made by one who may not any more: {found:?}");
        take_back(round, &maker, turn).await;
        end_round(round, &owner).await;
    })
    .await;
}

async fn set_role(app: &App, weather: &Weather, whose: &UserPrincipal, role: Role) {
    let set = || async {
        let event = devstack::event(app, whose.org_id.as_str());
        app.store.set_role(&whose.org_id, &whose.user_id, role, &event).await.map_err(Refusal::from)
    };
    weather.ask(set).await.unwrap();
}

/// For the next round.
async fn take_back(round: &Round, whose: &UserPrincipal, turn: Turn) {
    let app = round.place.app();
    match turn {
        Turn::Demoted => set_role(&app, &round.weather, whose, admin().role).await,
        Turn::Removed => {
            let address = EmailAddress::parse(admin().email).unwrap();
            let user = app.store.user(&address).await.unwrap().unwrap();
            round.place.devstack.dynamodb.forget(&format!("EMAIL#{}", address.hash()), "USER").await.unwrap();
            let event = devstack::event(&app, whose.org_id.as_str());
            app.store.create_user(&address, &user, admin().role, &event).await.unwrap();
        }
    }
    assert_ne!(owner().user_id, whose.user_id.as_str());
}
