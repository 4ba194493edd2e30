//! When keys were used last: what the authorizer's log lines say, however often they are brought, in whatever order, and beside whatever else.

use defences::faults::{Kind, Span};
use defences::{Place, Session, owner};
use devstack::engines::log_group;
use devstack::engines::recorder::{Fault, Recorded};
use devstack::seed::{ACORN, BIRCH};
use reqwest::Method;
use serde_json::{Value, json};
use shared::clock::rfc3339;
use time::Duration;

const MINUTE: i64 = 60;

/// A key and whose it is.
struct Used {
    org: &'static str,
    id: String,
    key: String,
}

async fn make(place: &Place, org: &'static str, by: &Session) -> Used {
    let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&by.access_token);
    let (status, body) = place.send(request.json(&json!({"key_name": "k"}))).await;
    assert_eq!(status, 201, "{body}");
    let text = |name: &str| body["data"][name].as_str().unwrap().to_owned();
    Used { org, id: text("api_key_id"), key: text("key") }
}

/// A key of each organization, and the minute that the clock stands in.
async fn two_keys(place: &Place) -> ([Used; 2], i64) {
    let (birch, acorn) = (place.login(owner()).await, place.login(&ACORN.owner).await);
    let keys = [make(place, BIRCH.id, &birch).await, make(place, ACORN.id, &acorn).await];
    (keys, place.now() / MINUTE * MINUTE)
}

/// The line of a use, as the authorizer writes it.
fn line(org: &str, key: &str, at: i64) -> String {
    json!({
        "timestamp": rfc3339(at), "level": "INFO", "target": "audit", "action": "authorize", "outcome": "ok", "actor": key,
        "org": org, "network": "203.0.113.0/24", "request_id": "r", "took_us": 1,
    })
    .to_string()
}

impl Used {
    fn at(&self, at: i64) -> String {
        line(self.org, &self.id, at)
    }

    async fn record(&self, place: &Place) -> Value {
        place.items(&format!("ORG#{}", self.org), &format!("KEY#{}", self.id)).await.remove(0)
    }

    async fn last(&self, place: &Place) -> Option<i64> {
        self.record(place).await.get("last_used_at").map(|it| it.as_i64().unwrap())
    }
}

/// Brings lines to the function: what it answers, and how many requests that were, each an update of one item.
async fn bring(place: &Place, lines: &[String]) -> (Result<Value, String>, usize) {
    place.devstack.chain_requests.take();
    let event = log_group::event(lines, place.now()).unwrap();
    let answer = place.devstack.functions.event("key_usage", event).await;
    let asked = place.devstack.chain_requests.take();
    for request in &asked {
        assert_eq!((request.operation.as_str(), request.items()), ("UpdateItem", 1), "{}", request.body);
    }
    (answer.map_err(|error| error.to_string()), asked.len())
}

fn noted(keys: usize) -> Result<Value, String> {
    Ok(json!({ "noted": keys }))
}

#[tokio::test]
async fn it_is_to_the_minute_and_goes_forward_only_however_batches_come() {
    let place = Place::new().await;
    let ([key, _], now) = two_keys(&place).await;
    let (one, two, three) = (now - 3 * MINUTE, now - 2 * MINUTE, now - MINUTE);
    assert_eq!(key.last(&place).await, None);
    for (lines, news, last) in [
        (vec![], 0, None),
        (vec![key.at(one + 59)], 1, Some(one)),
        // The same again, and another of the same minute: nothing new.
        (vec![key.at(one + 59)], 0, Some(one)),
        (vec![key.at(one)], 0, Some(one)),
        // In any order, the latest of a batch; and a batch that was overtaken takes nothing back.
        (vec![key.at(two), key.at(three + 1), key.at(one)], 1, Some(three)),
        (vec![key.at(two)], 0, Some(three)),
        (vec![key.at(three + 59), key.at(two)], 0, Some(three)),
    ] {
        let costs = usize::from(!lines.is_empty());
        assert_eq!(bring(&place, &lines).await, (noted(news), costs), "{lines:?}");
        assert_eq!(key.last(&place).await, last, "{lines:?}");
    }
    // A line from a clock that is ahead is of now: it keeps no later use from being noted.
    assert_eq!(bring(&place, &[key.at(now + 3600)]).await.0, noted(1));
    assert_eq!(key.last(&place).await, Some(now));
    place.devstack.clock.advance(Duration::seconds(MINUTE));
    assert_eq!(bring(&place, &[key.at(now + MINUTE)]).await.0, noted(1));
    assert_eq!(key.last(&place).await, Some(now + MINUTE));
}

/// The authorizer writes nothing itself: its line is all there is, and it is read as it is written.
#[tokio::test]
async fn a_use_is_a_line_and_a_batch_costs_a_write_a_key() {
    let place = Place::new().await;
    let ([birch, acorn], now) = two_keys(&place).await;
    place.devstack.requests.take();
    for key in [&birch, &birch, &acorn] {
        let request = place.request(Method::GET, "/api/v1/organizations/me").bearer_auth(&key.key);
        assert_eq!(place.send(request).await.0, 200);
    }
    let asked = place.devstack.requests.take();
    assert!(asked.iter().all(Recorded::is_read), "{asked:?}");
    place.devstack.chain_requests.take();
    place.devstack.note_usage().await.unwrap();
    assert_eq!(place.devstack.chain_requests.take().len(), 2, "three uses, two keys");
    assert_eq!((birch.last(&place).await, acorn.last(&place).await), (Some(now), Some(now)));

    place.devstack.clock.advance(Duration::seconds(MINUTE));
    let many: Vec<String> = (0..500).map(|nth| [&birch, &acorn][nth % 2].at(now + MINUTE)).collect();
    assert_eq!(bring(&place, &many).await, (noted(2), 2), "five hundred uses, two keys");
}

#[tokio::test]
async fn junk_beside_a_line_costs_nothing_and_keeps_it_from_nothing() {
    let place = Place::new().await;
    let ([key, _], now) = two_keys(&place).await;
    let genuine = key.at(now);
    let junk = [
        String::new(),
        "not JSON".to_owned(),
        "[".repeat(100_000),
        format!("{{\"padding\": \"{}\"", "x".repeat(300_000)),
        genuine[..genuine.len() - 1].to_owned(),
        genuine.replace("\"ok\"", "\"refused\""),
        genuine.replace("authorize", "login"),
        genuine.replace("\"actor\"", "\"actress\""),
        genuine.replace(BIRCH.id, "platform"),
        genuine.replace(&rfc3339(now), "now"),
        format!("{genuine}{genuine}"),
    ];
    assert_eq!(bring(&place, &junk).await, (noted(0), 0));
    // A line of a use that is longer than any of ours counts: what it says, it says.
    let long = genuine.replace("\"r\"", &format!("\"{}\"", "r".repeat(200_000)));
    let before = place.items("", "").await;
    for event in [json!({}), json!({"awslogs": {"data": "%"}}), json!({"awslogs": {"data": "AAAA"}})] {
        let refused = place.devstack.functions.event("key_usage", event).await.unwrap_err();
        assert!(refused.to_string().contains("not a batch of log lines"), "{refused}");
    }
    assert_eq!(place.items("", "").await, before);
    assert_eq!(bring(&place, &[junk.to_vec(), vec![long]].concat()).await, (noted(1), 1));
    assert_eq!(key.last(&place).await, Some(now));
}

/// Nothing comes into being because a log says its name, and nothing that is over comes back.
#[tokio::test]
async fn a_key_that_is_not_there_stays_so_and_a_revoked_one_stays_revoked() {
    let place = Place::new().await;
    let ([birch, acorn], now) = two_keys(&place).await;
    let before = place.items("", "").await;
    let strangers = [
        line(BIRCH.id, "key_01J0ZZZZ000000000000000000", now),
        line("org_01J0ZZZZ000000000000000000", &birch.id, now),
        line(BIRCH.id, &acorn.id, now),
        line(ACORN.id, &birch.id, now),
    ];
    assert_eq!(bring(&place, &strangers).await, (noted(0), 4));
    assert_eq!(place.items("", "").await, before, "a name in a log makes nothing");

    let session = place.login(owner()).await;
    let path = format!("/api/v1/auth/api-keys/{}", birch.id);
    let revoke = place.request(Method::DELETE, &path).bearer_auth(&session.access_token);
    assert_eq!(place.send(revoke).await.0, 200);
    let revoked = birch.record(&place).await;
    let others = |items: Vec<Value>| -> Vec<Value> {
        items.into_iter().filter(|item| item["sk"] != revoked["sk"]).collect()
    };
    let before = others(place.items("", "").await);
    // Used before it was revoked, and heard of after it.
    assert_eq!(bring(&place, &[birch.at(now)]).await, (noted(1), 1));
    let mut expected = revoked.clone();
    expected["last_used_at"] = json!(now);
    assert_eq!(birch.record(&place).await, expected);
    assert_eq!(others(place.items("", "").await), before, "credential, marker and trail stay as they were");
    let me = place.request(Method::GET, "/api/v1/organizations/me").bearer_auth(&birch.key);
    assert_eq!(place.send(me).await.0, 401);
}

/// A batch whose writes fail in part is said to have failed, comes again, and changes nothing twice.
#[tokio::test]
async fn a_batch_under_any_fault_is_noted_when_it_comes_again() {
    let place = Place::new().await;
    let ([birch, acorn], now) = two_keys(&place).await;
    let photograph = place.devstack.dynamodb.photograph().await.unwrap();
    for kind in defences::faults::ALL {
        for (nth, span) in [(0, Span::Once), (1, Span::Once), (0, Span::FromThenOn), (1, Span::FromThenOn)] {
            let what = format!("{kind:?} {span:?} at {nth}");
            place.devstack.dynamodb.restore(&photograph).await.unwrap();
            let at = place.environment();
            let event = log_group::event(&[birch.at(now), acorn.at(now)], now).unwrap();
            defences::faults::inject(&at.requests, nth, kind, span);
            let (answer, took) =
                defences::flight::flying(Box::pin(key_usage::handle(&at.app, &event, "test"))).await;
            at.requests.heal();
            assert!(took < std::time::Duration::from_secs(10), "{what}: {took:?}");
            let done = [birch.last(&place).await, acorn.last(&place).await];
            if answer.is_ok() {
                assert_eq!(done, [Some(now); 2], "{what}: it is said to be noted");
            }
            if span == Span::Once {
                // Tried again, or carried out for all that is known; and one that fails keeps none from being tried.
                assert!(answer.is_ok() || kind == Kind::HalfAnswer, "{what}: {answer:?}");
                assert_eq!(done, [Some(now); 2], "{what}");
            }
            if nth == 1 {
                // The ids are in order in a batch: one of the two was written before.
                assert!(done.contains(&Some(now)), "{what}: {done:?}");
            }
            let again = key_usage::handle(&place.environment().app, &event, "again").await.unwrap();
            let left = done.iter().filter(|it| it.is_none()).count();
            assert_eq!(again, json!({ "noted": left }), "{what}: what was noted is no news");
            assert_eq!([birch.last(&place).await, acorn.last(&place).await], [Some(now); 2], "{what}");
            assert!(place.items("AUDIT#", "").await.iter().all(|it| it["action"] != "key.used"));
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_written_keeps_no_other_from_being_noted() {
    let place = Place::new().await;
    let (keys, now) = two_keys(&place).await;
    for (nth, failing) in keys.iter().enumerate() {
        let at = now + MINUTE * i64::try_from(nth).unwrap();
        let id = failing.id.clone();
        let hook = move |it: &Recorded| it.body.to_string().contains(&id).then_some(Fault::NotSent);
        place.devstack.chain_requests.inject(hook);
        let (answer, _) = bring(&place, &[keys[0].at(at), keys[1].at(at)]).await;
        place.devstack.chain_requests.heal();
        assert!(answer.is_err(), "what is left comes again");
        assert_ne!(failing.last(&place).await, Some(at));
        assert_eq!(keys[1 - nth].last(&place).await, Some(at));
        place.devstack.clock.advance(Duration::seconds(MINUTE));
    }
}
