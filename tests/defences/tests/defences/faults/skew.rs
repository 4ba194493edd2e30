//! F10: environments whose clocks are five minutes apart, and one that was frozen for an hour.

use defences::environment::{HttpCall, Outcome};
use devstack::engines::recorder::Fault;
use serde_json::json;
use time::Duration;

use super::flows::Flow;
use super::invariants;
use super::stage::Stage;

const FIVE: Duration = Duration::minutes(5);

fn refresh(token: &str) -> HttpCall {
    HttpCall {
        function: "refresh",
        method: "POST",
        resource: "/api/v1/auth/refresh",
        parameter: None,
        body: json!({ "refresh_token": token }),
        idempotency_key: None,
        headers: Vec::new(),
        user: None,
    }
}

fn text(outcome: &Outcome, name: &str) -> String {
    outcome.body["data"][name].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_access_token_lives_fifteen_minutes_by_its_own_times_whatever_a_clock_says() {
    let stage = Box::pin(Stage::new()).await;
    let at = |by: Duration| stage.place.environment_later(by);
    let fast = at(FIVE).http(&refresh(&stage.birch.refresh_token)).await;
    let from_fast = text(&fast, "access_token");
    let slow = at(-FIVE).http(&refresh(&text(&fast, "refresh_token"))).await;
    let from_slow = text(&slow, "access_token");
    // From a clock too far ahead: not yet, for whoever is more than a minute behind it.
    for (by, status) in [(0, 401), (239, 401), (240, 200), (20 * 60 - 1, 200), (20 * 60, 401)] {
        assert_eq!(at(Duration::seconds(by)).authorize(&from_fast).await.status, status, "{by}");
    }
    // From one that is behind: no longer than it says itself, without leeway.
    for (by, status) in [(-360, 200), (-361, 401), (0, 200), (10 * 60 - 1, 200), (10 * 60, 401)] {
        assert_eq!(at(Duration::seconds(by)).authorize(&from_slow).await.status, status, "{by}");
    }
}

#[tokio::test]
async fn a_session_goes_on_between_clocks_and_a_used_token_ends_it_on_each() {
    let stage = Box::pin(Stage::new()).await;
    let mut token = stage.birch.refresh_token.clone();
    for by in [FIVE, -FIVE, Duration::ZERO, FIVE] {
        let done = stage.place.environment_later(by).http(&refresh(&token)).await;
        assert_eq!(done.status, 200, "{by}: {}", done.body);
        token = text(&done, "refresh_token");
    }
    for by in [FIVE, -FIVE] {
        let at = stage.begin(Flow::Theft).await;
        drop(at);
        let theft = stage.place.environment_later(by).http(&refresh(&stage.used_token)).await;
        assert_eq!(theft.status, 401);
        invariants::answer_is_true(Flow::Theft, &theft, &stage, &stage.table().await);
    }
}

#[tokio::test]
async fn one_key_is_active_whatever_clocks_made_it() {
    for (one, other) in [(FIVE, -FIVE), (-FIVE, FIVE)] {
        let stage = Box::pin(Stage::new()).await;
        let made = Flow::CreateKey.run(&stage, &stage.place.environment_later(one)).await;
        assert_eq!(made.status, 201);
        let second = Flow::CreateKey.run(&stage, &stage.place.environment_later(other)).await;
        assert_eq!(second.status, 409);
        let key = text(&made, "key");
        for by in [one, other] {
            assert_eq!(stage.place.environment_later(by).authorize(&key).await.status, 200);
        }
        invariants::hold(&stage, &stage.table().await);
    }
}

/// It wakes up with what it had read, and that is too old: age is told by the clock on the wall, not by how long it ran.
#[tokio::test]
async fn an_environment_that_was_frozen_trusts_nothing_that_it_kept() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin(Flow::Refresh).await;
    let first = at.http(&refresh(&stage.birch.refresh_token)).await;
    assert_eq!(first.status, 200);
    stage.place.devstack.clock.advance(Duration::hours(1));
    at.requests.inject_elsewhere(|_| Some(Fault::Answer(400, json!({"__type": "AccessDeniedException"}))));
    assert_eq!(at.http(&refresh(&text(&first, "refresh_token"))).await.status, 503, "no key is an hour old");
    at.requests.heal();
    at.requests.inject(|_| Some(Fault::Answer(400, json!({"__type": "AccessDeniedException"}))));
    assert_eq!(at.authorize(&text(&first, "access_token")).await.status, 503, "no key set is a minute old");
    at.requests.heal();
    assert_eq!(at.authorize(&text(&first, "access_token")).await.status, 401, "it expired meanwhile");
    assert_eq!(at.http(&refresh(&text(&first, "refresh_token"))).await.status, 200);
}
