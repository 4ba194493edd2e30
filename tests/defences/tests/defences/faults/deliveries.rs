//! The same for what carries webhooks: the stream's reader, the queue's, and the schedule. Whatever meets them, what happened is told, and what comes
//! twice is the same.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use defences::environment::Environment;
use defences::flight::flying;
use defences::{Place, owner};
use devstack::engines::dynamodb::Photograph;
use devstack::engines::recorder::{Fault, Recorded};
use devstack::seed::BIRCH;
use key_expiry::ReminderError;
use reqwest::Method;
use serde_json::{Value, json};
use shared::app::App;
use shared::courier::Courier;
use shared::ids::EventId;
use shared::rng::SystemRng;
use shared::webhooks::Reach;

use super::kinds::{self, Kind, Span};

/// What a run may take: the schedule looks at 31 days, each within a deadline of its own.
const LONGEST: Duration = Duration::from_secs(3);

/// Birch listens at an address that nobody may call, has made a key that expires, and asked for a test.
struct Stage {
    place: Place,
    photograph: Photograph,
    /// The stream's records of the key and of the test.
    records: Vec<Value>,
}

impl Stage {
    async fn new() -> Self {
        let place = Box::pin(Place::new()).await;
        let session = place.login(owner()).await;
        let ask = async |method: Method, path: &str, body: Value| {
            let request = place.request(method, path).bearer_auth(&session.access_token);
            let (status, body) = place.send(if body.is_null() { request } else { request.json(&body) }).await;
            assert!(status < 300, "{body}");
        };
        let webhook = format!("/api/v1/organizations/{}/webhook", BIRCH.id);
        ask(Method::PUT, &webhook, json!({"url": "http://127.0.0.1:1/"})).await;
        place.devstack.stream.take().await.unwrap();
        ask(Method::POST, "/api/v1/auth/api-keys", json!({"key_name": "k", "expires_in_days": 8})).await;
        ask(Method::POST, &format!("{webhook}/test"), Value::Null).await;
        let records = place.devstack.stream.take().await.unwrap();
        assert_eq!(records.len(), 2);
        place.devstack.clock.advance(time::Duration::days(1));
        Self { photograph: place.devstack.dynamodb.photograph().await.unwrap(), records, place }
    }

    async fn begin(&self) -> Environment {
        self.place.devstack.dynamodb.restore(&self.photograph).await.unwrap();
        self.environment()
    }

    /// With somebody who calls public addresses alone: no try of this takes time.
    fn environment(&self) -> Environment {
        let mut at = self.place.environment();
        at.app.courier = Some(Courier::hire(Reach::Internet).unwrap());
        at
    }

    /// The records under ids that nobody has seen, and these.
    fn batch(&self) -> (Value, BTreeSet<String>) {
        let app = self.place.app();
        let (mut records, mut ids) = (self.records.clone(), BTreeSet::new());
        for record in &mut records {
            let id = EventId::new(app.clock.as_ref(), &SystemRng).to_string();
            let before = record["dynamodb"]["NewImage"]["event_id"]["S"].as_str().unwrap();
            *record = serde_json::from_str(&record.to_string().replace(before, &id)).unwrap();
            ids.insert(id);
        }
        (json!({ "Records": records }), ids)
    }

    /// The bodies in the queue that are about these.
    fn queued(&self, ids: &BTreeSet<String>) -> Vec<Value> {
        let messages = self.place.devstack.webhooks.queue.messages();
        let bodies = messages.iter().map(|it| serde_json::from_str::<Value>(&it.body).unwrap());
        bodies.filter(|it| it["event_id"].as_str().is_some_and(|id| ids.contains(id))).collect()
    }

    /// One message, as Lambda gives it to the function.
    fn message(&self) -> Value {
        let queue = &self.place.devstack.webhooks.queue;
        queue.let_go();
        for message in queue.receive() {
            queue.delete(message["receiptHandle"].as_str().unwrap());
        }
        let id = EventId::new(self.place.app().clock.as_ref(), &SystemRng);
        let message = json!({"org_id": BIRCH.id, "event_id": id, "type": "webhook.test", "body": "{}"});
        queue.put(&message.to_string());
        queue.receive().remove(0)
    }

    async fn failure(&self) -> Value {
        self.place.items("WEBHOOK#", "").await.remove(0)["failure"].clone()
    }

    async fn reminders(&self) -> (usize, Value) {
        let events = self.place.items("AUDIT#", "EVENT#").await;
        let written = events.iter().filter(|it| it["action"] == "key.expiring").count();
        (written, self.place.items("EXPIRY#", "").await.remove(0)["reminded"].clone())
    }
}

/// The requests of a call that all goes well with.
async fn requests_of(at: &Environment, call: impl Future) -> Vec<Recorded> {
    let seen: Arc<Mutex<Vec<Recorded>>> = Arc::default();
    let recording = Arc::clone(&seen);
    kinds::numbered(&at.requests, move |_, request| {
        recording.lock().unwrap().push(request.clone());
        None
    });
    call.await;
    at.requests.heal();
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty(), "nothing is asked for, so nothing can fail");
    seen
}

/// Every fault that means something to one of these requests, once or for good by turns.
fn faults(requests: &[Recorded]) -> impl Iterator<Item = (usize, Kind, Span)> {
    requests.iter().enumerate().flat_map(|(nth, request)| {
        let fits = kinds::ALL.into_iter().filter(|kind| kind.fits(request));
        fits.enumerate().flat_map(move |(turn, kind)| {
            let both = [Span::Once, Span::FromThenOn];
            let chosen = if super::whole() { both.to_vec() } else { vec![both[(turn + nth) % 2]] };
            chosen.into_iter().map(move |span| (nth, kind, span))
        })
    })
}

/// The environment dies as soon as a write was carried out.
async fn is_killed(at: &Environment, nth: usize, call: impl Future) {
    kinds::numbered(&at.requests, move |number, _| (number >= nth).then_some(Fault::SilenceAfter));
    let (ended, _) = flying(tokio::time::timeout(Duration::from_millis(500), call)).await;
    assert!(ended.is_err(), "killed after request {nth}: it lived");
}

fn again(answer: &Value) -> BTreeSet<String> {
    let failed = answer["batchItemFailures"].as_array().unwrap();
    failed.iter().map(|it| it["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// What is answered not to come again is in the queue; what comes again is put there, and is the same.
#[tokio::test]
async fn what_happened_is_queued_under_every_fault() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin().await;
    let (batch, _) = stage.batch();
    let requests =
        requests_of(&at, async { webhook_queue::handle(&at.app, batch, "test").await.unwrap() }).await;
    let sequences: BTreeSet<String> = stage
        .records
        .iter()
        .map(|it| it["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned())
        .collect();
    let mut cases = 0;
    for (nth, kind, span) in faults(&requests) {
        let what = format!("request {nth}, {kind:?} {span:?}");
        let at = stage.begin().await;
        let (batch, ids) = stage.batch();
        kinds::inject(&at.requests, nth, kind, span);
        let (answer, took) = flying(Box::pin(webhook_queue::handle(&at.app, batch.clone(), "test"))).await;
        at.requests.heal();
        assert!(took < LONGEST, "{what}: {took:?}");
        match &answer {
            Ok(answer) if again(answer).is_empty() => {
                assert!(stage.queued(&ids).len() >= 2, "{what}: it is said to be queued");
            }
            Ok(answer) => assert_eq!(again(answer), sequences, "{what}: from the first on, all of it"),
            Err(_) => {}
        }
        // A queue knows no conflicts: that one is an error like any other.
        if span == Span::Once && ![Kind::HalfAnswer, Kind::Conflict].contains(&kind) {
            assert!(matches!(&answer, Ok(answer) if again(answer).is_empty()), "{what}: {answer:?}");
        }
        is_told(&stage, (batch, &ids), &what).await;
        cases += 1;
    }
    for (nth, _) in requests.iter().enumerate().filter(|(_, it)| Kind::Conflict.fits(it)) {
        let at = stage.begin().await;
        let (batch, ids) = stage.batch();
        is_killed(&at, nth, Box::pin(webhook_queue::handle(&at.app, batch.clone(), "test"))).await;
        is_told(&stage, (batch, &ids), &format!("killed after request {nth}")).await;
        cases += 1;
    }
    assert!(cases >= 15, "{cases} faults");
}

/// The batch comes again: each event is in the queue now, and all of one have one body.
async fn is_told(stage: &Stage, (batch, ids): (Value, &BTreeSet<String>), what: &str) {
    let answer = webhook_queue::handle(&stage.environment().app, batch, "again").await.unwrap();
    assert!(again(&answer).is_empty(), "{what}: {answer}");
    let queued = stage.queued(ids);
    let told: BTreeSet<&str> = queued.iter().map(|it| it["event_id"].as_str().unwrap()).collect();
    let bodies: BTreeSet<&str> = queued.iter().map(|it| it["body"].as_str().unwrap()).collect();
    assert_eq!((told.len(), bodies.len()), (2, 2), "{what}: {queued:?}");
}

/// A message that did not arrive comes again, whatever else goes wrong, and its webhook is as it was, but for word of the try.
#[tokio::test]
async fn what_did_not_arrive_comes_again_under_every_fault() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin().await;
    let batch = json!({ "Records": [stage.message()] });
    let requests =
        requests_of(&at, async { webhook_send::handle(&at.app, batch, "test").await.unwrap() }).await;
    let operations: Vec<&str> = requests.iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations, ["GetItem", "GetSecretValue", "UpdateItem", "ChangeMessageVisibility"]);
    let before = stage.place.items("WEBHOOK#", "").await.remove(0);
    assert_eq!(before["failure"]["reason"], "address_not_allowed");
    let mut cases = 0;
    for (nth, kind, span) in faults(&requests) {
        let what = format!("request {nth}, {kind:?} {span:?}");
        let at = stage.begin().await;
        let message = stage.message();
        let id = BTreeSet::from([message["messageId"].as_str().unwrap().to_owned()]);
        let batch = json!({ "Records": [message] });
        kinds::inject(&at.requests, nth, kind, span);
        let (answer, took) = flying(Box::pin(webhook_send::handle(&at.app, batch, "test"))).await;
        at.requests.heal();
        assert!(took < LONGEST, "{what}: {took:?}");
        assert_eq!(again(&answer.unwrap()), id, "{what}: it is lost");
        let noted = stage.failure().await;
        assert!(noted.is_null() || noted["tries"] == 1, "{what}: {noted}");
        is_tried_again(&stage, &id, &what).await;
        cases += 1;
    }
    for (nth, _) in requests.iter().enumerate().filter(|(_, it)| Kind::Conflict.fits(it)) {
        let what = format!("killed after request {nth}");
        let at = stage.begin().await;
        let message = stage.message();
        let id = BTreeSet::from([message["messageId"].as_str().unwrap().to_owned()]);
        let batch = json!({ "Records": [message] });
        is_killed(&at, nth, Box::pin(webhook_send::handle(&at.app, batch, "test"))).await;
        is_tried_again(&stage, &id, &what).await;
        cases += 1;
    }
    assert!(cases >= 15, "{cases} faults");
}

/// It is in the queue, and the next try is the second.
async fn is_tried_again(stage: &Stage, id: &BTreeSet<String>, what: &str) {
    stage.place.devstack.webhooks.queue.let_go();
    let batch = json!({ "Records": stage.place.devstack.webhooks.queue.receive() });
    let answer = webhook_send::handle(&stage.environment().app, batch, "again").await.unwrap();
    assert_eq!(again(&answer), *id, "{what}");
    assert_eq!(stage.failure().await["tries"], 2, "{what}");
}

async fn run(app: &App) -> Result<Value, ReminderError> {
    key_expiry::handle(app, json!({}), "test").await
}

/// A run that fails anywhere writes a reminder whole or not at all, and the next one makes up for it, once.
#[tokio::test]
async fn a_reminder_is_written_once_under_every_fault() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin().await;
    let requests = requests_of(&at, async { run(&at.app).await.unwrap() }).await;
    let write = requests.iter().position(|it| it.operation == "TransactWriteItems").unwrap();
    assert_eq!(stage.reminders().await, (1, json!(7)));
    let mut cases = 0;
    // A look is like the others, and one of them is enough.
    let is_tried = |(nth, kind, _): &(usize, Kind, Span)| {
        *nth == write || (*nth == 0 && [Kind::NotSent, Kind::Silence].contains(kind))
    };
    for (nth, kind, span) in faults(&requests).filter(is_tried) {
        let what = format!("request {nth}, {kind:?} {span:?}");
        let at = stage.begin().await;
        kinds::inject(&at.requests, nth, kind, span);
        let (ran, took) = flying(Box::pin(run(&at.app))).await;
        at.requests.heal();
        assert!(took < 2 * LONGEST, "{what}: {took:?}");
        let (written, mark) = stage.reminders().await;
        assert_eq!(written == 1, !mark.is_null(), "{what}: half a reminder");
        match ran {
            Ok(answer) => assert_eq!((written, &answer["written"]), (1, &json!(1)), "{what}"),
            Err(error) => assert!(span == Span::FromThenOn || kind == Kind::HalfAnswer, "{what}: {error:?}"),
        }
        run(&stage.environment().app).await.unwrap();
        assert_eq!(stage.reminders().await, (1, json!(7)), "{what}, and the next run");
        cases += 1;
    }
    let at = stage.begin().await;
    is_killed(&at, write, Box::pin(run(&at.app))).await;
    run(&stage.environment().app).await.unwrap();
    assert_eq!(stage.reminders().await, (1, json!(7)), "killed after its write");
    assert!(cases >= 10, "{cases} faults");
}
