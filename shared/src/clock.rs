//! Time, passed in: nothing else in the library asks what time it is.

use std::sync::Mutex;

use time::{Duration, OffsetDateTime};

/// Tells the time. Shipped functions use [`SystemClock`]; tests and the devstack move a [`ManualClock`] by hand.
pub trait Clock: Send + Sync {
    /// The current time, UTC.
    fn now(&self) -> OffsetDateTime;

    /// The current time in whole seconds since the Unix epoch, the unit of every stored time.
    fn now_seconds(&self) -> i64 {
        self.now().unix_timestamp()
    }
}

/// The operating system's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// A clock that stands still until it is advanced.
///
/// It is in the library, not behind a feature, so that every test crate reaches it in the same build.
#[derive(Debug)]
pub struct ManualClock {
    at: Mutex<OffsetDateTime>,
}

impl ManualClock {
    /// A clock that stands at `at`.
    pub fn new(at: OffsetDateTime) -> Self {
        Self { at: Mutex::new(at) }
    }

    /// Moves the clock by `by`, which may be negative.
    pub fn advance(&self, by: Duration) {
        let mut at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *at += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Writes seconds since the Unix epoch as RFC 3339 UTC with `Z`, the only form of time in an answer.
///
/// Times outside of years 0–9999 cannot be written; they come from nowhere but a corrupt item and read as the epoch.
pub fn rfc3339(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// Reads a time in RFC 3339, of any zone: whole seconds since the Unix epoch.
pub fn from_rfc3339(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    Some(at.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        assert_eq!(clock.now_seconds(), 0);
        clock.advance(Duration::minutes(15));
        assert_eq!(clock.now_seconds(), 900);
    }

    #[test]
    fn times_are_rfc3339_in_utc() {
        assert_eq!(rfc3339(1_764_000_000), "2025-11-24T16:00:00Z");
        for same in ["2025-11-24T16:00:00Z", "2025-11-24T16:00:00.999Z", "2025-11-24T17:00:00+01:00"] {
            assert_eq!(from_rfc3339(same), Some(1_764_000_000), "{same}");
        }
        assert_eq!(from_rfc3339("2025-11-24"), None);
    }
}
