//! Logs: one JSON object a line, which CloudWatch can search by field. Audit lines also carry metrics.

use std::fmt::{self, Debug};
use std::io::Write;
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
    Place { namespace: or("METRICS_NAMESPACE", "SyncgramPay/Auth"), stage: or("METRICS_STAGE", "local") }
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
        let mut audit = Audit { members: Vec::with_capacity(512), ..Audit::default() };
        event.record(&mut audit);
        let at_ms = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).map_err(|_| fmt::Error)?;
        let metrics = metrics::members(&self.place, &audit.counted(), at_ms).map_err(|_| fmt::Error)?;
        let timestamp = now.format(&Rfc3339).map_err(|_| fmt::Error)?;
        let level = event.metadata().level();
        let members = std::str::from_utf8(&audit.members).map_err(|_| fmt::Error)?;
        writeln!(writer, "{{\"timestamp\":\"{timestamp}\",\"level\":\"{level}\"{members},{metrics}}}")
    }
}

/// An audit line's fields: as its members, and those that are counted once more.
#[derive(Default)]
struct Audit {
    members: Vec<u8>,
    action: String,
    outcome: String,
    reason: String,
    took_us: Option<i64>,
}

impl Audit {
    fn counted(&self) -> Counted<'_> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
        let took_ms = self.took_us.map(|took| took as f64 / 1_000.0);
        Counted { action: &self.action, outcome: &self.outcome, reason: &self.reason, took_ms }
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
        // A text always serializes, and a vector takes whatever is written.
        let _ = write!(self.members, ",\"{}\":", field.name());
        let _ = serde_json::to_writer(&mut self.members, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            // Told in milliseconds, as the metric.
            "took_us" => self.took_us = Some(value),
            name => {
                let _ = write!(self.members, ",\"{name}\":{value}");
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
