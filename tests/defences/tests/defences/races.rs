//! Fifty at once. Each race looks at the answers and at what the table holds afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use defences::{Place, RACERS, admin, origin, owner, session};
use reqwest::Method;
use serde_json::json;
use shared::flows::{self, KeyRequest, Refusal};
use shared::principals::UserPrincipal;
use time::Duration;
use tokio::sync::Barrier;

/// Starts `RACERS` of them, holds them at a barrier, lets them go together.
async fn race<T, F>(run: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(RACERS));
    let racers = (0..RACERS).map(|nth| {
        let (barrier, racer) = (Arc::clone(&barrier), run(nth));
        tokio::spawn(async move {
            barrier.wait().await;
            racer.await
        })
    });
    futures::future::join_all(racers.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect()
}

fn counted<T: Ord>(answers: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    answers.into_iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer).or_default() += 1;
        counts
    })
}

fn request() -> KeyRequest {
    KeyRequest { key_name: "raced".to_owned(), expires_in_days: None, env: None, idempotency_key: None }
}

/// One round: fifty creations by two people, one wins; the winner is then revoked by the other.
async fn creation_round(place: &Place, people: &[UserPrincipal; 2]) {
    let results = race(|nth| {
        let (app, user) = (place.app(), people[nth % 2].clone());
        async move { flows::create_key(&app, &origin(), &user, &request()).await }
    })
    .await;
    let codes =
        counted(results.iter().map(|result| result.as_ref().map_or_else(Refusal::code, |_| "created")));
    assert_eq!(codes, BTreeMap::from([("created", 1), ("active_key_exists", RACERS - 1)]));
    let winner = results.into_iter().find_map(Result::ok).unwrap();

    let active = place.items("ORG#", "ACTIVE_KEY").await;
    assert_eq!(active.len(), 1, "{active:?}");
    assert_eq!(active[0]["api_key_id"], winner.api_key_id.as_str());
    let records = place.items("ORG#", "KEY#").await;
    let live = records.iter().filter(|record| record.get("revoked_at").is_none()).count();
    assert_eq!(live, 1);
    assert_eq!(place.items("KEYHASH#", "").await.len(), records.len());

    flows::revoke_key(&place.app(), &origin(), &people[0], winner.api_key_id.as_str()).await.unwrap();
    place.devstack.clock.advance(Duration::seconds(61));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_creations_wins_in_each_of_a_hundred_rounds() {
    let place = Place::new().await;
    let people = [owner(), admin()];
    let sessions = [place.login(people[0]).await, place.login(people[1]).await];
    let people = [place.principal(&sessions[0]).await, place.principal(&sessions[1]).await];
    for _ in 0..100 {
        creation_round(&place, &people).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_creations_with_one_idempotency_key_make_one_key_and_all_get_it() {
    let place = Place::new().await;
    let user = place.principal(&place.login(owner()).await).await;
    let results = race(|_| {
        let (app, user) = (place.app(), user.clone());
        async move {
            let key = Some(shared::sensitive::Sensitive::new("one and the same".to_owned()));
            flows::create_key(&app, &origin(), &user, &KeyRequest { idempotency_key: key, ..request() }).await
        }
    })
    .await;
    let keys: BTreeSet<String> =
        results.into_iter().map(|result| result.unwrap().key.expose().to_owned()).collect();
    assert_eq!(keys.len(), 1);
    assert_eq!(place.items("KEYHASH#", "").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refreshes_rotate_once_and_end_the_session() {
    let place = Arc::new(Place::new().await);
    let first = place.login(owner()).await;
    let answers = race(|_| {
        let (place, token) = (Arc::clone(&place), first.refresh_token.clone());
        async move { place.post("refresh", json!({"refresh_token": token})).await }
    })
    .await;
    let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(answers.iter().filter(|(status, _)| *status == 401).count(), RACERS - 1);
    let stored = place.items("SESSION#", "").await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["generation"], 1);
    assert!(stored[0].get("revoked_at").is_some(), "a used token that comes back ends the session");
    let successor = session(&won[0].1).refresh_token;
    assert_eq!(place.post("refresh", json!({"refresh_token": successor})).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refreshes_with_one_header_rotate_once_and_all_get_the_same_successor() {
    let place = Arc::new(Place::new().await);
    let first = place.login(owner()).await;
    let answers = race(|_| {
        let (place, token) = (Arc::clone(&place), first.refresh_token.clone());
        async move {
            let request =
                place.request(Method::POST, "/api/v1/auth/refresh").json(&json!({"refresh_token": token}));
            place.send(request.header("Idempotency-Key", "0123456789abcdef")).await
        }
    })
    .await;
    let successors: BTreeSet<String> = answers.iter().map(|(_, body)| session(body).refresh_token).collect();
    assert_eq!(successors.len(), 1, "{answers:?}");
    let successor = successors.into_iter().next().unwrap();
    assert!(successor.starts_with("rt_"));
    let stored = place.items("SESSION#", "").await;
    assert_eq!(stored[0]["generation"], 1);
    assert!(stored[0].get("revoked_at").is_none());
    assert_eq!(place.post("refresh", json!({"refresh_token": successor})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_verifications_wins() {
    let place = Arc::new(Place::new().await);
    let (challenge_id, code) = place.challenge(owner()).await;
    let answers = race(|_| {
        let (place, body) = (Arc::clone(&place), json!({"challenge_id": challenge_id, "code": code}));
        async move { place.post("login/2fa/verify", body).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1);
    for (status, body) in answers.iter().filter(|(status, _)| *status != 200) {
        assert_eq!((*status, body["error"]["code"].as_str()), (401, Some("invalid_code")));
    }
    assert_eq!(place.items("SESSION#", "").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_wrong_codes_five_are_judged() {
    let place = Arc::new(Place::new().await);
    let (challenge_id, code) = place.challenge(owner()).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let answers = race(|_| {
        let (place, body) = (Arc::clone(&place), json!({"challenge_id": challenge_id, "code": wrong}));
        async move { place.post("login/2fa/verify", body).await }
    })
    .await;
    assert!(answers.iter().all(|(_, body)| body["error"]["code"] == "invalid_code"), "{answers:?}");
    // A code is judged only after it was counted, in the challenge and in the address's guard alike.
    assert_eq!(place.items("CHALLENGE#", "").await[0]["attempts"], 5);
    assert_eq!(place.items("GUARD#", "CODES").await[0]["recent"].as_array().unwrap().len(), 5);
    let (status, body) =
        place.post("login/2fa/verify", json!({"challenge_id": challenge_id, "code": code})).await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (401, Some("invalid_code")),
        "the code died with the fifth wrong one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_wrong_passwords_ten_are_judged() {
    let place = Arc::new(Place::new().await);
    for email in [owner().email, "nobody@nowhere.example"] {
        let answers = race(|_| {
            let place = Arc::clone(&place);
            async move { place.post("login", json!({"email": email, "password": "not the password"})).await }
        })
        .await;
        let codes =
            counted(answers.iter().map(|(status, body)| (*status, body["error"]["code"].to_string())));
        let expected = [
            ((401, "\"invalid_credentials\"".to_owned()), 10),
            ((429, "\"too_many_attempts\"".to_owned()), RACERS - 10),
        ];
        assert_eq!(codes, BTreeMap::from(expected), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_never_outlives_its_revocation_nor_the_switch_of_its_environment() {
    let place = Place::new().await;
    let people = [place.login(owner()).await, place.login(admin()).await];
    let people = [place.principal(&people[0]).await, place.principal(&people[1]).await];
    for round in 0..10 {
        let to = if round % 2 == 0 { shared::api_keys::Env::Live } else { shared::api_keys::Env::Test };
        let results = race(|nth| {
            let (app, people) = (place.app(), people.clone());
            async move {
                if nth == 0 {
                    flows::switch_environment(&app, &origin(), &people[0], people[0].org_id.as_str(), to)
                        .await
                        .unwrap();
                    return None;
                }
                flows::create_key(&app, &origin(), &people[nth % 2], &request()).await.ok()
            }
        })
        .await;
        let made: Vec<_> = results.into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        let [key] = made.as_slice() else { unreachable!() };
        let record = place
            .items("KEYHASH#", "")
            .await
            .into_iter()
            .find(|it| it["api_key_id"] == key.api_key_id.as_str());
        assert_eq!(record.unwrap()["env"], key.key.env().as_str());
        flows::revoke_key(&place.app(), &origin(), &people[0], key.api_key_id.as_str()).await.unwrap();
        let refused = shared::authz::authenticate(&place.app(), key.key.expose()).await;
        assert!(matches!(refused, Err(shared::authz::Rejection::NotAuthentic("revoked_key"))), "{refused:?}");
        place.devstack.clock.advance(Duration::seconds(61));
    }
}
