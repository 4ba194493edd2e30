//! R3 to R6: one session's refresh tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use defences::owner;
use devstack::engines::recorder::Fault;
use serde_json::Value;
use shared::addresses::EmailAddress;
use shared::app::App;
use shared::flows::{self, Refusal, Tokens};
use shared::tokens::refresh_token::RefreshToken;
use tokio::sync::Notify;

use crate::harness::{FROM, Round, Weather, codes, rounds};

const HEADER: &str = "0123456789abcdef";

/// One refresh, made until it is decided.
async fn refresh(
    app: &App,
    weather: &Weather,
    token: &str,
    header: Option<&str>,
) -> Result<RefreshToken, Refusal> {
    let tokens = weather.ask(|| flows::refresh(app, &FROM, token, header)).await?;
    Ok(tokens.refresh_token)
}

async fn refreshes(round: &Round, token: &RefreshToken) -> bool {
    refresh(&round.place.app(), &round.weather, token.expose(), None).await.is_ok()
}

/// The session's item.
async fn stored(round: &Round, of: &RefreshToken) -> Value {
    let sessions = round.place.items(&format!("SESSION#{}", of.session_id()), "").await;
    assert_eq!(sessions.len(), 1);
    sessions[0].clone()
}

/// How often the session was rotated.
async fn rotations(app: &App, weather: &Weather, token: &RefreshToken) -> u32 {
    let session = || async { app.store.session(token.session_id()).await.map_err(Refusal::from) };
    weather.ask(session).await.unwrap().unwrap().generation
}

fn is_revoked(session: &Value) -> bool {
    session.get("revoked_at").is_some()
}

/// The one token that all were given.
fn one_successor(answers: &[Result<RefreshToken, Refusal>]) -> RefreshToken {
    let given: BTreeSet<&str> = answers.iter().map(|token| token.as_ref().unwrap().expose()).collect();
    assert_eq!(given.len(), 1);
    answers[0].as_ref().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_many_refreshes_rotate_once_and_end_the_session() {
    rounds("R3, without a header", async |round| {
        let first = round.login(owner()).await.refresh_token;
        let answers = round
            .race(|_| {
                let (app, weather, token) = (round.place.app(), round.weather.clone(), first.clone());
                async move { refresh(&app, &weather, token.expose(), None).await }
            })
            .await;
        let session = stored(round, &first).await;
        assert_eq!(session["generation"], 1);
        assert!(is_revoked(&session), "a used token that comes back ends the session");
        if round.is_sure() {
            let expected = BTreeMap::from([("done", 1), ("invalid_refresh_token", round.size - 1)]);
            assert_eq!(codes(&answers), expected);
        }
        for successor in answers.into_iter().flatten() {
            assert!(!refreshes(round, &successor).await);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_many_refreshes_with_one_header_rotate_once_and_get_the_same_successor() {
    rounds("R3, with a header", async |round| {
        let first = round.login(owner()).await.refresh_token;
        let answers = repeats(round, &first).await;
        let successor = one_successor(&answers);
        let session = stored(round, &first).await;
        assert_eq!(session["generation"], 1);
        assert!(!is_revoked(&session));
        assert!(refreshes(round, &successor).await);
    })
    .await;
}

/// The same request many times at once.
async fn repeats(round: &Round, token: &RefreshToken) -> Vec<Result<RefreshToken, Refusal>> {
    round
        .race(|_| {
            let (app, weather, token) = (round.place.app(), round.weather.clone(), token.clone());
            async move { refresh(&app, &weather, token.expose(), Some(HEADER)).await }
        })
        .await
}

/// Half of them have a token that was used already, the other half are the client whose it was.
#[tokio::test(flavor = "multi_thread")]
async fn r4_theft_ends_the_session_for_the_thief_and_for_the_honest_client() {
    rounds("R4", async |round| {
        let used = round.login(owner()).await.refresh_token;
        let current = refresh(&round.place.app(), &round.weather, used.expose(), None).await.unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let answers = round
            .race(|nth| {
                let (app, weather, ended) = (round.place.app(), round.weather.clone(), ended.clone());
                let (used, current) = (used.clone(), current.clone());
                async move {
                    if nth % 2 == 0 {
                        let answer = refresh(&app, &weather, used.expose(), None).await;
                        ended.store(true, Ordering::SeqCst);
                        return (true, answer);
                    }
                    let was_over = ended.load(Ordering::SeqCst);
                    let answer = refresh(&app, &weather, current.expose(), Some(HEADER)).await;
                    assert!(!(was_over && answer.is_ok()), "refreshed after the theft was answered");
                    (false, answer)
                }
            })
            .await;
        assert!(is_revoked(&stored(round, &used).await));
        for (thief, answer) in answers {
            match answer {
                Ok(_) if thief => panic!("a used token was accepted"),
                Ok(successor) => assert!(!refreshes(round, &successor).await),
                Err(refusal) => assert_eq!(refusal.code(), "invalid_refresh_token"),
            }
        }
        assert!(!refreshes(round, &current).await);
    })
    .await;
}

/// Half of them refresh, the others end the session: by logging out, or as the operator, who ends all sessions of a person.
#[tokio::test(flavor = "multi_thread")]
async fn r5_nothing_refreshes_after_the_answer_to_a_logout() {
    rounds("R5", async |round| {
        let tokens = round.login(owner()).await;
        let user = round.principal(&tokens).await;
        let (first, ended) = (tokens.refresh_token, Arc::new(AtomicBool::new(false)));
        let left = Arc::new(Mutex::new(Vec::new()));
        let by_operator = round.nth % 2 == 1;
        let answers = round
            .race(|nth| {
                let (app, weather, ended) = (round.place.app(), round.weather.clone(), ended.clone());
                let (first, user, left) = (first.clone(), user.clone(), left.clone());
                async move {
                    if nth % 2 == 0 {
                        if by_operator {
                            let address = EmailAddress::parse(owner().email).unwrap();
                            let end = || flows::operator::end_sessions(&app, &FROM, &address);
                            weather.ask(end).await.unwrap();
                        } else {
                            weather.ask(|| flows::logout(&app, &FROM, &user)).await.unwrap();
                        }
                        ended.store(true, Ordering::SeqCst);
                        let now = rotations(&app, &weather, &first).await;
                        left.lock().unwrap().push(now);
                        return None;
                    }
                    let was_over = ended.load(Ordering::SeqCst);
                    let answer = refresh(&app, &weather, first.expose(), Some(HEADER)).await;
                    assert!(!(was_over && answer.is_ok()), "refreshed after a logout was answered");
                    Some(answer)
                }
            })
            .await;
        assert_eq!(is_revoked(&stored(round, &first).await), !by_operator);
        for answer in answers.into_iter().flatten() {
            match answer {
                Ok(successor) => assert!(!refreshes(round, &successor).await),
                Err(refusal) => assert_eq!(refusal.code(), "invalid_refresh_token"),
            }
        }
        assert!(!refreshes(round, &first).await);
        // Also of those who had begun before: as it was when a logout was answered, the session stays.
        let last = rotations(&round.place.app(), &round.weather, &first).await;
        assert!(left.lock().unwrap().iter().all(|left| *left == last), "rotated after a logout was answered");
    })
    .await;
}

/// Where a refresh is cut.
#[derive(Clone, Copy)]
enum Cut {
    /// The write is never sent.
    Before,
    /// The function ends with the write on its way: whether it lands, and when, nobody knows.
    During,
    /// The write lands and the answer is made, but does not reach the client.
    After,
}

/// Whatever a cut refresh did, the same request again gives one successor, to everybody who sends it.
#[tokio::test(flavor = "multi_thread")]
async fn r6_repeats_of_a_refresh_that_was_cut_get_one_successor() {
    rounds("R6", async |round| {
        let first = round.login(owner()).await.refresh_token;
        cut(round, &first, [Cut::During, Cut::After, Cut::Before][round.nth % 3]).await;
        let answers = repeats(round, &first).await;
        let successor = one_successor(&answers);
        let session = stored(round, &first).await;
        assert_eq!(session["generation"], 1);
        assert!(!is_revoked(&session));
        let next = refresh(&round.place.app(), &round.weather, successor.expose(), None).await.unwrap();
        // The header is for a lost answer: once the successor was used, the answer was not lost.
        let late = refresh(&round.place.app(), &round.weather, first.expose(), Some(HEADER)).await;
        assert_eq!(late.unwrap_err().code(), "invalid_refresh_token");
        assert!(!refreshes(round, &next).await);
    })
    .await;
}

async fn cut(round: &Round, token: &RefreshToken, at: Cut) {
    let app = round.place.app();
    let begun: Result<Tokens, Refusal> = match at {
        Cut::After => round.weather.ask(|| flows::refresh(&app, &FROM, token.expose(), Some(HEADER))).await,
        Cut::Before | Cut::During => {
            let sending = Arc::new(Notify::new());
            let (sent, writes) = (Arc::clone(&sending), AtomicUsize::new(0));
            round.place.devstack.requests.inject(move |request| {
                let first =
                    request.operation == "TransactWriteItems" && writes.fetch_add(1, Ordering::SeqCst) == 0;
                if !first {
                    return None;
                }
                sent.notify_one();
                matches!(at, Cut::Before).then_some(Fault::Silence)
            });
            tokio::select! {
                biased;
                () = sending.notified() => {}
                _ = flows::refresh(&app, &FROM, token.expose(), Some(HEADER)) => {}
            }
            round.place.devstack.requests.heal();
            return;
        }
    };
    assert!(begun.is_ok());
}
