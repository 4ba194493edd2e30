//! Expiries: which keys expire on which day, and when their organizations are reminded.

use serde::{Deserialize, Serialize};

use crate::api_keys::KeyRecord;
use crate::clock::rfc3339;
use crate::ids::{KeyId, OrgId};

const DAY: i64 = 24 * 60 * 60;

/// How many days before it expires a key's organization is reminded, and the audit event's word of each.
const REMINDERS: [(i64, &str); 3] = [(1, "in_1_days"), (7, "in_7_days"), (30, "in_30_days")];

/// For so many seconds an expiry is kept after its key has expired: nobody looks for it any more.
const KEPT_SECONDS: i64 = 7 * DAY;

/// When a key expires: an item of its own, found by the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// The key's record.
    pub api_key_id: KeyId,
    /// Whose it is.
    pub org_id: OrgId,
    /// When it was made. Seconds since the epoch.
    pub created_at: i64,
    /// When it expires. Seconds since the epoch.
    pub key_expires_at: i64,
    /// How many days before that its organization was last reminded, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<i64>,
    /// When DynamoDB may delete this item. Seconds since the epoch.
    pub expires_at: i64,
}

/// A reminder that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// How many days before.
    pub days: i64,
    /// The audit event's word.
    pub word: &'static str,
}

impl Expiry {
    /// Of a key that expires; `None` for one that does not.
    pub fn of(record: &KeyRecord) -> Option<Self> {
        let key_expires_at = record.key_expires_at?;
        Some(Self {
            api_key_id: record.api_key_id.clone(),
            org_id: record.org_id.clone(),
            created_at: record.created_at,
            key_expires_at,
            reminded: None,
            expires_at: key_expires_at + KEPT_SECONDS,
        })
    }

    /// The day that it is found by.
    pub fn day(&self) -> String {
        day(self.key_expires_at)
    }

    /// The reminder that is due: the latest, where several were missed. None is due that a key was already made too late for, nor for a
    /// key that has expired.
    pub fn due(&self, now: i64) -> Option<Reminder> {
        if self.key_expires_at <= now {
            return None;
        }
        let is_due = |(days, _): &(i64, &str)| {
            let at = self.key_expires_at - days * DAY;
            at <= now && self.created_at < at
        };
        let (days, word) = REMINDERS.into_iter().find(is_due)?;
        self.reminded.is_none_or(|reminded| days < reminded).then_some(Reminder { days, word })
    }
}

/// The days on which a key may expire that a reminder is due for.
pub fn days_ahead(now: i64) -> impl Iterator<Item = String> {
    let furthest = REMINDERS.iter().map(|(days, _)| *days).max().unwrap_or_default();
    (0..=furthest).map(move |ahead| day(now + ahead * DAY))
}

/// The day of a time, UTC: `2026-11-29`.
fn day(at: i64) -> String {
    rfc3339(at).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    const NOW: i64 = 1_764_000_000;

    fn expiry(days: i64) -> Expiry {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        Expiry {
            api_key_id: KeyId::new(&clock, &SystemRng),
            org_id: OrgId::new(&clock, &SystemRng),
            created_at: NOW,
            key_expires_at: NOW + days * DAY,
            reminded: None,
            expires_at: NOW + days * DAY + KEPT_SECONDS,
        }
    }

    #[test]
    fn each_reminder_is_due_once_from_its_moment_on() {
        let mut expiry = expiry(40);
        let due = |expiry: &Expiry, days_left: i64, seconds: i64| {
            expiry.due(expiry.key_expires_at - days_left * DAY + seconds).map(|it| it.days)
        };
        for days in [30, 7, 1] {
            assert_eq!(due(&expiry, days, -1), None);
            assert_eq!(due(&expiry, days, 0), Some(days));
            expiry.reminded = Some(days);
            assert_eq!(due(&expiry, days, 0), None);
        }
        assert_eq!(due(&expiry, 0, -1), None);
    }

    #[test]
    fn of_those_that_were_missed_the_latest_is_due_and_none_after_the_end() {
        let missed = expiry(40);
        assert_eq!(missed.due(NOW + 35 * DAY).map(|it| it.word), Some("in_7_days"));
        assert_eq!(missed.due(NOW + 39 * DAY).map(|it| it.word), Some("in_1_days"));
        assert_eq!(missed.due(NOW + 40 * DAY), None);
    }

    #[test]
    fn a_key_that_was_made_for_a_week_is_not_reminded_of_it_when_it_is_made() {
        assert_eq!(expiry(7).due(NOW), None);
        assert_eq!(expiry(7).due(NOW + 6 * DAY).map(|it| it.days), Some(1));
        assert_eq!(expiry(1).due(NOW), None);
        assert_eq!(expiry(30).due(NOW + DAY), None);
    }

    #[test]
    fn whatever_is_due_is_on_one_of_the_days_that_are_looked_at() {
        for hour in 0..24 {
            let now = NOW + hour * 3600;
            let days: Vec<String> = days_ahead(now).collect();
            assert_eq!(days.len(), 31);
            for left in [1, DAY, 7 * DAY, 29 * DAY, 30 * DAY] {
                assert!(days.contains(&day(now + left)), "{hour} {left}");
            }
        }
    }
}
