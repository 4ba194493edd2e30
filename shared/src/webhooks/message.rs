//! What a webhook says: made once of an audit event, and sent as often as it takes without a byte of it changing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{EventType, Subject};
use crate::api_keys::KeyRecord;
use crate::audit::{Chain, Event};
use crate::clock::rfc3339;
use crate::ids::{EventId, KeyId, OrgId};

/// A webhook on its way, as the queue has it. Where it goes and what it is signed with is looked up when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Whose it is.
    pub org_id: OrgId,
    /// The audit event's id, and so the webhook's.
    pub event_id: EventId,
    /// The word of what it is about.
    #[serde(rename = "type")]
    pub subject: String,
    /// What is sent.
    pub body: String,
}

impl Message {
    /// Of an audit event. `key` is the record of the key that it is about, if it is about one and the record was found: of that only goes in
    /// what never changes. `None` for the platform's events, which belong to no organization.
    pub fn of(event: &Event, subject: Subject, key: Option<&KeyRecord>) -> Option<Self> {
        let Chain::Organization(org_id) = &event.chain else {
            return None;
        };
        let body = json!({
            "id": event.event_id,
            "type": subject.as_str(),
            "created_at": rfc3339(event.at),
            "organization": org_id,
            "data": data(event, subject, key),
        });
        Some(Self {
            org_id: org_id.clone(),
            event_id: event.event_id.clone(),
            subject: subject.as_str().to_owned(),
            body: body.to_string(),
        })
    }

    /// The key that an audit event is about, if it is about one.
    pub fn key_of(event: &Event, subject: Subject) -> Option<KeyId> {
        match subject {
            Subject::Event(
                EventType::ApiKeyCreated | EventType::ApiKeyRevoked | EventType::ApiKeyExpiring,
            ) => KeyId::parse(&event.target).ok(),
            _ => None,
        }
    }
}

fn data(event: &Event, subject: Subject, key: Option<&KeyRecord>) -> Value {
    let said = |text: &String| (!text.is_empty()).then(|| Value::from(text.as_str()));
    let mut data = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        data.extend(value.map(|value| (name.to_owned(), value)));
    };
    match subject {
        Subject::Test => {}
        Subject::Event(EventType::SessionReuseDetected) => {
            add("session_id", said(&event.target));
            add("user_id", said(&event.actor));
            add("network", said(&event.network));
        }
        Subject::Event(EventType::LoginLocked) => {
            add("user_id", said(&event.actor));
            add("guard", said(&event.target));
            add("network", said(&event.network));
        }
        Subject::Event(
            about @ (EventType::ApiKeyCreated | EventType::ApiKeyRevoked | EventType::ApiKeyExpiring),
        ) => {
            add("api_key_id", said(&event.target));
            if let Some(key) = key {
                add("key_name", Some(json!(key.key_name)));
                add("env", Some(json!(key.env)));
                add("hint", Some(json!(key.hint)));
                add("created_at", Some(json!(rfc3339(key.created_at))));
                add("expires_at", Some(json!(key.key_expires_at.map(rfc3339))));
            }
            match about {
                EventType::ApiKeyExpiring => add("days_left", days_left(&event.reason).map(Value::from)),
                _ => add("by", said(&event.actor)),
            }
        }
    }
    Value::Object(data)
}

/// The number in the reason of a `key.expiring`: `in_7_days`.
fn days_left(reason: &str) -> Option<i64> {
    reason.strip_prefix("in_")?.strip_suffix("_days")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::allowed_addresses::AllowedAddresses;
    use crate::api_keys::{Env, PlainKey};
    use crate::audit::Deed;
    use crate::clock::ManualClock;
    use crate::ids::UserId;
    use crate::rng::SystemRng;

    fn clock() -> ManualClock {
        ManualClock::new(OffsetDateTime::from_unix_timestamp(1_764_000_000).unwrap())
    }

    fn record() -> KeyRecord {
        let key = PlainKey::generate(Env::Test, &SystemRng);
        KeyRecord {
            api_key_id: KeyId::new(&clock(), &SystemRng),
            org_id: OrgId::new(&clock(), &SystemRng),
            key_name: "Shop \"server\"".to_owned(),
            env: Env::Test,
            hint: key.hint(),
            key_hash: key.hash(),
            created_by: UserId::new(&clock(), &SystemRng),
            created_at: 1_764_000_000,
            key_expires_at: Some(1_764_000_000 + 86_400),
            revoked_at: None,
            idempotency_id: None,
            allowed_addresses: AllowedAddresses::default(),
            last_used_at: None,
            leak: None,
        }
    }

    fn body(deed: Deed<'_>, reason: &'static str, key: Option<&KeyRecord>) -> Value {
        let event = deed.event(reason, &clock(), &SystemRng);
        let subject = Subject::of(&event.action, &event.reason).unwrap();
        let message = Message::of(&event, subject, key).unwrap();
        assert_eq!(message.event_id, event.event_id);
        serde_json::from_str(&message.body).unwrap()
    }

    #[test]
    fn a_body_says_what_happened_and_nothing_secret() {
        let record = record();
        let (org, id, by) = (record.org_id.as_str(), record.api_key_id.as_str(), record.created_by.as_str());
        let deed = Deed { action: "key.create", actor: by, org, target: id, ..Deed::default() };
        let said = body(deed, "", Some(&record));
        let expected = json!({
            "id": said["id"], "type": "api_key.created", "created_at": "2025-11-24T16:00:00Z", "organization": org,
            "data": {
                "api_key_id": id, "key_name": "Shop \"server\"", "env": "test", "hint": record.hint,
                "created_at": "2025-11-24T16:00:00Z", "expires_at": "2025-11-25T16:00:00Z", "by": by,
            },
        });
        assert_eq!(said, expected);
        assert!(EventId::parse(said["id"].as_str().unwrap()).is_ok());
        assert!(!said.to_string().contains(&record.key_hash));
        // The record may be gone, the event is not.
        assert_eq!(body(deed, "", None)["data"], json!({"api_key_id": id, "by": by}));
    }

    #[test]
    fn each_event_says_what_it_is_about() {
        let record = record();
        let org = record.org_id.as_str();
        let expiring =
            Deed { action: "key.expiring", org, target: record.api_key_id.as_str(), ..Deed::default() };
        assert_eq!(body(expiring, "in_7_days", Some(&record))["data"]["days_left"], 7);
        let locked = Deed {
            action: "login",
            actor: "usr_1",
            address: "0123456789ab",
            org,
            target: "passwords",
            network: "203.0.113.0/24",
            request_id: "r",
        };
        let expected = json!({"user_id": "usr_1", "guard": "passwords", "network": "203.0.113.0/24"});
        assert_eq!(body(locked, "locked", None)["data"], expected);
        let reuse = Deed { action: "refresh", target: "ses_1", ..locked };
        let expected = json!({"user_id": "usr_1", "session_id": "ses_1", "network": "203.0.113.0/24"});
        assert_eq!(body(reuse, "reuse_session_revoked", None)["data"], expected);
        assert_eq!(body(Deed { action: "webhook.test", ..locked }, "", None)["data"], json!({}));
    }

    #[test]
    fn what_belongs_to_no_organization_is_told_to_nobody() {
        let event = Deed { action: "login", target: "passwords", ..Deed::default() }.event(
            "locked",
            &clock(),
            &SystemRng,
        );
        assert_eq!(Message::of(&event, Subject::Event(EventType::LoginLocked), None), None);
    }
}
