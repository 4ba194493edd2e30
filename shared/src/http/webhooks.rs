//! A webhook as clients give it and see it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::{Field, Shown, Text, Time};
use crate::flows::ShownWebhook;
use crate::ids::{EventId, OrgId};
use crate::webhooks::{EventType, FailedTry, MAX_URL_CHARACTERS, Subject};

/// An address as it is sent; whether webhooks may go there, the use case says.
pub type Url = Text<1, { MAX_URL_CHARACTERS }>;

/// What a webhook is to be told of: one event or more. Named twice is named once.
pub struct EventTypes(Vec<EventType>);

impl EventTypes {
    /// They, in their own order.
    pub fn into_vec(self) -> Vec<EventType> {
        self.0
    }
}

impl Field for EventTypes {
    fn read(value: &Value) -> Result<Self, String> {
        let otherwise = || {
            let words: Vec<&str> = EventType::ALL.into_iter().map(EventType::as_str).collect();
            format!("must be a list of one or more of {}", words.join(", "))
        };
        let one = |value: &Value| match value.as_str().and_then(Subject::parse) {
            Some(Subject::Event(event)) => Ok(event),
            _ => Err(otherwise()),
        };
        let sent = value.as_array().filter(|sent| !sent.is_empty()).ok_or_else(otherwise)?;
        let mut events = sent.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        events.sort_unstable();
        events.dedup();
        Ok(Self(events))
    }
}

impl JsonSchema for EventTypes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventTypes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let event = generator.subschema_for::<EventType>();
        json_schema!({ "type": "array", "items": event, "minItems": 1 })
    }
}

/// A webhook.
#[derive(Serialize, JsonSchema)]
pub struct Webhook {
    /// Whose it is.
    pub organization: OrgId,
    /// Where it goes.
    pub url: String,
    /// What it is told of.
    pub events: Vec<EventType>,
    /// Its secret, in the answer that makes it and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Shown", extend("pattern" = "^whsec_[A-Za-z0-9_-]{43}$"))]
    pub secret: Option<Shown>,
    /// Until when secrets that were replaced sign along, the oldest first.
    pub previous_secrets_until: Vec<Time>,
    /// When it was first set.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// The latest try that did not arrive, since the address was last set; null: none.
    pub last_failure: Option<WebhookFailure>,
}

/// A try that did not arrive.
#[derive(Serialize, JsonSchema)]
pub struct WebhookFailure {
    /// The event's id, as its body has it.
    pub event_id: EventId,
    /// What it was about.
    #[serde(rename = "type")]
    pub subject: String,
    /// When.
    pub at: Time,
    /// Why: `status`, `timed_out`, `unreachable`, `address_not_allowed`.
    pub reason: String,
    /// The status it was answered with; null: it was not answered.
    pub status: Option<u16>,
    /// The how many-th try it was.
    pub tries: u32,
    /// Whether it was the last.
    pub given_up: bool,
}

impl From<&ShownWebhook> for Webhook {
    fn from(shown: &ShownWebhook) -> Self {
        let webhook = &shown.webhook;
        Self {
            organization: webhook.org_id.clone(),
            url: webhook.url.clone(),
            events: webhook.known_events(),
            secret: shown.secret.as_ref().map(|secret| Shown::new(secret.expose())),
            previous_secrets_until: webhook.signing_along(shown.now).map(|it| Time::at(it.until)).collect(),
            created_at: Time::at(webhook.created_at),
            updated_at: Time::at(webhook.updated_at),
            last_failure: webhook.failure.as_ref().map(WebhookFailure::from),
        }
    }
}

impl From<&FailedTry> for WebhookFailure {
    fn from(failed: &FailedTry) -> Self {
        Self {
            event_id: failed.event_id.clone(),
            subject: failed.subject.clone(),
            at: Time::at(failed.at),
            reason: failed.reason.clone(),
            status: failed.status,
            tries: failed.tries,
            given_up: failed.given_up,
        }
    }
}
