//! How far a long task has come, on the terminal: one line that is written over, or a line for every tenth where nobody watches.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Instant;

/// How wide the bar is, in characters.
const WIDTH: usize = 30;

/// A progress bar on standard error.
pub struct Progress {
    what: String,
    from: usize,
    to: usize,
    started: Instant,
    watched: bool,
    tenths: usize,
}

impl Progress {
    /// Begins at `from`, of `to`.
    #[expect(clippy::disallowed_methods, reason = "how fast it goes is no business of the Clock")]
    pub fn new(what: &str, from: usize, to: usize) -> Self {
        let watched = stderr().is_terminal();
        Self { what: what.to_owned(), from, to, started: Instant::now(), watched, tenths: 0 }
    }

    /// So many are done.
    pub fn at(&mut self, done: usize) {
        let seconds = self.started.elapsed().as_secs_f64();
        let line = line(&self.what, self.from, self.to, done, seconds);
        let tenths = 10 * done / self.to.max(1);
        // A terminal that is gone is no reason to stop.
        if self.watched {
            let _ = write!(stderr(), "\r{line}\x1b[K");
        } else if tenths > self.tenths || done == self.to {
            let _ = writeln!(stderr(), "{line}");
        }
        self.tenths = tenths;
    }

    /// The last line stays; how many seconds it took.
    pub fn end(self) -> f64 {
        if self.watched {
            let _ = writeln!(stderr());
        }
        self.started.elapsed().as_secs_f64()
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn line(what: &str, from: usize, to: usize, done: usize, seconds: f64) -> String {
    let filled = WIDTH * done / to.max(1);
    let rate = (done - from) as f64 / seconds.max(0.001);
    let left = (to - done) as f64 / rate.max(0.001);
    let rest = if done == from { String::new() } else { format!("  {rate:.0} a second, {left:.0} s left") };
    let bar = format!("{}{}", "#".repeat(filled), ".".repeat(WIDTH - filled));
    format!("{what} [{bar}] {:3} %  {done} of {to}{rest}", 100 * done / to.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long_still() {
        let begun = line("loading", 0, 1000, 0, 0.0);
        assert_eq!(begun, format!("loading [{}]   0 %  0 of 1000", ".".repeat(30)));
        let half = line("loading", 0, 1000, 500, 2.0);
        let bar = format!("{}{}", "#".repeat(15), ".".repeat(15));
        assert_eq!(half, format!("loading [{bar}]  50 %  500 of 1000  250 a second, 2 s left"));
    }
}
