//! R7, R8 and R12: codes and passwords, and the guards that count them.

use std::collections::BTreeMap;

use defences::{admin, owner};
use serde_json::Value;
use shared::addresses::EmailAddress;
use shared::challenges::{Code, MAX_ATTEMPTS};
use shared::flows::{self, CodeType, KeyRequest, Refusal, Tokens};
use shared::guards::{CODES, Guard, PASSWORDS_FROM_ANYWHERE, PASSWORDS_FROM_NETWORK};
use shared::sensitive::Sensitive;
use shared::store::Counted;

use crate::harness::{FROM, Round, codes, counted, rounds};
use crate::keys::{managers, request, revoke, sound_keys};

/// How many guesses stand in a guard of this kind.
async fn guesses(round: &Round, kind: &str) -> usize {
    let guards = round.place.items("GUARD#", kind).await;
    let of = |guard: &Value| guard["recent"].as_array().unwrap().len();
    guards.iter().filter(|guard| guard["sk"] == kind).map(of).sum()
}

/// Opens every guard of an address again.
async fn unlock(round: &Round, email: &str) {
    let (app, address) = (round.place.app(), EmailAddress::parse(email).unwrap());
    round.weather.ask(|| flows::operator::unlock_account(&app, &FROM, &address)).await.unwrap();
}

/// All of them try a code, each with a challenge of `challenges`.
async fn try_codes(round: &Round, challenges: &[String], code: &str) -> Vec<Result<Tokens, Refusal>> {
    round
        .race(|nth| {
            let (app, weather) = (round.place.app(), round.weather.clone());
            let (id, code) = (challenges[nth % challenges.len()].clone(), Code::typed(code));
            async move { weather.ask(|| flows::verify(&app, &FROM, &id, &code, CodeType::Primary, None)).await }
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn r7_one_code_starts_one_session() {
    rounds("R7", async |round| {
        let before = round.place.items("SESSION#", "").await.len();
        let (id, code) = round.challenge(owner()).await;
        let answers = try_codes(round, &[id], &code).await;
        assert_eq!(round.place.items("SESSION#", "").await.len(), before + 1);
        if round.is_sure() {
            assert_eq!(codes(&answers), BTreeMap::from([("done", 1), ("invalid_code", round.size - 1)]));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r8_of_many_wrong_codes_no_more_are_judged_than_allowed() {
    rounds("R8, codes", async |round| {
        // Every second round over several challenges: the address has a limit of its own.
        let many = round.nth % 2 == 1;
        let mut challenges = Vec::new();
        let mut right = Vec::new();
        for _ in 0..if many { 4 } else { 1 } {
            let (id, code) = round.challenge(owner()).await;
            challenges.push(id);
            right.push(code);
        }
        let wrong = (0..10).map(|digit| format!("{digit}00000")).find(|code| !right.contains(code)).unwrap();
        let answers = try_codes(round, &challenges, &wrong).await;
        let limit = if many { CODES.max } else { MAX_ATTEMPTS as usize };
        let judged = guesses(round, "CODES").await;
        assert!(judged <= limit);
        assert!(answers.iter().all(Result::is_err));
        if round.is_sure() {
            assert_eq!(judged, round.size.min(limit));
            let tried = round.place.items("CHALLENGE#", "").await;
            let tried =
                tried.iter().filter(|it| challenges.iter().any(|id| it["challenge_id"] == id.as_str()));
            assert_eq!(tried.map(|it| it["attempts"].as_u64().unwrap()).sum::<u64>(), judged as u64);
            // The code dies with the last try; the address is shut with its own.
            let last = try_one(round, &challenges[0], &right[0]).await;
            let expected = match () {
                () if many && judged == limit => "too_many_attempts",
                () if judged == limit => "invalid_code",
                () => "done",
            };
            assert_eq!(codes(&[last]), BTreeMap::from([(expected, 1)]));
        }
        unlock(round, owner().email).await;
    })
    .await;
}

async fn try_one(round: &Round, id: &str, code: &str) -> Result<Tokens, Refusal> {
    let (app, code) = (round.place.app(), Code::typed(code));
    round.weather.ask(|| flows::verify(&app, &FROM, id, &code, CodeType::Primary, None)).await
}

/// Also R12: what the guard of the network refuses, the address's guard does not count.
#[tokio::test(flavor = "multi_thread")]
async fn r8_of_many_wrong_passwords_no_more_are_judged_than_allowed() {
    rounds("R8, passwords", async |round| {
        let email = if round.nth % 2 == 0 { owner().email } else { "nobody@nowhere.example" };
        let answers = round
            .race(|_| {
                let (app, weather) = (round.place.app(), round.weather.clone());
                let address = EmailAddress::parse(email).unwrap();
                let wrong = Sensitive::new("not the password".to_owned());
                // Not asked again where the service is away: a guess that was counted stays counted.
                async move {
                    let answer = flows::login(&app, &FROM, &address, &wrong).await;
                    if let Err(Refusal::Failed(failure)) = &answer {
                        weather.note(failure);
                    }
                    answer
                }
            })
            .await;
        let limit = PASSWORDS_FROM_NETWORK.max;
        let (of_network, of_address) =
            (guesses(round, &format!("PASSWORDS#{}", FROM.network)).await, guesses(round, "PASSWORDS").await);
        assert!(of_network <= limit);
        assert_eq!(of_network, of_address, "both or neither");
        let mut codes = codes(&answers);
        let away = codes.remove("service_unavailable").unwrap_or_default();
        assert!(codes.get("invalid_credentials").is_none_or(|judged| *judged <= limit));
        if away == 0 {
            let refused = round.size.saturating_sub(limit);
            let expected = [("invalid_credentials", round.size - refused), ("too_many_attempts", refused)];
            assert_eq!(codes, expected.into_iter().filter(|(_, count)| *count > 0).collect());
        }
        unlock(round, email).await;
    })
    .await;
}

/// Guesses from a dozen networks at one address: two guards count each of them, and either may be the one that is shut.
#[tokio::test(flavor = "multi_thread")]
async fn r12_what_one_guard_refuses_no_other_counts() {
    const NETWORKS: usize = 12;
    const EACH: usize = 4;
    rounds("R12, guards", async |round| {
        let address = EmailAddress::parse(owner().email).unwrap();
        let answers = round
            .race(|nth| {
                let app = round.place.app();
                let (store, now) = (app.store.clone(), app.clock.now_seconds());
                let (address, weather) = (address.clone(), round.weather.clone());
                async move {
                    let mut counted = 0;
                    for guess in 0..EACH {
                        let network = format!("10.0.{}.0/24", (nth * 5 + guess) % NETWORKS);
                        let guards = Guard::passwords(&address, &network);
                        let count = || async {
                            let locked = |_: &Guard| devstack::event(&app, "");
                            let counted = store.count_guess(&guards, &locked, now).await;
                            counted.map_err(Refusal::from)
                        };
                        counted += usize::from(weather.ask(count).await.unwrap() == Counted::Counted);
                    }
                    counted
                }
            })
            .await;
        let guards = round.place.items("GUARD#", "PASSWORDS#").await;
        let of = |guard: &Value| guard["recent"].as_array().unwrap().len();
        let by_network: Vec<usize> = guards.iter().map(of).collect();
        let in_all = guesses(round, "PASSWORDS").await;
        assert_eq!(by_network.iter().sum::<usize>(), in_all, "both or neither");
        assert!(by_network.iter().all(|counted| *counted <= PASSWORDS_FROM_NETWORK.max), "{by_network:?}");
        assert!(in_all <= PASSWORDS_FROM_ANYWHERE.max);
        if round.is_sure() {
            assert_eq!(answers.into_iter().sum::<usize>(), in_all);
            // Twelve networks could count more than the address may.
            assert_eq!(in_all, (round.size * EACH).min(PASSWORDS_FROM_ANYWHERE.max));
        }
        unlock(round, owner().email).await;
    })
    .await;
}

/// A key that is refused because there is one costs its maker neither their minute nor their idempotency key.
#[tokio::test(flavor = "multi_thread")]
async fn r12_a_refused_key_takes_nothing_from_its_maker() {
    rounds("R12, makers", async |round| {
        let people = managers(round).await;
        let now = round.place.app().clock.now_seconds();
        let kept = round.place.items("IDEMPOTENCY#", "").await.len();
        let results = round
            .race(|nth| {
                let (app, user, weather) =
                    (round.place.app(), people[nth % 2].clone(), round.weather.clone());
                let key = Some(Sensitive::new(format!("{} of {}", nth, round.nth)));
                let asked = KeyRequest { idempotency_key: key, ..request() };
                async move {
                    let made = weather.ask(|| flows::create_key(&app, &FROM, &user, &asked)).await;
                    made.map(|_| user.user_id.to_string())
                }
            })
            .await;
        assert_eq!(counted(results.iter().map(Result::is_ok))[&true], 1);
        assert_eq!(round.place.items("IDEMPOTENCY#", "").await.len(), kept + 1);
        let rates = round.place.items("USER#", "KEY_RATE").await;
        let used: Vec<&str> =
            rates.iter().filter(|it| it["at"] == now).map(|it| it["pk"].as_str().unwrap()).collect();
        let winner = results.into_iter().find_map(Result::ok).unwrap();
        assert_eq!(used, [format!("USER#{winner}")], "{} and {}", owner().email, admin().email);
        let marked = sound_keys(round).await.unwrap();
        revoke(round, &people[0], &shared::ids::KeyId::parse(&marked).unwrap()).await;
    })
    .await;
}
