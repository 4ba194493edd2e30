//! Logs: one JSON object a line, which CloudWatch can search by field. Audit lines also carry metrics.

use std::fmt::{self, Debug, Write as _};
use std::sync::Arc;

use time::format_description::well_known::Rfc3339;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::variable;
use crate::clock::{Clock, SystemClock};
use crate::metrics::{self, Counted, Place};

/// Sets the process's log up. The level (`AWS_LAMBDA_LOG_LEVEL`, default `info`) is for our own lines; libraries say warnings and
/// worse, whatever it is, since at `debug` some of them print whole requests, passwords included.
pub fn init() {
    let level = variable("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_lowercase();
    let _ = subscriber(&level, place(), Arc::new(SystemClock), std::io::stdout).try_init();
}

/// `METRICS_NAMESPACE` and `METRICS_STAGE`: where metrics are kept, and whose they are. A function that nobody told counts all the same.
fn place() -> Place {
    let or = |name: &str, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
    Place::new(&or("METRICS_NAMESPACE", "SyncgramPay/Auth"), &or("METRICS_STAGE", "local"))
}

/// What writes the log to `writer`: what is said at `level`, audit lines always and with their metrics.
pub fn subscriber<W>(
    level: &str,
    place: Place,
    clock: Arc<dyn Clock>,
    writer: W,
) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let others = Format::default().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(Lines { place, clock, others })
        .with_writer(writer);
    tracing_subscriber::registry().with(filter(level)).with(lines)
}

/// What is logged at a level: our crates at that level, all others at `warn`. By the beginning of its target alone: a filter that takes
/// more brings regular expressions into every program, which are a twentieth of it.
fn filter(level: &str) -> Targets {
    let level = match level {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "warn" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    Targets::new()
        .with_default(LevelFilter::WARN)
        // Audit lines are no matter of level: they are written whatever is asked for.
        .with_target("audit", LevelFilter::INFO)
        .with_targets([("shared", level), ("authorizer", level)])
}

/// Room for an audit line: most are about 700 bytes.
const LINE_BYTES: usize = 1024;

/// Writes audit lines with their metrics, and all others as `tracing-subscriber` does.
struct Lines {
    place: Place,
    clock: Arc<dyn Clock>,
    others: Format<Json>,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() != "audit" {
            return self.others.format_event(context, writer, event);
        }
        let now = self.clock.now();
        let at_ms = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).map_err(|_| fmt::Error)?;
        let timestamp = now.format(&Rfc3339).map_err(|_| fmt::Error)?;
        let mut audit = Audit { line: String::with_capacity(LINE_BYTES), ..Audit::default() };
        write!(audit.line, "{{\"timestamp\":\"{timestamp}\",\"level\":\"{}\"", event.metadata().level())?;
        event.record(&mut audit);
        let mut line = std::mem::take(&mut audit.line);
        line.push(',');
        metrics::members(&mut line, &self.place, &audit.counted(), at_ms)?;
        line.push_str("}\n");
        writer.write_str(&line)
    }
}

/// An audit line so far: its fields as members, and those that are counted once more.
#[derive(Default)]
struct Audit {
    line: String,
    action: String,
    outcome: String,
    reason: String,
    took_us: Option<u64>,
}

impl Audit {
    fn counted(&self) -> Counted<'_> {
        Counted { action: &self.action, outcome: &self.outcome, reason: &self.reason, took_us: self.took_us }
    }
}

impl Audit {
    fn name(&mut self, field: &Field) {
        self.line.push_str(",\"");
        self.line.push_str(field.name());
        self.line.push_str("\":");
    }
}

/// A text as JSON has it. What is logged are words, ids and networks: nearly none needs an escape.
fn quoted(line: &mut String, text: &str) {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        line.push_str(&serde_json::Value::from(text).to_string());
    }
}

impl Visit for Audit {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "action" => value.clone_into(&mut self.action),
            "outcome" => value.clone_into(&mut self.outcome),
            "reason" => value.clone_into(&mut self.reason),
            _ => {}
        }
        self.name(field);
        quoted(&mut self.line, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            // Told in milliseconds, as the metric.
            "took_us" => self.took_us = u64::try_from(value).ok(),
            _ => {
                self.name(field);
                // A string takes whatever is written.
                let _ = write!(self.line, "{value}");
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::quoted;

    #[test]
    fn whatever_a_text_holds_it_is_one_string_of_one_line() {
        for text in ["", "a word", "a \"b\" \\ c", "a\nb\u{0}\u{7f}\u{e9}\u{2028}", "\u{1f511}"] {
            let mut line = String::new();
            quoted(&mut line, text);
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), text);
            assert!(!line.contains('\n'), "{line}");
        }
    }
}
