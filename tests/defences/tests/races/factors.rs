//! R15 and R16: codes of an authenticator app and backup codes, against themselves and against the app being turned off.

use std::collections::BTreeMap;

use defences::account::App;
use defences::owner;
use devstack::seed::PASSWORD;
use shared::addresses::EmailAddress;
use shared::challenges::Code;
use shared::flows::{self, CodeType, Proof, Refusal};
use shared::principals::UserPrincipal;
use shared::sensitive::Sensitive;

use crate::harness::{FROM, Round, codes, rounds};

/// A first step with an app.
async fn challenge(round: &Round) -> String {
    let (app, address) = (round.place.app(), EmailAddress::parse(owner().email).unwrap());
    let password = Sensitive::new(PASSWORD.to_owned());
    let started = round.weather.ask(|| flows::login(&app, &FROM, &address, &password)).await.unwrap();
    started.challenge_id.to_string()
}

/// Each of the racers has a challenge of their own, or five share one.
async fn challenges(round: &Round) -> Vec<String> {
    // More first steps than ten would shut the network's guard.
    let mut all = Vec::new();
    for _ in 0..round.size.min(8) {
        all.push(challenge(round).await);
    }
    all
}

/// The owner with an app that is on, and none of its codes used; removed again by [`settle`].
async fn with_an_app(round: &Round) -> (App, UserPrincipal) {
    let session = round.place.login(owner()).await;
    let app = round.place.turn_totp_on(&session).await;
    let principal = round.place.principal(&session).await;
    round.place.devstack.clock.advance(time::Duration::seconds(60));
    (app, principal)
}

fn proof(code: &str, kind: CodeType) -> Proof {
    Proof { password: Sensitive::new(PASSWORD.to_owned()), code: Code::typed(code), kind }
}

/// Opens the guards, and turns the app off, if it is on.
async fn settle(round: &Round, app: &App, user: &UserPrincipal) {
    let address = EmailAddress::parse(owner().email).unwrap();
    let functions = round.place.app();
    round.weather.ask(|| flows::operator::unlock_account(&functions, &FROM, &address)).await.unwrap();
    let proof = proof(&app.phone.code(round.place.now() + 30), CodeType::Primary);
    let removed = round.weather.ask(|| flows::remove_totp(&functions, &FROM, user, &proof)).await;
    assert!(matches!(removed, Ok(()) | Err(Refusal::NotFound)), "{removed:?}");
    round.place.devstack.clock.advance(time::Duration::seconds(60));
}

/// All of them log in with the same code.
async fn race_a_code(round: &Round, kind: CodeType) -> usize {
    let (app, user) = with_an_app(round).await;
    let code = match kind {
        CodeType::Primary => app.phone.code(round.place.now()),
        CodeType::Backup => app.backup_codes[0].clone(),
    };
    let challenges = challenges(round).await;
    let before = round.place.items("SESSION#", "").await.len();
    let answers = round
        .race(|nth| {
            let (functions, weather) = (round.place.app(), round.weather.clone());
            let (id, code) = (challenges[nth % challenges.len()].clone(), Code::typed(&code));
            async move { weather.ask(|| flows::verify(&functions, &FROM, &id, &code, kind, None)).await }
        })
        .await;
    let made = round.place.items("SESSION#", "").await.len() - before;
    assert!(made <= 1, "{made} sessions for one code");
    if round.is_sure() {
        assert_eq!(codes(&answers).get("done"), Some(&1), "{:?}", codes(&answers));
    }
    settle(round, &app, &user).await;
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_code_of_an_app_starts_one_session() {
    rounds("R15, the app", async |round| {
        race_a_code(round, CodeType::Primary).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_backup_code_starts_one_session() {
    rounds("R15, backup codes", async |round| {
        race_a_code(round, CodeType::Backup).await;
    })
    .await;
}

/// Half of them log in with backup codes of their own, the others turn the app off: once it is off, no challenge of before ends.
#[tokio::test(flavor = "multi_thread")]
async fn r16_after_the_app_is_off_no_login_of_before_ends() {
    rounds("R16", async |round| {
        let (app, user) = with_an_app(round).await;
        let challenges = challenges(round).await;
        let answers = round
            .race(|nth| {
                let (functions, weather, user) = (round.place.app(), round.weather.clone(), user.clone());
                let (id, own) =
                    (challenges[nth % challenges.len()].clone(), app.backup_codes[nth % 9].clone());
                let off = proof(&app.backup_codes[9], CodeType::Backup);
                async move {
                    match nth % 2 {
                        0 => {
                            let code = Code::typed(&own);
                            let kind = CodeType::Backup;
                            weather
                                .ask(|| flows::verify(&functions, &FROM, &id, &code, kind, None))
                                .await
                                .map(|_| ())
                        }
                        _ => weather.ask(|| flows::remove_totp(&functions, &FROM, &user, &off)).await,
                    }
                }
            })
            .await;
        let removals = answers.iter().skip(1).step_by(2);
        let removed = removals.filter(|answer| answer.is_ok()).count();
        assert!(removed <= 1, "the app was turned off {removed} times");
        let people = round.place.items("EMAIL#", "").await;
        let person = people.iter().find(|it| it["user_id"] == user.user_id.as_str()).unwrap();
        if round.is_sure() && removed == 1 {
            assert!(person["totp"].is_null() && person["backup_codes"].is_null(), "{person}");
        }
        if removed == 1 {
            for id in &challenges {
                let (functions, code) = (round.place.app(), Code::typed(&app.backup_codes[9]));
                let kind = CodeType::Backup;
                let late =
                    round.weather.ask(|| flows::verify(&functions, &FROM, id, &code, kind, None)).await;
                let refused = [Refusal::InvalidCode.code(), "too_many_attempts"];
                assert!(refused.contains(&late.as_ref().err().map_or("done", Refusal::code)));
            }
        }
        let told: BTreeMap<_, _> = codes(&answers);
        assert!(
            told.keys()
                .all(|code| { ["done", "invalid_code", "not_found", "too_many_attempts"].contains(code) }),
            "{told:?}"
        );
        settle(round, &app, &user).await;
    })
    .await;
}
