//! A year, with everybody's copies as old as they may be: nothing valid is refused, nothing of a dead key is accepted.

use std::collections::VecDeque;

use rotation::{Environment, INTERVAL_DAYS, Place, STEPS, kid};
use serde_json::{Value, json};
use shared::flows::Tokens;
use shared::ids::SessionId;
use shared::tokens::access_token::{self, LIFETIME_SECONDS, TokenError};
use shared::tokens::key_set::Keyring;
use shared::tokens::refresh_token::{RefreshToken, Salt};

const DAY: i64 = 86_400;
/// A refresh token is used in the last hours that it lives.
const LATE: i64 = 30 * DAY - 3_700;

/// Somebody else's service, with our public keys in a cache of its own.
struct Outsider {
    keeps_for: i64,
    copy: Option<(Keyring, i64)>,
}

impl Outsider {
    async fn verify(&mut self, place: &Place, token: &str) -> Result<(), TokenError> {
        let now = place.now();
        if self.copy.as_ref().is_none_or(|(_, at)| now - at >= self.keeps_for) {
            self.copy = Some((Keyring::new(place.ledger().await.key_set()).unwrap(), now));
        }
        let (keyring, _) = self.copy.as_ref().unwrap();
        access_token::verify(token, keyring, &place.devstack.config.audience, now).map(|_| ())
    }
}

/// Who lives through the year.
struct World {
    place: Place,
    /// Reads its secrets as it should.
    diligent: Environment,
    /// Cannot read them for an hour around every rotation.
    cut_off: Environment,
    /// Verify, and read the key set at different moments.
    verifiers: [Environment; 2],
    outsiders: [Outsider; 2],
    /// Access tokens, and when they die.
    access: Vec<(String, i64)>,
    /// Refresh tokens, and when they are used.
    refresh: VecDeque<(String, i64)>,
    /// A session that is refreshed all the time, and since when.
    rolling: Option<(String, i64)>,
    late_refreshes: usize,
    /// Every value the secret ever had.
    leaked: Vec<Value>,
    ticks: usize,
    judged: usize,
    dead_refused: usize,
}

impl World {
    async fn new() -> Self {
        let place = Place::new().await;
        let environment = || place.environment();
        Self {
            diligent: environment(),
            cut_off: environment(),
            verifiers: [environment(), environment()],
            outsiders: [300, DAY].map(|keeps_for| Outsider { keeps_for, copy: None }),
            access: Vec::new(),
            refresh: VecDeque::new(),
            rolling: None,
            late_refreshes: 0,
            leaked: Vec::new(),
            place,
            ticks: 0,
            judged: 0,
            dead_refused: 0,
        }
    }

    /// Lets time pass; tokens are made and refreshed, and everything alive is verified by everybody.
    async fn tick(&mut self, seconds: i64) {
        self.place.advance(seconds);
        self.ticks += 1;
        let now = self.place.now();
        // By turns: what one of them made, the other is shown.
        let by_diligent = self.ticks.is_multiple_of(2);
        let issuer = if by_diligent { &self.diligent } else { &self.cut_off };
        let mut made = Vec::new();
        if self.ticks % 8 < 2 && seconds > 0 {
            let tokens = self.place.login(issuer).await;
            self.refresh.push_back((tokens.refresh_token.expose().to_owned(), now + LATE));
            made.push(tokens);
        }
        self.rolling = match self.rolling.take().filter(|(_, since)| now - since < LATE) {
            Some((token, since)) => {
                let tokens = refreshed(issuer, &token, self.ticks).await;
                let next = tokens.refresh_token.expose().to_owned();
                made.push(tokens);
                Some((next, since))
            }
            None => Some((self.place.login(issuer).await.refresh_token.expose().to_owned(), now)),
        };
        while self.refresh.front().is_some_and(|(_, due)| *due <= now) {
            let (token, _) = self.refresh.pop_front().unwrap();
            made.push(refreshed(issuer, &token, self.ticks).await);
            self.late_refreshes += 1;
        }
        for tokens in made {
            self.access.push((tokens.access_token.expose().clone(), now + LIFETIME_SECONDS));
        }
        self.access.retain(|(_, dies_at)| *dies_at > now);
        // The one that looks first reads the key set anew in every other tick of a minute.
        let (first, second) = (&self.verifiers[0], &self.verifiers[1]);
        let looks = if by_diligent { vec![first, second] } else { vec![second, first] };
        for (token, _) in &self.access {
            for verifier in &looks {
                assert!(verifier.accepts(token).await, "tick {}: a valid token is refused", self.ticks);
            }
            for outsider in &mut self.outsiders {
                let verified = outsider.verify(&self.place, token).await;
                assert!(
                    verified.is_ok(),
                    "tick {}, a copy of {} s: {verified:?}",
                    self.ticks,
                    outsider.keeps_for
                );
            }
            self.judged += 1;
        }
    }

    /// Days pass, each with its cleaning up; who has an old refresh token comes in its last hour.
    async fn days(&mut self, days: i64) {
        for day in 0..days {
            let evening = self.place.now() + DAY;
            while let Some((_, due)) = self.refresh.front().filter(|(_, due)| *due < evening).cloned() {
                self.tick((due - self.place.now()).max(0)).await;
            }
            self.place.call(json!({"clean_up": true})).await.unwrap();
            self.place.advance(evening - self.place.now());
            if day % 3 == 0 {
                self.tick(0).await;
                self.refuses_the_dead().await;
            }
        }
    }

    /// Whoever has an old value of the secret has nothing any more.
    async fn refuses_the_dead(&mut self) {
        let published = self.place.published().await;
        let current = self.place.current(&self.place.signing()).await;
        let accepted = ["key", "previous", "next"].map(|it| current["refresh"][it].clone());
        // The oldest ones have been refused before.
        for value in self.leaked.iter().rev().take(4) {
            if !published.contains(&kid(&value["signing"])) {
                let forged = self.place.forge(&value["signing"]).await;
                for verifier in &self.verifiers {
                    assert!(!verifier.accepts(&forged).await, "a dead key's token is accepted");
                }
                assert!(self.outsiders[0].verify(&self.place, &forged).await.is_err());
                self.dead_refused += 1;
            }
            if !accepted.contains(&value["refresh"]["key"]) {
                let key = value["refresh"]["key"].as_str().unwrap();
                let session = SessionId::parse("ses_01J0ACRN000000000000000000").unwrap();
                let salt = Salt::random(&shared::rng::SystemRng);
                let forged = RefreshToken::make(key.as_bytes(), &session, 0, &salt);
                let refused = self.diligent.refresh(forged.expose()).await.unwrap_err();
                assert_eq!(refused.to_string(), "the refresh token is not accepted: not_ours");
                self.dead_refused += 1;
            }
        }
    }

    /// A guard against a walk that judges nothing.
    fn has_seen_enough(&self) {
        let seen = (self.judged, self.late_refreshes, self.dead_refused);
        assert!(seen.0 > 1_000 && seen.1 > 50 && seen.2 > 100, "{seen:?}");
    }

    /// A rotation, and the hour and a half after it in small steps, with a cleaning up after each: as early as there can be one.
    async fn rotate(&mut self) {
        let secret = self.place.signing();
        self.leaked.push(self.place.current(&secret).await);
        let token = self.place.begin(&secret).await.unwrap();
        for step in STEPS {
            self.tick(7).await;
            if step == "finishSecret" {
                // It reads what is about to be replaced, and nothing else for an hour.
                self.cut_off = self.place.environment();
                self.cut_off.app.secrets.signing().await.unwrap();
                self.cut_off.cut_off_from(&secret);
            }
            self.place.step(&secret, step, &token).await.unwrap();
        }
        let since = self.place.now();
        for seconds in [1, 28, 59, 59, 59, 94, 150, 450, 899, 899, 898, 3] {
            self.tick(seconds).await;
            self.place.call(json!({"clean_up": true})).await.unwrap();
        }
        assert!((3_598..3_600).contains(&(self.place.now() - since)), "the hour has to be used up");
        self.cut_off.heal();
        for seconds in [59, 59, 400, 381, 1, 60] {
            self.tick(seconds).await;
            self.place.call(json!({"clean_up": true})).await.unwrap();
        }
        self.tick(60).await;
        self.refuses_the_dead().await;
    }
}

/// The secret is rotated every `days`.
async fn walk(length: i64, days: i64) -> World {
    let mut world = World::new().await;
    let mut day = 0;
    while day < length {
        world.rotate().await;
        world.days(days).await;
        day += days;
    }
    world
}

async fn refreshed(issuer: &Environment, token: &str, tick: usize) -> Tokens {
    let tokens = issuer.refresh(token).await;
    tokens.unwrap_or_else(|error| panic!("tick {tick}: a valid refresh token is refused: {error:?}"))
}

#[tokio::test]
async fn a_year_as_the_template_has_it() {
    let world = walk(365, INTERVAL_DAYS).await;
    world.has_seen_enough();
    let published = world.place.published().await;
    assert_eq!(published.len(), 2, "nothing is left behind");
}

#[tokio::test]
async fn a_season_of_somebody_who_rotates_every_week() {
    let world = walk(119, 7).await;
    world.has_seen_enough();
    world.place.is_sound().await;
}
