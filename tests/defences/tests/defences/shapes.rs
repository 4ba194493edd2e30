//! Old and new code read each other's items: during a deployment both run, and a roll-back meets what the new code wrote.
//!
//! `tests/defences/items/` holds, file by file, every kind of item as some released code wrote it, from a devstack that went through
//! [`life`]. What the code of now writes goes to the build's folder for temporary files; a test fails, and says how to add a file, when
//! that has come to differ from the newest one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use defences::{Place, Session, admin, origin, owner};
use devstack::seed::{ACORN, BIRCH};
use reqwest::Method;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::audit::Chain;
use shared::authz::Permission;
use shared::expiries::Expiry;
use shared::flows::operator;
use shared::guards::Guard;
use shared::ids::{EventId, KeyId, OrgId, SessionId, UserId};
use shared::organizations::{OnboardingStatus, PaymentsStatus};
use shared::store::{
    CodeGuess, Counted, CreateKey, CreateKeyOutcome, RevokeKeyOutcome, Revoker, RotateOutcome, SealedAnswer,
    Store, StoreError, Writer,
};
use time::Duration;

use crate::shapes_people;

/// Every kind of item there is: the words of `shared/src/store/keys.rs`.
const KINDS: [&str; 34] = [
    "AUDIT#/EVENT#",
    "CHAIN#/LINK#",
    "CHAIN#/MARK#",
    "CHALLENGE#/CHALLENGE",
    "EMAIL#/USER",
    "EXPIRY#/KEY#",
    "GUARD#/CODES",
    "GUARD#/INVITATIONS_BY",
    "GUARD#/INVITATIONS_TO",
    "GUARD#/MAILS_FROM",
    "GUARD#/PASSWORDS",
    "GUARD#/PASSWORDS#",
    "GUARD#/RESENDS",
    "GUARD#/RESENDS_SOON",
    "GUARD#/RESETS",
    "GUARD#/SIGN_UPS",
    "GUARD#/SIGN_UP_CODES",
    "IDEMPOTENCY#/ANSWER",
    "INVITATION#/INVITATION",
    "KEYHASH#/CREDENTIAL",
    "KEYSET/KEYSET",
    "ORG#/ACTIVE_KEY",
    "ORG#/INVITATION#",
    "ORG#/KEY#",
    "ORG#/MEMBER#",
    "ORG#/ORG",
    "RESET#/RESET",
    "SESSION#/SESSION",
    "SIGNUP#/SIGNUP",
    "USER#/KEY_RATE",
    "USER#/MEMBER#",
    "USER#/SESSION#",
    "USER#/TOTP_PENDING",
    "WEBHOOK#/WEBHOOK",
];

/// Those that are met in a failed write alone, or by their names alone.
const IN_WRITES: [&str; 3] = ["IDEMPOTENCY#/ANSWER", "USER#/KEY_RATE", "USER#/SESSION#"];

/// The guard that one call shuts.
const SHUT_AT_ONCE: &str = "GUARD#/RESENDS_SOON";

/// Items in DynamoDB's own JSON, and the time they were written by, in seconds since the epoch.
struct Items {
    at: i64,
    items: Vec<Value>,
}

impl Items {
    fn of<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a Value> {
        self.items.iter().filter(move |item| kind(item) == wanted)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("items")
}

/// What released code wrote, oldest first.
fn kept() -> Vec<(String, Items)> {
    let names = std::fs::read_dir(folder()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.collect();
    let read = |name: String| {
        let file: Value = serde_json::from_slice(&std::fs::read(folder().join(&name)).unwrap()).unwrap();
        let items = file["items"].as_array().unwrap().clone();
        (name, Items { at: file["at"].as_i64().unwrap(), items })
    };
    let kept: Vec<_> = names.into_iter().map(read).collect();
    assert!(!kept.is_empty(), "no items are kept in {}", folder().display());
    kept
}

/// Calls the engine past all code of ours.
async fn engine(place: &Place, operation: &str, input: &Value) -> Value {
    place.devstack.dynamodb.ask(&format!("DynamoDB_20120810.{operation}"), input).await.unwrap()
}

async fn table(place: &Place) -> Vec<Value> {
    let found = engine(place, "Scan", &json!({"TableName": place.devstack.dynamodb.table})).await;
    let mut items = found["Items"].as_array().unwrap().clone();
    items.sort_by_key(|item| (text(item, "pk"), text(item, "sk")));
    items
}

async fn load(place: &Place, items: &[Value]) {
    for item in items {
        let put = json!({"TableName": place.devstack.dynamodb.table, "Item": item});
        engine(place, "PutItem", &put).await;
    }
}

/// A place where some code's items are, as if they were written now: engines drop what has expired by their own clocks. Everything
/// else is as a devstack begins.
async fn place_with(kept: &Items, change: impl Fn(&mut Value)) -> (Place, Items) {
    let place = Place::new().await;
    let now = place.app().clock.now_seconds();
    let mut items = kept.items.clone();
    for item in &mut items {
        move_times(item, now - kept.at);
        change(item);
    }
    load(&place, &items).await;
    (place, Items { at: now, items })
}

/// Moves every time in a value: every number that is of this century when taken for seconds since the epoch.
fn move_times(value: &mut Value, by: i64) {
    match value {
        Value::Object(members) => {
            let time = members.get("N").and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
            match time.filter(|time| *time > 946_684_800) {
                Some(time) => *value = json!({"N": (time + by).to_string()}),
                None => members.values_mut().for_each(|member| move_times(member, by)),
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| move_times(member, by)),
        _ => {}
    }
}

fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap().to_owned()
}

/// Which kind an item is: its keys without ids, hashes and networks.
fn kind(item: &Value) -> String {
    let stem = |name: &str| {
        let text = text(item, name);
        text.split_once('#').map_or(text.clone(), |(stem, _)| format!("{stem}#"))
    };
    format!("{}/{}", stem("pk"), stem("sk"))
}

/// Every attribute of every kind, with its type.
fn shapes(items: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let attributes = item.as_object().unwrap().iter();
        let typed = attributes
            .map(|(name, value)| format!("{name}: {}", value.as_object().unwrap().keys().next().unwrap()));
        shapes.entry(kind(item)).or_default().extend(typed);
    }
    shapes
}

/// Goes through everything that writes an item or an attribute.
async fn life(place: &Place) {
    let app = place.app();
    let session = place.login(owner()).await;
    let principal = place.principal(&session).await;
    let (status, body) = place.post("refresh", json!({"refresh_token": session.refresh_token})).await;
    assert_eq!(status, 200, "{body}");
    let create = |name: &'static str| {
        let body = json!({"key_name": name, "expires_in_days": 30, "idempotency_key": name});
        place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&session.access_token).json(&body)
    };
    let (_, first) = place.send(create("first")).await;
    let revoke = format!("/api/v1/auth/api-keys/{}", first["data"]["api_key_id"].as_str().unwrap());
    place.send(place.request(Method::DELETE, &revoke).bearer_auth(&session.access_token)).await;
    place.devstack.clock.advance(Duration::seconds(61));

    webhook(place, &session).await;
    let ended = place.login(admin()).await;
    let logout = place.request(Method::POST, "/api/v1/auth/logout").bearer_auth(&ended.access_token);
    assert_eq!(place.send(logout).await.0, 204);
    let (open, _) = place.challenge(admin()).await;
    place.devstack.clock.advance(Duration::seconds(60));
    assert_eq!(place.post("login/2fa/resend", json!({"challenge_id": open})).await.0, 200);
    assert_eq!(place.post("login/2fa/verify", json!({"challenge_id": open, "code": "wrong"})).await.0, 401);
    let wrong = json!({"email": ACORN.viewer.email, "password": "wrong-password"});
    assert_eq!(place.post("login", wrong).await.0, 401);

    super::accounts::strangers(place).await;
    shapes_people::life(place, &session).await;
    let person = place.login(&BIRCH.viewer).await;
    place.turn_totp_on(&person).await;
    place.begin_totp(&session).await;

    let now = app.clock.now_seconds();
    let acorn = OrgId::parse(ACORN.id).unwrap();
    let viewer = EmailAddress::parse(ACORN.viewer.email).unwrap();
    operator::end_sessions(&app, &origin(), &viewer).await.unwrap();
    let (half, none) = (OnboardingStatus::InProgress, PaymentsStatus::Enabled);
    operator::set_onboarding(&app, &origin(), &acorn, half, none).await.unwrap();
    app.store.set_suspended(&acorn, true, &|| devstack::event(&app, ACORN.id), now).await.unwrap();
    assert_eq!(place.send(create("second")).await.0, 201);
    assert_eq!(principal.org_id.as_str(), BIRCH.id);
    place.devstack.chain().await.unwrap();
}

/// A webhook with a secret that was replaced, a test, and a try that did not arrive; and a reminder.
async fn webhook(place: &Place, session: &Session) {
    let ask = |method, part: &str| {
        let path = format!("/api/v1/organizations/{}/webhook{part}", BIRCH.id);
        place.request(method, &path).bearer_auth(&session.access_token)
    };
    // Nobody listens there.
    let body = json!({"url": "http://127.0.0.1:1/hook"});
    assert_eq!(place.send(ask(Method::PUT, "").json(&body)).await.0, 201);
    assert_eq!(place.send(ask(Method::POST, "/secret")).await.0, 200);
    assert_eq!(place.send(ask(Method::POST, "/test")).await.0, 200);
    place.devstack.tell().await.unwrap();
    let expiry = place.items("EXPIRY#", "").await.remove(0);
    let expiry: Expiry = serde_json::from_value(expiry).unwrap();
    let record = json!({
        "pk": {"S": format!("ORG#{}", expiry.org_id)}, "sk": {"S": format!("KEY#{}", expiry.api_key_id)},
    });
    // Its key is revoked; the mark is put by hand, where a reminder would have put it.
    let get = json!({"TableName": place.devstack.dynamodb.table, "Key": record});
    assert!(engine(place, "GetItem", &get).await["Item"].is_object());
    let update = json!({
        "TableName": place.devstack.dynamodb.table,
        "Key": {"pk": {"S": format!("EXPIRY#{}", expiry.day())}, "sk": {"S": format!("KEY#{}", expiry.api_key_id)}},
        "UpdateExpression": "SET reminded = :days", "ExpressionAttributeValues": {":days": {"N": "30"}},
    });
    engine(place, "UpdateItem", &update).await;
}

#[tokio::test]
async fn what_is_written_now_has_every_attribute_that_released_code_reads() {
    let place = Place::new().await;
    life(&place).await;
    let items = table(&place).await;
    let now = shapes(&items);
    let every: BTreeSet<&str> = KINDS.into_iter().collect();
    assert_eq!(now.keys().map(String::as_str).collect::<BTreeSet<_>>(), every, "`life` writes every kind");
    for (name, kept) in kept() {
        for (kind, attributes) in shapes(&kept.items) {
            let missing: Vec<_> = attributes.difference(&now[&kind]).collect();
            assert!(missing.is_empty(), "the code of {name} may need {missing:?} in {kind}");
        }
    }
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("items.json");
    let file = json!({"at": place.app().clock.now_seconds(), "items": items});
    std::fs::write(&written, format!("{file:#}\n")).unwrap();
    let newest = kept().pop().map(|(_, kept)| shapes(&kept.items));
    let version = version(&items);
    let how = format!("cp {} {}/v{version}-$(date +%Y%m%d).json", written.display(), folder().display());
    assert_eq!(newest.as_ref(), Some(&now), "items have a new attribute; once it is as it should be: {how}");
}

/// The latest shape version among items.
fn version(items: &[Value]) -> i64 {
    items.iter().map(|item| item["v"]["N"].as_str().unwrap().parse().unwrap()).max().unwrap()
}

/// Reads an item as the code of now does; `None` for those that are only met in a write.
async fn read(store: &Store, item: &Value, now: i64) -> Option<Result<bool, StoreError>> {
    let after = |name: &str| text(item, name).split_once('#').unwrap().1.to_owned();
    let org = || OrgId::parse(&after("pk")).unwrap();
    Some(match kind(item).as_str() {
        "EMAIL#/USER" => {
            let address = EmailAddress::parse(&text(item, "email")).unwrap();
            store.user(&address).await.map(|it| it.is_some())
        }
        "CHALLENGE#/CHALLENGE" => {
            store.challenge(&after("pk").try_into().unwrap()).await.map(|it| it.is_some())
        }
        "SESSION#/SESSION" => {
            store.session(&SessionId::parse(&after("pk")).unwrap()).await.map(|it| it.is_some())
        }
        "ORG#/ORG" => store.organization(&org()).await.map(|it| it.is_some()),
        "ORG#/MEMBER#" => {
            let user = UserId::parse(&after("sk")).unwrap();
            let nobodys = SessionId::parse("ses_01J0ACRN000000000000000000").unwrap();
            store.standing(&org(), &user, &nobodys).await.map(|it| it.role.is_some())
        }
        "ORG#/INVITATION#" => store.invitations(&org()).await.map(|it| !it.is_empty()),
        "INVITATION#/INVITATION" => store.invitation_place(&after("pk")).await.map(|it| it.is_some()),
        "USER#/MEMBER#" => {
            let organizations = store.organizations_of(&UserId::parse(&after("pk")).unwrap()).await;
            organizations.map(|it| it.iter().any(|org| org.as_str() == after("sk")))
        }
        "ORG#/KEY#" => store.key_page(&org(), 100, None).await.map(|it| !it.records.is_empty()),
        "ORG#/ACTIVE_KEY" => {
            let id = KeyId::parse(&text(item, "api_key_id")).unwrap();
            store.key_and_active(&org(), &id).await.map(|(_, active)| active.is_some())
        }
        "KEYHASH#/CREDENTIAL" => store.key_credential(&after("pk")).await.map(|it| it.is_some()),
        "RESET#/RESET" => store.reset(&after("pk")).await.map(|it| it.is_some()),
        "SIGNUP#/SIGNUP" => {
            let address = EmailAddress::parse(&text(item, "email")).unwrap();
            store.sign_up(&address).await.map(|it| it.is_some())
        }
        "KEYSET/KEYSET" => store.key_set().await.map(|it| it.is_some()),
        "AUDIT#/EVENT#" => {
            let page = store.events_after(&chain(item), "", 100).await;
            page.map(|it| it.iter().any(|(sk, event)| *sk == text(item, "sk") && event.event_id.is_some()))
        }
        "CHAIN#/LINK#" => {
            let number = item["number"]["N"].as_str().unwrap().parse().unwrap();
            store.links_at(&chain(item), &[number]).await.map(|it| it[&number].is_some())
        }
        "CHAIN#/MARK#" => {
            let id = EventId::parse(&after("sk")).unwrap();
            store.marks(&chain(item), &[id]).await.map(|it| !it.is_empty())
        }
        "USER#/SESSION#" => {
            let user = UserId::parse(&after("pk")).unwrap();
            store.session_page(&user, 100, None).await.map(|it| !it.sessions.is_empty())
        }
        "USER#/TOTP_PENDING" => {
            let user = UserId::parse(&after("pk")).unwrap();
            store.user_and_pending_totp("", &user).await.map(|(_, pending)| pending.is_some())
        }
        "WEBHOOK#/WEBHOOK" => store.webhook(&org()).await.map(|it| it.is_some()),
        "EXPIRY#/KEY#" => store.expiries(&after("pk"), None).await.map(|it| !it.expiries.is_empty()),
        kind if kind.starts_with("GUARD#/") => {
            let locked = store
                .guard_locked_until(&super::accounts::guard(&text(item, "pk"), &text(item, "sk")), now)
                .await;
            locked.map(|locked| locked.is_some() == (kind == SHUT_AT_ONCE))
        }
        _ => return None,
    })
}

fn chain(item: &Value) -> Chain {
    Chain::parse(text(item, "pk").split_once('#').unwrap().1).unwrap()
}

#[tokio::test]
async fn every_item_that_released_code_wrote_is_read() {
    for (name, kept) in kept() {
        let (place, kept) = place_with(&kept, |_| {}).await;
        let mut read_kinds = BTreeSet::new();
        for item in &kept.items {
            let read = read(&place.app().store, item, kept.at).await;
            let Some(read) = read else { continue };
            assert!(matches!(read, Ok(true)), "{name}, {}: {read:?}", kind(item));
            read_kinds.insert(kind(item));
        }
        let unread = shapes(&kept.items)
            .into_keys()
            .find(|it| !read_kinds.contains(it) && !IN_WRITES.contains(&it.as_str()));
        assert_eq!(unread, None, "{name}");
    }
}

#[tokio::test]
async fn an_item_of_a_later_version_is_refused_whatever_it_is() {
    let (_, kept) = kept().pop().unwrap();
    let later = (version(&kept.items) + 1).to_string();
    let (place, kept) = place_with(&kept, |item| item["v"] = json!({"N": later})).await;
    // An event is taken as it is, and chained: what it means is for whoever reads the trail.
    for item in kept.items.iter().filter(|item| kind(item) != "AUDIT#/EVENT#") {
        if let Some(read) = read(&place.app().store, item, kept.at).await {
            let refused =
                matches!(&read, Err(StoreError::Corrupt { item: of, .. }) if kind(item).starts_with(of));
            assert!(refused, "{}: {read:?}", kind(item));
        }
    }
}

/// Writes that change items, and the two kinds that are read by nothing but a failed write.
#[tokio::test]
async fn what_is_unknown_in_an_item_stays_when_it_is_changed() {
    for (name, kept) in kept() {
        let unknown = json!({"M": {"of": {"S": "a later version"}}});
        let (place, kept) = place_with(&kept, |item| item["later"] = unknown.clone()).await;
        change(&place, &kept).await;
        let before: BTreeSet<String> =
            kept.items.iter().map(|item| text(item, "pk") + "/" + &text(item, "sk")).collect();
        for item in table(&place).await {
            if before.contains(&(text(&item, "pk") + "/" + &text(&item, "sk"))) {
                assert_eq!(item["later"], unknown, "{name}: {item}");
            }
        }
    }
}

async fn change(place: &Place, kept: &Items) {
    let (app, store, now) = (place.app(), place.app().store.clone(), kept.at);
    let event = || devstack::event(&app, BIRCH.id);
    let locked = |_: &Guard| event();
    let guards = kept.items.iter().filter(|item| kind(item).starts_with("GUARD#"));
    for item in guards.filter(|item| kind(item) != SHUT_AT_ONCE) {
        assert!(matches!(
            store
                .count_guess(&[super::accounts::guard(&text(item, "pk"), &text(item, "sk"))], &locked, now)
                .await
                .unwrap(),
            Counted::Counted
        ));
    }
    for item in kept.of("CHALLENGE#/CHALLENGE").filter(|item| item.get("consumed_at").is_none()) {
        let challenge =
            store.challenge(&text(item, "challenge_id").try_into().unwrap()).await.unwrap().unwrap();
        let counted = store.count_code_guess(&challenge, &locked, now).await.unwrap();
        assert!(matches!(counted, CodeGuess::Counted), "{counted:?}");
    }
    let live = kept.of("SESSION#/SESSION").find(|item| item.get("revoked_at").is_none()).unwrap();
    let session = SessionId::parse(&text(live, "session_id")).unwrap();
    let found = store.session(&session).await.unwrap().unwrap();
    assert_eq!(store.rotate(&found, "successor", now).await.unwrap(), RotateOutcome::Rotated);
    change_keys(place, kept, &session).await;
    store.revoke_session(&session, &event(), now).await.unwrap();
    let identity = found.identity;
    let organizations = [identity.org_id.clone()];
    store.end_sessions(&identity.user_id, &organizations, None, &event(), now).await.unwrap();
    store.set_suspended(&identity.org_id, true, &event, now).await.unwrap();
}

async fn change_keys(place: &Place, kept: &Items, session: &SessionId) {
    let (app, now) = (place.app(), kept.at);
    let (store, event) = (&app.store, &devstack::event(&app, BIRCH.id));
    let active = kept.of("ORG#/ACTIVE_KEY").next().unwrap();
    let org = OrgId::parse(text(active, "pk").split_once('#').unwrap().1).unwrap();
    let id = KeyId::parse(&text(active, "api_key_id")).unwrap();
    let record = store.key_and_active(&org, &id).await.unwrap().0.unwrap();
    let spent = text(kept.of("IDEMPOTENCY#/ANSWER").next().unwrap(), "idempotency_id");
    let answer = SealedAnswer { idempotency_id: spent, sealed: None, expires_at: now };
    let roles = Permission::ManageKeys.roles();
    let by = Writer { org: &org, user: &record.created_by, session, roles };
    let create = |answer| CreateKey { record: &record, by, answer, event, now };
    let repeated = store.create_key(&create(Some(&answer))).await.unwrap();
    assert!(matches!(repeated, CreateKeyOutcome::Repeated(_)), "{repeated:?}");
    let revoked = store
        .revoke_key(&record, true, Revoker::Operator, &devstack::event(&app, BIRCH.id), now)
        .await
        .unwrap();
    assert_eq!(revoked, RevokeKeyOutcome::Revoked);
    let too_soon = store.create_key(&create(None)).await.unwrap();
    assert!(matches!(too_soon, CreateKeyOutcome::TooSoon { .. }), "{too_soon:?}");
}
