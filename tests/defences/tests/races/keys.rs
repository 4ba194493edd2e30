//! R1 and R2: making keys, and revoking them meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use defences::{admin, owner};
use serde_json::Value;
use shared::allowed_addresses::AllowedAddresses;
use shared::authz::{self, Rejection};
use shared::flows::{self, CreatedKey, KeyRequest, Refusal};
use shared::ids::{KeyId, OrgId};
use shared::principals::UserPrincipal;
use shared::sensitive::Sensitive;
use time::Duration;

use crate::harness::{FROM, Round, Weather, codes, rounds};

/// A request for a key.
pub fn request() -> KeyRequest {
    KeyRequest {
        key_name: "raced".to_owned(),
        expires_in_days: None,
        env: None,
        allowed_addresses: AllowedAddresses::default(),
        idempotency_key: None,
    }
}

/// The owner and the admin, logged in.
pub async fn managers(round: &Round) -> [UserPrincipal; 2] {
    let tokens = [round.login(owner()).await, round.login(admin()).await];
    [round.principal(&tokens[0]).await, round.principal(&tokens[1]).await]
}

/// Makes a key.
pub async fn make(round: &Round, by: &UserPrincipal) -> CreatedKey {
    let (app, asked) = (round.place.app(), request());
    round.weather.ask(|| flows::create_key(&app, &FROM, by, &asked)).await.unwrap()
}

/// Revokes a key, as one of the organization.
pub async fn revoke(round: &Round, by: &UserPrincipal, key: &KeyId) {
    let app = round.place.app();
    round.weather.ask(|| flows::revoke_key(&app, &FROM, by, key.as_str())).await.unwrap();
}

/// What the table says of keys must fit together, whatever raced: a record for each credential, which says the same of it, and one
/// marker at most, which names a key that is not revoked; and no other key but the marked one is good at `now`. Gives the marked key.
pub async fn sound_keys(round: &Round) -> Option<String> {
    let place = &round.place;
    let now = place.app().clock.now_seconds();
    let records = place.items("ORG#", "KEY#").await;
    let credentials = place.items("KEYHASH#", "").await;
    let markers = place.items("ORG#", "ACTIVE_KEY").await;
    assert_eq!(records.len(), credentials.len());
    assert!(markers.len() <= 1, "{markers:?}");
    let marked = markers.first().map(|marker| marker["api_key_id"].as_str().unwrap().to_owned());
    let is_over = |item: &Value| item["key_expires_at"].as_i64().is_some_and(|at| at <= now);
    for record in &records {
        let of_it = |credential: &&Value| credential["api_key_id"] == record["api_key_id"];
        let credential = credentials.iter().find(of_it).unwrap();
        for said in ["revoked_at", "key_expires_at", "env", "allowed_addresses"] {
            assert_eq!(record.get(said), credential.get(said), "{record} {credential}");
        }
        let is_marked = record["api_key_id"].as_str() == marked.as_deref();
        let revoked = record.get("revoked_at").is_some();
        assert!(!(is_marked && revoked), "the marker names a dead key: {record}");
        assert!(is_marked || revoked || is_over(record), "a second active key: {record}");
    }
    marked
}

async fn is_revoked(round: &Round, key: &CreatedKey) -> bool {
    let judged = authz::authenticate(&round.place.app(), key.key.expose()).await;
    matches!(judged, Err(Rejection::NotAuthentic("revoked_key")))
}

/// Makes keys by two people at once; every second round beside a key that has expired and never was revoked.
#[tokio::test(flavor = "multi_thread")]
async fn r1_one_of_many_makers_gets_the_key() {
    rounds("R1, makers", async |round| {
        let people = managers(round).await;
        let short_lived = round.nth % 2 == 1;
        let results = round
            .race(|nth| {
                let (app, user, weather) =
                    (round.place.app(), people[nth % 2].clone(), round.weather.clone());
                let asked = KeyRequest { expires_in_days: short_lived.then_some(1), ..request() };
                async move { weather.ask(|| flows::create_key(&app, &FROM, &user, &asked)).await }
            })
            .await;
        let marked = sound_keys(round).await;
        if round.is_sure() {
            let expected = BTreeMap::from([("done", 1), ("active_key_exists", round.size - 1)]);
            assert_eq!(codes(&results), expected);
            let winner = results.into_iter().find_map(Result::ok).unwrap();
            assert_eq!(marked.as_deref(), Some(winner.api_key_id.as_str()));
            assert!(authz::authenticate(&round.place.app(), winner.key.expose()).await.is_ok());
        }
        if short_lived {
            round.place.devstack.clock.advance(Duration::days(1));
        } else {
            revoke(round, &people[0], &KeyId::parse(&marked.unwrap()).unwrap()).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_makers_with_one_idempotency_key_make_one_key_and_all_get_it() {
    rounds("R1, repeats", async |round| {
        let [user, _] = managers(round).await;
        let same = format!("one and the same {}", round.nth);
        let results = round
            .race(|_| {
                let (app, user, weather) = (round.place.app(), user.clone(), round.weather.clone());
                let key = Some(Sensitive::new(same.clone()));
                let asked = KeyRequest { idempotency_key: key, ..request() };
                async move { weather.ask(|| flows::create_key(&app, &FROM, &user, &asked)).await }
            })
            .await;
        // A repeat recovers a lost answer, so this holds in any weather.
        let made: BTreeSet<_> = results
            .iter()
            .map(|made| made.as_ref().unwrap())
            .map(|made| (made.api_key_id.to_string(), made.key.expose()))
            .collect();
        assert_eq!(made.len(), 1);
        let marked = sound_keys(round).await.unwrap();
        assert_eq!(made.first().unwrap().0, marked);
        revoke(round, &user, &KeyId::parse(&marked).unwrap()).await;
    })
    .await;
}

/// Revokes by one person and by the operator, while the other person makes the next key.
#[tokio::test(flavor = "multi_thread")]
async fn r2_a_revoked_key_is_dead_and_the_marker_names_no_dead_key() {
    rounds("R2", async |round| {
        let people = managers(round).await;
        let first = make(round, &people[0]).await;
        let (makers, revokers): (Vec<_>, Vec<_>) = round
            .race(|nth| {
                let (app, people, weather) = (round.place.app(), people.clone(), round.weather.clone());
                let id = first.api_key_id.clone();
                async move { act(nth, &app, &people, &weather, &id).await }
            })
            .await
            .into_iter()
            .partition(|result| matches!(result, Ok(Some(_)) | Err(Refusal::ActiveKeyExists)));
        let marked = sound_keys(round).await;
        assert!(is_revoked(round, &first).await);
        if round.is_sure() {
            assert!(revokers.iter().all(|result| matches!(result, Ok(None))), "{:?}", codes(&revokers));
            assert_eq!(revokers.len(), round.size.div_ceil(2));
            let made: Vec<_> = makers.into_iter().filter_map(Result::ok).flatten().collect();
            assert!(made.len() <= 1);
            let made = made.first().map(|made| made.api_key_id.as_str());
            assert_eq!(marked.as_deref(), made, "the marker and the answers name the same key, or none");
        }
        if let Some(marked) = marked {
            revoke(round, &people[0], &KeyId::parse(&marked).unwrap()).await;
        }
    })
    .await;
}

async fn act(
    nth: usize,
    app: &shared::app::App,
    people: &[UserPrincipal; 2],
    weather: &Weather,
    id: &KeyId,
) -> Result<Option<CreatedKey>, Refusal> {
    let (org, asked): (&OrgId, _) = (&people[0].org_id, request());
    match nth % 4 {
        0 => weather.ask(|| flows::revoke_key(app, &FROM, &people[0], id.as_str())).await.map(|_| None),
        2 => weather.ask(|| flows::operator::revoke_key(app, &FROM, org, id)).await.map(|_| None),
        _ => weather.ask(|| flows::create_key(app, &FROM, &people[1], &asked)).await.map(Some),
    }
}
