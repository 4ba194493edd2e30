//! What changes a webhook, or where a key is good, looks again in its own write: at who changes it, and at what it was when it was read. See
//! `writes`.

use defences::Place;
use serde_json::Value;
use shared::allowed_addresses::{AddressRange, AllowedAddresses};
use shared::api_keys::{Env, KeyRecord};
use shared::ids::EventId;
use shared::rng::SystemRng;
use shared::store::{CreateKeyOutcome, RevokeKeyOutcome, WebhookChange};
use shared::webhooks::{FailedTry, PreviousSecret, SealedSecret, TEST_SECONDS, Webhook, WebhookSecret};
use time::Duration;

use super::writes::{Scene, TURNS, Turn};

const ELSEWHERE: &str = "https://hooks.elsewhere.example/";

fn sealed(scene: &Scene) -> SealedSecret {
    WebhookSecret::generate(&SystemRng).seal(&SystemRng, b"key", &scene.user.org_id).unwrap()
}

fn webhook(scene: &Scene) -> Webhook {
    Webhook {
        org_id: scene.user.org_id.clone(),
        url: "https://hooks.birch.example/".to_owned(),
        events: vec!["api_key.created".to_owned()],
        secret: sealed(scene),
        previous: Vec::new(),
        revision: 1,
        created_at: scene.now(),
        updated_at: scene.now(),
        tested_at: None,
        failure: None,
    }
}

async fn change(scene: &Scene, change: &WebhookChange<'_>) -> bool {
    scene.store().change_webhook(scene.writer(), change, &scene.event(), scene.now()).await.unwrap()
}

/// A scene with a webhook, and it as it was read.
async fn listening() -> (Scene, Webhook) {
    let scene = Scene::new().await;
    let webhook = webhook(&scene);
    assert!(change(&scene, &WebhookChange::Add(&webhook)).await);
    (scene, webhook)
}

/// Everything that can become of a webhook that there is.
fn changes<'a>(
    seen: &'a Webhook,
    secret: &'a SealedSecret,
    previous: &'a [PreviousSecret],
) -> [WebhookChange<'a>; 4] {
    [
        WebhookChange::Set { seen, url: ELSEWHERE, events: &seen.events },
        WebhookChange::Rotate { seen, secret, previous },
        WebhookChange::Test(seen),
        WebhookChange::Remove(seen),
    ]
}

fn failed_try(scene: &Scene) -> FailedTry {
    FailedTry {
        event_id: EventId::new(scene.place.app().clock.as_ref(), &SystemRng),
        subject: "api_key.created".to_owned(),
        at: scene.now(),
        reason: "status".to_owned(),
        status: Some(500),
        tries: 1,
        given_up: false,
    }
}

#[tokio::test]
async fn a_webhook_is_changed_as_it_was_read_or_not_at_all() {
    let (scene, seen) = listening().await;
    assert!(!change(&scene, &WebhookChange::Add(&webhook(&scene))).await, "there is one already");
    // Somebody else moves it meanwhile, or gives it another secret.
    let secret = sealed(&scene);
    let set = WebhookChange::Set { seen: &seen, url: "https://hooks.moved.example/", events: &seen.events };
    assert!(change(&scene, &set).await);
    let moved = Webhook { revision: 2, ..seen.clone() };
    let rotate = WebhookChange::Rotate { seen: &moved, secret: &secret, previous: &[] };
    for (nth, stale) in [&seen, &moved].into_iter().enumerate() {
        if nth == 1 {
            assert!(change(&scene, &rotate).await);
        }
        let before = scene.table().await;
        for late in &changes(stale, &secret, &[]) {
            assert!(!change(&scene, late).await, "{late:?}");
        }
        // A try of before says nothing of the address of now.
        scene.store().note_failed_try(stale, &failed_try(&scene)).await.unwrap();
        assert_eq!(scene.table().await, before);
    }
    let now = Webhook { revision: 3, ..seen.clone() };
    assert!(change(&scene, &WebhookChange::Remove(&now)).await);
    let before = scene.table().await;
    for late in &changes(&now, &secret, &[]) {
        assert!(!change(&scene, late).await, "it is gone: {late:?}");
    }
    scene.store().note_failed_try(&now, &failed_try(&scene)).await.unwrap();
    assert_eq!(scene.table().await, before, "what is gone does not come back");
}

#[tokio::test]
async fn a_webhook_is_changed_by_who_may_at_the_write() {
    for turn in TURNS {
        let (scene, seen) = listening().await;
        let secret = sealed(&scene);
        scene.turn(turn).await;
        let before = scene.table().await;
        for late in &changes(&seen, &secret, &[]) {
            assert!(!change(&scene, late).await, "{turn:?}: {late:?}");
        }
        assert_eq!(scene.table().await, before, "{turn:?}");
        let scene = Scene::new().await;
        scene.turn(turn).await;
        assert!(!change(&scene, &WebhookChange::Add(&webhook(&scene))).await, "{turn:?}");
    }
}

/// Two who ask for a test at once have read that there was none.
#[tokio::test]
async fn a_test_is_sent_once_a_minute_whoever_asks_meanwhile() {
    let (scene, seen) = listening().await;
    assert!(change(&scene, &WebhookChange::Test(&seen)).await);
    let before = scene.table().await;
    assert!(!change(&scene, &WebhookChange::Test(&seen)).await);
    scene.place.devstack.clock.advance(Duration::seconds(TEST_SECONDS - 1));
    assert!(!change(&scene, &WebhookChange::Test(&seen)).await);
    assert_eq!(scene.table().await, before);
    scene.place.devstack.clock.advance(Duration::seconds(1));
    assert!(change(&scene, &WebhookChange::Test(&seen)).await);
}

async fn allow(scene: &Scene, record: &KeyRecord, text: &str) -> bool {
    let list = AllowedAddresses::new([AddressRange::parse(text).unwrap()]);
    let (by, event) = (scene.writer(), scene.event());
    scene.store().set_allowed_addresses(record, &list, by, &event, scene.now()).await.unwrap()
}

/// The list that the record has, which people see, and that the credential has, which decides.
async fn lists(place: &Place) -> [Value; 2] {
    let of = |items: Vec<Value>| items[0]["allowed_addresses"].clone();
    [of(place.items("ORG#", "KEY#").await), of(place.items("KEYHASH#", "").await)]
}

#[tokio::test]
async fn where_a_key_is_good_is_said_by_who_may_at_the_write_and_of_a_key_that_lives() {
    for turn in TURNS {
        let scene = Scene::new().await;
        let record = scene.record(Env::Test);
        assert_eq!(scene.create(&record).await, CreateKeyOutcome::Created);
        assert!(allow(&scene, &record, "192.0.2.1").await);
        assert_eq!(lists(&scene.place).await, [(); 2].map(|()| serde_json::json!(["192.0.2.1"])));
        scene.turn(turn).await;
        let before = scene.table().await;
        assert!(!allow(&scene, &record, "0.0.0.0/0").await, "{turn:?}");
        assert_eq!(scene.table().await, before, "{turn:?}");
    }
    let scene = Scene::new().await;
    let (record, stranger) = (scene.record(Env::Test), scene.record(Env::Test));
    assert_eq!(scene.create(&record).await, CreateKeyOutcome::Created);
    assert_eq!(scene.revoke(&record).await, RevokeKeyOutcome::Revoked);
    let before = scene.table().await;
    for gone in [&record, &stranger] {
        assert!(!allow(&scene, gone, "192.0.2.1").await);
        let (by, event) = (scene.writer(), scene.event());
        let anywhere = AllowedAddresses::default();
        let freed = scene.store().set_allowed_addresses(gone, &anywhere, by, &event, scene.now()).await;
        assert!(!freed.unwrap());
    }
    assert_eq!(
        scene.table().await,
        before,
        "what is revoked stays as it was, and what is not there does not come"
    );
}

/// The name is another's by the time of the write: nothing is written, and no event of it.
#[tokio::test]
async fn a_name_that_it_has_by_now_is_no_change() {
    let scene = Scene::new().await;
    let rename = async |name: &str| {
        let (by, event) = (scene.writer(), scene.event());
        scene.store().rename_organization(by, name, &event, scene.now()).await.unwrap()
    };
    assert!(rename("Another").await);
    let before = scene.table().await;
    assert!(!rename("Another").await);
    assert_eq!(scene.table().await, before);
    scene.turn(Turn::Suspended).await;
    assert!(!rename("A third").await);
}
