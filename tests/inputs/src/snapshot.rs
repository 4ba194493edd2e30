//! Everything that could have changed: the table, and how many mails were sent.

use std::collections::BTreeMap;

use devstack::Devstack;
use serde_json::Value;

/// Everything that could have changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    items: BTreeMap<String, Value>,
    mails: usize,
}

impl Snapshot {
    /// As it is now.
    pub async fn of(devstack: &Devstack) -> Self {
        let items = devstack.dynamodb.dump().await.unwrap();
        let named = |item: Value| (format!("{} {}", item["pk"], item["sk"]).replace('"', ""), item);
        Self {
            items: items.into_iter().map(named).collect(),
            mails: devstack.mailbox.newest_first(None).len(),
        }
    }

    /// The same without what a guess is counted in: guards, the event of the one that shuts them, and the tries of a challenge.
    pub fn without_guesses(&self) -> Self {
        let mut plain = self.clone();
        let locks = |name: &str, item: &Value| name.starts_with("AUDIT#") && item["reason"] == "locked";
        plain.items.retain(|name, item| !name.starts_with("GUARD#") && !locks(name, item));
        for (_, item) in plain.items.iter_mut().filter(|(name, _)| name.starts_with("CHALLENGE#")) {
            item["attempts"] = Value::Null;
        }
        plain
    }

    /// What differs from `before`, in words; nothing when nothing does.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (name, item) in &self.items {
            match before.items.get(name) {
                None => changes.push(format!("made {name}")),
                Some(old) if old != item => {
                    changes.push(format!("changed {name}: {}", attributes(old, item)))
                }
                Some(_) => {}
            }
        }
        changes.extend(
            before
                .items
                .keys()
                .filter(|name| !self.items.contains_key(*name))
                .map(|name| format!("deleted {name}")),
        );
        if self.mails != before.mails {
            changes.push(format!("sent {} mails", self.mails - before.mails));
        }
        changes
    }

    /// The items whose names begin so.
    pub fn items(&self, prefix: &str) -> Vec<&Value> {
        self.items.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, item)| item).collect()
    }
}

fn attributes(old: &Value, new: &Value) -> String {
    let names = |value: &Value| {
        value.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let mut all = names(old);
    all.extend(names(new));
    all.sort();
    all.dedup();
    all.retain(|name| old.get(name) != new.get(name));
    all.join(", ")
}
