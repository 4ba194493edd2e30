//! Logs: one JSON object a line, which CloudWatch can search by field.

use tracing_subscriber::EnvFilter;

use super::variable;

/// Sets the process's log up. The level (`AWS_LAMBDA_LOG_LEVEL`, default `info`) is for our own lines; libraries say warnings and
/// worse, whatever it is, since at `debug` some of them print whole requests, passwords included.
pub fn init() {
    let level = variable("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_lowercase();
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter(&level))
        .try_init();
}

/// What is logged at a level: our crates at that level, all others at `warn`.
pub fn filter(level: &str) -> EnvFilter {
    let level = match level {
        "trace" | "debug" | "warn" | "error" => level,
        _ => "info",
    };
    // Audit events are no matter of level: they are written whatever is asked for.
    EnvFilter::new(format!("warn,audit=info,shared={level},authorizer={level}"))
}
