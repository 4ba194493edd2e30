//! How a race is run: sizes, rounds, the barrier, and what becomes of calls that the service could not answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use defences::Place;
use devstack::seed::Person;
use shared::failure::Failure;
use shared::flows::{self, Origin, Refusal, Tokens};
use shared::store::StoreError;
use time::Duration;
use tokio::sync::Barrier;

/// Where every call comes from.
pub static FROM: LazyLock<Origin> = LazyLock::new(defences::origin);

/// How many race.
pub const SIZES: [usize; 4] = [2, 8, 20, 50];
/// How many rounds of each size there are unless `RACE_ROUNDS` says it.
const FEW_ROUNDS: usize = 2;
/// How often a call is made that is answered with 503.
const TRIES: usize = 200;
/// How far the clock goes from one round to the next, in seconds: past the minute that a person's next key has to wait.
const BETWEEN_ROUNDS: i64 = 61;

/// How many rounds of each size there are to be.
#[expect(clippy::disallowed_methods, reason = "a test is told how long to run by its environment")]
fn wanted_rounds() -> usize {
    let told = std::env::var("RACE_ROUNDS").ok().filter(|rounds| !rounds.is_empty());
    told.map_or(FEW_ROUNDS, |rounds| rounds.parse().unwrap())
}

/// One round of a race.
pub struct Round {
    /// Where. Rounds of one size share it.
    pub place: Arc<Place>,
    /// How many race.
    pub size: usize,
    /// Which round of this size it is, from 0.
    pub nth: usize,
    /// What the service could not answer.
    pub weather: Arc<Weather>,
}

/// Calls that were answered with 503: on a starved machine the one or the other is, and each is made again, as clients do.
#[derive(Default)]
pub struct Weather {
    retried: AtomicUsize,
    unsure: AtomicBool,
}

impl Weather {
    /// Makes a call until it is decided.
    pub async fn ask<T, F>(&self, call: impl Fn() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        for _ in 0..TRIES {
            match call().await {
                Err(Refusal::Failed(failure)) => self.note(&failure),
                decided => return decided,
            }
        }
        panic!("not decided after {TRIES} tries")
    }

    /// After some failures nothing was written for certain; after the others that is known only by looking.
    pub fn note(&self, failure: &Failure) {
        self.retried.fetch_add(1, Ordering::SeqCst);
        let nothing_written = matches!(
            failure,
            Failure::Contended | Failure::Store(StoreError::Contended(_) | StoreError::Throttled(_))
        );
        if !nothing_written {
            self.unsure.store(true, Ordering::SeqCst);
        }
    }
}

impl Round {
    /// Starts as many as the round's size says, holds them at a barrier, lets them go together. Who begins differs from round to round.
    pub async fn race<T, F>(&self, run: impl Fn(usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let barrier = Arc::new(Barrier::new(self.size));
        let mut racers: Vec<_> = (0..self.size).map(|nth| (nth, run(nth))).collect();
        racers.rotate_left(self.nth % self.size);
        let racing = racers.into_iter().map(|(nth, racer)| {
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                barrier.wait().await;
                (nth, racer.await)
            })
        });
        let mut ended: Vec<_> = futures::future::join_all(racing.collect::<Vec<_>>()).await;
        ended.sort_by_key(|ended| ended.as_ref().map_or(0, |(nth, _)| *nth));
        ended.into_iter().map(|ended| ended.unwrap().1).collect()
    }

    /// Whether all answers say what happened. Where one does not, the table alone is looked at, and the round does not count as one.
    pub fn is_sure(&self) -> bool {
        !self.weather.unsure.load(Ordering::SeqCst)
    }

    /// Whether no call had to be made again. A call that was counts twice where calls are counted before they are carried out.
    pub fn weather_was_fine(&self) -> bool {
        self.weather.retried.load(Ordering::SeqCst) == 0
    }

    /// A whole login.
    pub async fn login(&self, person: &Person) -> Tokens {
        let (challenge_id, code) = self.challenge(person).await;
        let app = self.place.app();
        let code = shared::challenges::Code::typed(&code);
        let verify = || flows::verify(&app, &FROM, &challenge_id, &code, flows::CodeType::Primary, None);
        self.weather.ask(verify).await.unwrap()
    }

    /// The first step of a login: the challenge's id and the code that was mailed.
    pub async fn challenge(&self, person: &Person) -> (String, String) {
        let app = self.place.app();
        let address = shared::addresses::EmailAddress::parse(person.email).unwrap();
        let password = shared::sensitive::Sensitive::new(devstack::seed::PASSWORD.to_owned());
        let started = self.weather.ask(|| flows::login(&app, &FROM, &address, &password)).await.unwrap();
        (started.challenge_id.to_string(), self.place.devstack.mailbox.code(person.email).unwrap())
    }

    /// Who is logged in with these tokens.
    pub async fn principal(&self, tokens: &Tokens) -> shared::principals::UserPrincipal {
        match shared::authz::authenticate(&self.place.app(), tokens.access_token.expose()).await {
            Ok(shared::principals::Principal::User(user)) => user,
            other => panic!("{other:?}"),
        }
    }
}

/// Plays rounds of every size until there were enough in which all answers say what happened. Says how far it is.
pub async fn rounds(name: &str, play: impl AsyncFn(&Round)) {
    let wanted = wanted_rounds();
    for size in SIZES {
        let place = Arc::new(Place::without_stream().await);
        let (mut sure, mut unsure, mut retried) = (0, 0, 0);
        while sure < wanted {
            let (place, weather) = (Arc::clone(&place), Arc::new(Weather::default()));
            let round = Round { place, size, nth: sure + unsure, weather };
            play(&round).await;
            round.place.devstack.clock.advance(Duration::seconds(BETWEEN_ROUNDS));
            retried += round.weather.retried.load(Ordering::SeqCst);
            if round.is_sure() {
                sure += 1
            } else {
                unsure += 1
            }
            assert!(unsure <= wanted + 10, "{name}: {unsure} rounds ended with answers that say nothing");
        }
        eprintln!(
            "{name}: {size} at once, {sure} rounds; {retried} calls made again, {unsure} rounds not counted"
        );
    }
}

/// How often each answer was given.
pub fn counted<T: Ord>(answers: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    answers.into_iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer).or_default() += 1;
        counts
    })
}

/// The answers' codes, counted.
pub fn codes<'a, T: 'a>(
    answers: impl IntoIterator<Item = &'a Result<T, Refusal>>,
) -> BTreeMap<&'static str, usize> {
    counted(answers.into_iter().map(|answer| answer.as_ref().map_or_else(Refusal::code, |_| "done")))
}
