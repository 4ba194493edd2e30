//! Noting when API keys were used last.

use crate::app::App;
use crate::audit::Deed;
use crate::causes::causes;
use crate::failure::Failure;
use crate::usage::Usage;

/// Writes the minute of each key's last use to its record: one write a key, forward only. Says how many records are newer for it; a
/// key that is not there, or was seen in that minute, is none. It is no event of the audit trail: nobody did anything to a key.
///
/// # Errors
/// The first failure, after all keys were tried: what comes again changes nothing that was noted.
pub async fn note_usage(app: &App, invocation: &str, usage: &Usage) -> Result<usize, Failure> {
    let started = app.clock.now();
    // A line from a clock that is ahead of ours would keep later uses from being noted.
    let this_minute = app.clock.now_seconds() / 60 * 60;
    let (mut noted, mut failed) = (0, None);
    for ((org, key), minute) in &usage.last {
        match app.store.note_use(org, key, this_minute.min(*minute)).await {
            Ok(news) => noted += usize::from(news),
            Err(error) => failed = failed.or(Some(Failure::from(error))),
        }
    }
    let deed = Deed { action: "key.used", request_id: invocation, ..Deed::default() };
    let took = Some(app.clock.now() - started);
    match failed {
        None => deed.log("ok", if noted == 0 { "nothing_new" } else { "" }, took),
        Some(failure) => {
            tracing::error!(request_id = invocation, cause = causes(&failure), "failed");
            deed.log("failed", "service_unavailable", took);
            return Err(failure);
        }
    }
    Ok(noted)
}
