//! The devstack's clock: it can be moved, so that nobody waits for something to expire.

use std::sync::{Arc, Mutex, PoisonError};

use shared::clock::{Clock, ManualClock, SystemClock};
use time::{Duration, OffsetDateTime};

/// A clock that can be moved forwards.
#[derive(Debug, Clone)]
pub struct DevClock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// Real time and what it was moved by.
    Running(Mutex<Duration>),
    /// Stands still.
    Frozen(ManualClock),
}

impl DevClock {
    /// Runs, from the real time.
    pub fn running() -> Self {
        Self(Arc::new(Kind::Running(Mutex::new(Duration::ZERO))))
    }

    /// Stands still at the real time of now, until it is moved.
    pub fn frozen() -> Self {
        Self(Arc::new(Kind::Frozen(ManualClock::new(SystemClock.now()))))
    }

    /// Moves the clock by `by`, which may be negative.
    pub fn advance(&self, by: Duration) {
        match self.0.as_ref() {
            Kind::Running(offset) => {
                let mut offset = offset.lock().unwrap_or_else(PoisonError::into_inner);
                *offset = offset.saturating_add(by);
            }
            Kind::Frozen(clock) => clock.advance(by),
        }
    }
}

impl Clock for DevClock {
    fn now(&self) -> OffsetDateTime {
        match self.0.as_ref() {
            Kind::Running(offset) => {
                SystemClock.now().saturating_add(*offset.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Kind::Frozen(clock) => clock.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_moved_and_only_one_runs() {
        let frozen = DevClock::frozen();
        let before = frozen.now();
        assert_eq!(frozen.now(), before);
        frozen.clone().advance(Duration::minutes(15));
        assert_eq!(frozen.now(), before + Duration::minutes(15), "clones are the same clock");

        let running = DevClock::running();
        running.advance(Duration::days(31));
        assert!(running.now() >= before + Duration::days(31));
    }
}
