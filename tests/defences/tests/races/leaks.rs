//! R18: a key that leaks is reported, revoked, moved and used, all at once.

use std::collections::BTreeMap;

use defences::owner;
use e2e::reporter::found;
use serde_json::{Value, json};
use shared::allowed_addresses::{AddressRange, AllowedAddresses};
use shared::app::App;
use shared::authz::{self, Rejection};
use shared::flows::{self, CreatedKey, Refusal};
use shared::leaks::{self, Label};
use shared::principals::UserPrincipal;

use crate::harness::{FROM, Round, Weather, codes, rounds};
use crate::keys::{make, managers, sound_keys};

/// Reports of one key, from different places.
async fn report(nth: usize, app: &App, weather: &Weather, key: &CreatedKey) -> Result<(), Refusal> {
    let mut one = found(key.key.expose());
    one["url"] = json!(format!("https://github.com/octocat/hello/blob/{nth}/config.txt"));
    let all = leaks::read(Value::from(vec![one])).unwrap();
    let verdicts = weather.ask(|| flows::report_leaks(app, &FROM, &all)).await?;
    assert!(matches!(verdicts[0].label, Label::TruePositive));
    Ok(())
}

/// Where a racer lets the key be used from: each somewhere else.
fn allowed(nth: usize) -> AllowedAddresses {
    AllowedAddresses::new([AddressRange::parse(&format!("192.0.2.{nth}")).unwrap()])
}

async fn act(
    nth: usize,
    app: &App,
    by: &UserPrincipal,
    weather: &Weather,
    key: &CreatedKey,
) -> Result<(), Refusal> {
    let id = key.api_key_id.as_str();
    match nth % 4 {
        0 | 1 => report(nth, app, weather, key).await,
        2 => weather.ask(|| flows::revoke_key(app, &FROM, by, id)).await.map(|_| ()),
        _ => {
            let allowed = allowed(nth);
            weather.ask(|| flows::change_key(app, &FROM, by, id, &allowed)).await.map(|_| ())
        }
    }
}

/// Two of four report, one revokes, one moves the key. It is revoked once, by one of them, and its owner is mailed if a report was first.
#[tokio::test(flavor = "multi_thread")]
async fn r18_a_key_that_leaks_is_revoked_once_whoever_else_changes_it() {
    rounds("R18, reports", async |round| {
        let [user, _] = managers(round).await;
        let key = std::sync::Arc::new(make(round, &user).await);
        let mails = || round.place.devstack.mailbox.newest_first(Some(owner().email)).len();
        let (before, told) = (mails(), events(round).await);
        let results = round
            .race(|nth| {
                let (app, user, weather) = (round.place.app(), user.clone(), round.weather.clone());
                let (key, turn) = (key.clone(), nth + round.nth);
                async move { act(turn, &app, &user, &weather, &key).await }
            })
            .await;
        // Whoever moves a dead key is told so; everybody else gets what they want.
        let codes = codes(&results);
        assert!(codes.keys().all(|code| ["done", "key_revoked"].contains(code)), "{codes:?}");
        assert_eq!(sound_keys(round).await, None);
        let judged = authz::authenticate(&round.place.app(), key.key.expose()).await;
        assert!(matches!(judged, Err(Rejection::NotAuthentic("revoked_key"))), "{judged:?}");

        let record = round.place.items("ORG#", &format!("KEY#{}", key.api_key_id)).await.remove(0);
        let mut changes = events(round).await;
        for (action, times) in told {
            *changes.get_mut(&action).unwrap() -= times;
        }
        let times = |action: &str| changes.get(action).copied().unwrap_or_default();
        assert_eq!(times("key.leaked") + times("key.revoke"), 1, "revoked once: {changes:?}");
        assert_eq!(record["leak"].is_object(), times("key.leaked") == 1, "{record}");
        if round.is_sure() {
            assert_eq!(mails() - before, times("key.leaked"), "one mail of one leak");
        }
        assert!(mails() - before <= times("key.leaked"));
    })
    .await;
}

/// How many events of each action there are.
async fn events(round: &Round) -> BTreeMap<String, usize> {
    let all = round.place.items("AUDIT#", "EVENT#").await;
    crate::harness::counted(all.iter().map(|it| it["action"].as_str().unwrap().to_owned()))
}

/// Everybody but one notes a use, each of another minute; one revokes. The latest minute stays, and the key is dead.
#[tokio::test(flavor = "multi_thread")]
async fn r18_the_latest_use_stays_and_keeps_no_key_alive() {
    rounds("R18, uses", async |round| {
        let [user, _] = managers(round).await;
        let key = std::sync::Arc::new(make(round, &user).await);
        let minute = round.place.now() / 60 * 60;
        let latest = minute + 60 * i64::try_from(round.size - 1).unwrap();
        round
            .race(|nth| {
                let (app, user, weather) = (round.place.app(), user.clone(), round.weather.clone());
                let key = key.clone();
                async move {
                    if nth == 0 {
                        weather
                            .ask(|| flows::revoke_key(&app, &FROM, &user, key.api_key_id.as_str()))
                            .await
                            .unwrap();
                        return;
                    }
                    // A batch that failed comes again.
                    let at = minute + 60 * i64::try_from(nth).unwrap();
                    let note = async || app.store.note_use(&user.org_id, &key.api_key_id, at).await;
                    let noted = async || note().await.map_err(|error| Refusal::Failed(error.into()));
                    weather.ask(noted).await.unwrap();
                }
            })
            .await;
        assert_eq!(sound_keys(round).await, None);
        let record = round.place.items("ORG#", &format!("KEY#{}", key.api_key_id)).await.remove(0);
        assert_eq!(record["last_used_at"], latest);
    })
    .await;
}
