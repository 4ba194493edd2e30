//! What webhooks are about, and which audit events are told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! event_types {
    ($($(#[$about:meta])* $name:ident = $word:literal,)*) => {
        /// What an organization can be told of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum EventType {
            $($(#[$about])* #[serde(rename = $word)] $name,)*
        }

        impl EventType {
            /// All of them.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$name),*];

            /// Its word. It never changes once shipped.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}
event_types! {
    /// An API key was made.
    ApiKeyCreated = "api_key.created",
    /// An API key was revoked.
    ApiKeyRevoked = "api_key.revoked",
    /// An API key expires in 30, 7 or 1 days.
    ApiKeyExpiring = "api_key.expiring",
    /// A refresh token came back that had been used before: its session was ended.
    SessionReuseDetected = "session.reuse_detected",
    /// Somebody's address was locked after too many guesses.
    LoginLocked = "login.locked",
}

/// What a webhook is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Something that an organization can ask to be told of.
    Event(EventType),
    /// A test that it asked for.
    Test,
}

/// The word of a test.
const TEST: &str = "webhook.test";

impl Subject {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event(it) => it.as_str(),
            Self::Test => TEST,
        }
    }

    /// What has this word.
    pub fn parse(word: &str) -> Option<Self> {
        let mut all = EventType::ALL.into_iter().map(Self::Event).chain([Self::Test]);
        all.find(|it| it.as_str() == word)
    }

    /// What an audit event is told as; `None`: it is nobody's business but ours.
    pub fn of(action: &str, reason: &str) -> Option<Self> {
        let is = |told: &&Told| told.action == action && told.reason.is_none_or(|it| it == reason);
        TOLD.iter().find(is).map(|told| told.subject)
    }
}

/// Audit events that are told.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Their action.
    pub action: &'static str,
    /// Their reason, where the action has others.
    pub reason: Option<&'static str>,
    /// What they are told as.
    pub subject: Subject,
}

/// The one table of them. The filter before `webhook_queue` in infra/template.yaml lets exactly these through.
pub const TOLD: &[Told] = &[
    told("key.create", None, EventType::ApiKeyCreated),
    told("key.revoke", None, EventType::ApiKeyRevoked),
    told("operator.revoke_key", None, EventType::ApiKeyRevoked),
    told("key.leaked", None, EventType::ApiKeyRevoked),
    told("key.expiring", None, EventType::ApiKeyExpiring),
    told("refresh", Some("reuse_session_revoked"), EventType::SessionReuseDetected),
    told("login", Some("locked"), EventType::LoginLocked),
    told("verify", Some("locked"), EventType::LoginLocked),
    // They count at the guards that a login counts at.
    told("password.change", Some("locked"), EventType::LoginLocked),
    told("organization.hand_over", Some("locked"), EventType::LoginLocked),
    told("totp.confirm", Some("locked"), EventType::LoginLocked),
    told("totp.remove", Some("locked"), EventType::LoginLocked),
    told("backup_codes.make", Some("locked"), EventType::LoginLocked),
    Told { action: "webhook.test", reason: None, subject: Subject::Test },
];

const fn told(action: &'static str, reason: Option<&'static str>, event: EventType) -> Told {
    Told { action, reason, subject: Subject::Event(event) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_is_serdes_too() {
        for event in EventType::ALL {
            assert_eq!(Subject::parse(event.as_str()), Some(Subject::Event(event)));
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
        assert_eq!(Subject::parse(TEST), Some(Subject::Test));
        assert_eq!(Subject::parse("api_key"), None);
    }

    #[test]
    fn every_event_type_is_told_of_something() {
        for event in EventType::ALL {
            assert!(TOLD.iter().any(|told| told.subject == Subject::Event(event)), "{event:?}");
        }
    }

    #[test]
    fn an_action_is_told_for_its_reason_alone() {
        assert_eq!(Subject::of("login", "locked"), Some(Subject::Event(EventType::LoginLocked)));
        assert_eq!(Subject::of("key.create", ""), Some(Subject::Event(EventType::ApiKeyCreated)));
        for (action, reason) in
            [("login", ""), ("verify", ""), ("refresh", ""), ("logout", ""), ("", "locked")]
        {
            assert_eq!(Subject::of(action, reason), None, "{action} {reason}");
        }
    }
}
