//! Ids: a prefix that says what it names, and a ULID.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::clock::Clock;
use crate::rng::{self, Rng};

/// A text that is not the id it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// A new ULID: 48 bits of milliseconds, then 80 random bits, so ids sort by the time they were made.
fn new_ulid(clock: &dyn Clock, rng: &dyn Rng) -> String {
    let milliseconds = clock.now().unix_timestamp_nanos() / 1_000_000;
    let mut random = [0; 16];
    random[6..].copy_from_slice(&rng::bytes::<10>(rng));
    Ulid::from_parts(u64::try_from(milliseconds).unwrap_or(0), u128::from_be_bytes(random)).to_string()
}

/// A ULID as we write it: 26 characters of Crockford's base 32, upper case. Other spellings of the same number are
/// refused, or one thing would have two names.
fn is_ulid(text: &str) -> bool {
    Ulid::from_string(text).is_ok_and(|ulid| ulid.to_string() == text)
}

/// The same as a regular expression, for a schema.
const ULID_PATTERN: &str = "[0-9A-HJKMNP-TV-Z]{26}";

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// How many characters every id of this kind has.
            pub const LENGTH: usize = $prefix.len() + ulid::ULID_LEN;

            /// A new id.
            pub fn new(clock: &dyn Clock, rng: &dyn Rng) -> Self {
                Self(format!("{}{}", Self::PREFIX, new_ulid(clock, rng)))
            }

            /// Reads an id, or says that this is none.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                match text.strip_prefix(Self::PREFIX) {
                    Some(ulid) if is_ulid(ulid) => Ok(Self(text.to_owned())),
                    _ => Err(InvalidId),
                }
            }

            /// The id as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": format!("^{}{ULID_PATTERN}$", Self::PREFIX) })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

id!(/** A person. */ UserId, "usr_");
id!(/** A merchant's organization. */ OrgId, "org_");
id!(/** An API key's record. */ KeyId, "key_");
id!(/** A pending second step of a login. */ ChallengeId, "ch_");
id!(/** A signed-in device. */ SessionId, "ses_");
id!(/** An event of the audit trail. */ EventId, "evt_");
id!(/** An invitation to an organization. */ InvitationId, "inv_");

macro_rules! made_at {
    ($($name:ident),*) => {$(
        impl $name {
            /// When it was made, which its ULID says. Seconds since the epoch.
            pub fn made_at(&self) -> i64 {
                // The id was checked when it was made: the fallback is never reached, and would only make it too old.
                let ulid = self.0.get(Self::PREFIX.len()..).and_then(|text| Ulid::from_string(text).ok());
                ulid.and_then(|ulid| i64::try_from(ulid.timestamp_ms() / 1000).ok()).unwrap_or(0)
            }
        }
    )*};
}
made_at!(SessionId, EventId);

/// The last millisecond that an id has room for.
const LAST_MILLISECOND: i64 = (1 << 48) - 1;

impl EventId {
    /// The first id that an event of this second (since the epoch) can have.
    pub fn first_at(seconds: i64) -> Self {
        let milliseconds = seconds.saturating_mul(1000).clamp(0, LAST_MILLISECOND);
        Self::of_parts(milliseconds, 0)
    }

    /// The last id that an event before this second can have; before the epoch there was none.
    pub fn last_before(seconds: i64) -> Option<Self> {
        let milliseconds = seconds.saturating_mul(1000).saturating_sub(1).min(LAST_MILLISECOND);
        (milliseconds >= 0).then(|| Self::of_parts(milliseconds, u128::MAX))
    }

    fn of_parts(milliseconds: i64, random: u128) -> Self {
        let ulid = Ulid::from_parts(u64::try_from(milliseconds).unwrap_or(0), random & ((1 << 80) - 1));
        Self(format!("{}{ulid}", Self::PREFIX))
    }
}

/// The id of one access token (`jti`, RFC 7519 section 4.1.7): a bare ULID.
pub fn new_token_id(clock: &dyn Clock, rng: &dyn Rng) -> String {
    new_ulid(clock, rng)
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let earlier = KeyId::new(&clock, &SystemRng);
        clock.advance(Duration::milliseconds(1));
        let later = KeyId::new(&clock, &SystemRng);
        assert!(earlier.as_str() < later.as_str());
        assert_eq!(KeyId::parse(earlier.as_str()), Ok(earlier));
    }

    #[test]
    fn an_events_id_is_between_those_of_its_second_and_the_next() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let (id, at) = (EventId::new(&clock, &SystemRng), clock.now_seconds());
        assert!(EventId::first_at(at) <= id && Some(&id) <= EventId::last_before(at + 1).as_ref());
        assert!(id < EventId::first_at(at + 1) && Some(&id) > EventId::last_before(at).as_ref());
        assert_eq!(EventId::last_before(0), None);
        for far in [i64::MIN, -1, 0, 1 << 40, i64::MAX] {
            assert_eq!(EventId::parse(EventId::first_at(far).as_str()), Ok(EventId::first_at(far)));
            assert!(EventId::last_before(far).is_none_or(|last| EventId::parse(last.as_str()).is_ok()));
        }
    }

    #[test]
    fn only_one_spelling_is_an_id() {
        let good = UserId::new(&ManualClock::new(OffsetDateTime::UNIX_EPOCH), &SystemRng).0;
        for bad in [
            "",
            "usr_",
            "usr_1",
            &good.to_lowercase(),
            &good.replace("usr_", "org_"),
            &format!("{good} "),
            &good[..29],
        ] {
            assert_eq!(UserId::parse(bad), Err(InvalidId), "{bad}");
        }
    }
}
