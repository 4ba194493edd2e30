//! What the person at the terminal is told.

use std::io::{self, Write};
use std::time::Instant;

use crate::engines::mailbox::Mail;

/// Writes to standard output, or to nobody.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// `None` when nobody listens.
    started: Option<Instant>,
}

impl Terminal {
    /// For tests.
    pub fn silent() -> Self {
        Self { started: None }
    }

    /// Counts the time from now on.
    #[expect(clippy::disallowed_methods, reason = "how long the start takes is no business of the Clock")]
    pub fn start() -> Self {
        Self { started: Some(Instant::now()) }
    }

    /// One step of the start, with the seconds that have passed.
    pub fn step(self, what: &str) {
        if let Some(started) = self.started {
            self.line(&format!("{:7.2} s  {what}", started.elapsed().as_secs_f32()));
        }
    }

    /// A mail has arrived.
    pub fn mail(self, mail: &Mail) {
        let code = mail.code.as_deref().unwrap_or("no code in it");
        self.line(&format!("   mail  to {}: {code}  ({})", mail.to, mail.subject));
    }

    /// A line, or several.
    pub fn line(self, text: &str) {
        if self.started.is_some() {
            // A terminal that is gone is no reason to stop.
            let _ = writeln!(io::stdout(), "{text}");
        }
    }
}
