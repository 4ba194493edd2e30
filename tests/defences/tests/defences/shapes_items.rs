//! The items of `shapes`: those that released code wrote, and a place that has them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use defences::Place;
use serde_json::{Value, json};

/// Every kind of item there is: the words of `shared/src/store/keys.rs`.
pub const KINDS: [&str; 35] = [
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
    "REPORTER#/KEY#",
    "RESET#/RESET",
    "SESSION#/SESSION",
    "SIGNUP#/SIGNUP",
    "USER#/KEY_RATE",
    "USER#/MEMBER#",
    "USER#/SESSION#",
    "USER#/TOTP_PENDING",
    "WEBHOOK#/WEBHOOK",
];

/// Items in DynamoDB's own JSON, and the time they were written by, in seconds since the epoch.
pub struct Items {
    pub at: i64,
    pub items: Vec<Value>,
}

impl Items {
    pub fn of<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a Value> {
        self.items.iter().filter(move |item| kind(item) == wanted)
    }
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("items")
}

/// What released code wrote, oldest first.
pub fn kept() -> Vec<(String, Items)> {
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
pub async fn engine(place: &Place, operation: &str, input: &Value) -> Value {
    place.devstack.dynamodb.ask(&format!("DynamoDB_20120810.{operation}"), input).await.unwrap()
}

pub async fn table(place: &Place) -> Vec<Value> {
    let found = engine(place, "Scan", &json!({"TableName": place.devstack.dynamodb.table})).await;
    let mut items = found["Items"].as_array().unwrap().clone();
    items.sort_by_key(|item| (text(item, "pk"), text(item, "sk")));
    items
}

pub async fn load(place: &Place, items: &[Value]) {
    for item in items {
        let put = json!({"TableName": place.devstack.dynamodb.table, "Item": item});
        engine(place, "PutItem", &put).await;
    }
}

/// A place where some code's items are, as if they were written now: engines drop what has expired by their own clocks. Everything
/// else is as a devstack begins.
pub async fn place_with(kept: &Items, change: impl Fn(&mut Value)) -> (Place, Items) {
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
pub fn move_times(value: &mut Value, by: i64) {
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

pub fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap().to_owned()
}

/// Which kind an item is: its keys without ids, hashes and networks.
pub fn kind(item: &Value) -> String {
    let stem = |name: &str| {
        let text = text(item, name);
        text.split_once('#').map_or(text.clone(), |(stem, _)| format!("{stem}#"))
    };
    format!("{}/{}", stem("pk"), stem("sk"))
}

/// Every attribute of every kind, with its type.
pub fn shapes(items: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let attributes = item.as_object().unwrap().iter();
        let typed = attributes
            .map(|(name, value)| format!("{name}: {}", value.as_object().unwrap().keys().next().unwrap()));
        shapes.entry(kind(item)).or_default().extend(typed);
    }
    shapes
}
