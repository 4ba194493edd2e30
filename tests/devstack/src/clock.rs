//! The devstack's clock: it can be moved, so that nobody waits for something to expire.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use shared::clock::{Clock, ManualClock, SystemClock};
use time::{Duration, OffsetDateTime};

/// A clock that can be moved forwards.
#[derive(Debug, Clone)]
pub struct DevClock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// Real time and what it was moved by.
    Running(Mutex<Moved>),
    /// Stands still.
    Frozen(ManualClock),
}

#[derive(Debug, Default)]
struct Moved {
    by: Duration,
    /// Where that is kept, if anywhere.
    file: Option<PathBuf>,
}

impl DevClock {
    /// Runs, from the real time.
    pub fn running() -> Self {
        Self(Arc::new(Kind::Running(Mutex::default())))
    }

    /// Stands still at the real time of now, until it is moved.
    pub fn frozen() -> Self {
        Self(Arc::new(Kind::Frozen(ManualClock::new(SystemClock.now()))))
    }

    /// Keeps in `file` what the clock is moved by, and moves it by what is kept there already: a clock that went back at a restart
    /// would bring what has expired to life again. Gives what it was moved by.
    pub fn keep_in(&self, file: &Path) -> io::Result<Duration> {
        let Kind::Running(moved) = self.0.as_ref() else {
            return Ok(Duration::ZERO);
        };
        let mut moved = moved.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match std::fs::read_to_string(file) {
            Ok(seconds) => seconds.trim().parse().map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        moved.by = moved.by.saturating_add(Duration::seconds(kept));
        moved.file = Some(file.to_owned());
        Ok(moved.by)
    }

    /// Moves the clock by `by`, which may be negative.
    pub fn advance(&self, by: Duration) {
        match self.0.as_ref() {
            Kind::Running(moved) => {
                let mut moved = moved.lock().unwrap_or_else(PoisonError::into_inner);
                moved.by = moved.by.saturating_add(by);
            }
            Kind::Frozen(clock) => clock.advance(by),
        }
    }

    /// Writes down what it was moved by, if that is kept.
    pub fn save(&self) -> io::Result<()> {
        let Kind::Running(moved) = self.0.as_ref() else {
            return Ok(());
        };
        let moved = moved.lock().unwrap_or_else(PoisonError::into_inner);
        match &moved.file {
            Some(file) => std::fs::write(file, moved.by.whole_seconds().to_string()),
            None => Ok(()),
        }
    }
}

impl Clock for DevClock {
    fn now(&self) -> OffsetDateTime {
        match self.0.as_ref() {
            Kind::Running(moved) => {
                SystemClock.now().saturating_add(moved.lock().unwrap_or_else(PoisonError::into_inner).by)
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

    #[test]
    fn what_it_was_moved_by_outlives_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        let first = DevClock::running();
        assert_eq!(first.keep_in(&file).unwrap(), Duration::ZERO);
        first.advance(Duration::days(31));
        first.save().unwrap();
        assert_eq!(DevClock::running().keep_in(&file).unwrap(), Duration::days(31));
        std::fs::write(&file, "soon").unwrap();
        assert!(DevClock::running().keep_in(&file).is_err());
    }
}
