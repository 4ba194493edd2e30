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
