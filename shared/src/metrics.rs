//! Metrics: what an audit line counts, in CloudWatch's Embedded Metric Format.
//!
//! CloudWatch reads the numbers out of the log line, so that a metric costs no call and no wait
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! Each distinct combination of a name and its dimensions' values is paid for: dimensions are words of this program, never anything a
//! request holds, and no user, organization or address is one (`docs/adr/0011-metrics.md`).

use std::fmt::{self, Write as _};

/// Under which name metrics are kept, and whose they are: both as JSON has them, since every line says them.
#[derive(Debug, Clone)]
pub struct Place {
    /// CloudWatch's namespace.
    namespace: String,
    /// The dimension `stage`, which all of them have: the deployed stack and its stage.
    stage: String,
}

impl Place {
    /// The place of this name, and whose it is.
    pub fn new(namespace: &str, stage: &str) -> Self {
        let json = |text: &str| serde_json::Value::from(text).to_string();
        Self { namespace: json(namespace), stage: json(stage) }
    }
}

/// What is counted of one audit line.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// What was tried.
    pub action: &'a str,
    /// `ok`, `refused` or `failed`.
    pub outcome: &'a str,
    /// Why it was refused, or what was special about a success; may be empty.
    pub reason: &'a str,
    /// How long it took in microseconds, where that is known: it is told in milliseconds.
    pub took_us: Option<u64>,
}

/// The dimensions that tell actions apart.
const BY_ACTION: &[&str] = &["stage", "action"];
/// The dimensions that tell refusals apart.
const BY_REASON: &[&str] = &["stage", "action", "reason"];
/// The dimension of what an alarm looks at as one number.
const BY_STAGE: &[&str] = &["stage"];

impl Counted<'_> {
    /// Successes, refusals or failures, each with the dimensions it is counted by.
    fn outcome(&self) -> (&'static str, &'static [&'static str]) {
        match self.outcome {
            "ok" => ("Succeeded", BY_ACTION),
            "refused" => ("Refused", BY_REASON),
            _ => ("Failed", BY_ACTION),
        }
    }

    /// What an operator knows by a name of its own.
    fn named(&self) -> Option<&'static str> {
        match (self.action, self.outcome, self.reason) {
            ("verify", "ok", "" | "totp" | "backup_code") => Some("Logins"),
            ("key.create", "ok", "") => Some("KeysMade"),
            ("key.revoke" | "operator.revoke_key" | "key.leaked", "ok", "") => Some("KeysRevoked"),
            ("refresh", "refused", "reuse_session_revoked") => Some("ReuseDetected"),
            // Each attempt that a shut guard turns away, not only the one that shuts it: a flood keeps counting.
            (_, "refused", "too_many_attempts") => Some("Lockouts"),
            ("rotate", "refused" | "failed", _) => Some("RotationsFailed"),
            // What is merely away is tried again; these are somebody's doing.
            ("audit.chain", "failed", "not_an_event" | "another_checkpoint" | "broken_end") => {
                Some("ChainTrouble")
            }
            _ => None,
        }
    }
}

/// One directive: the metrics that have the same dimensions.
struct Directive {
    dimensions: &'static [&'static str],
    metrics: [Option<Metric>; 2],
}

/// A metric's name and unit.
type Metric = (&'static str, &'static str);

/// Writes the members that make a log line of `counted` one that CloudWatch reads metrics from: `"_aws":{…},"stage":…,"Succeeded":1,…`. The
/// line itself has to hold `action` and `reason`. `at_ms` is in milliseconds since the Unix epoch.
///
/// By hand: every call writes a line, and but for the place all of it is words of this program, which need no escape.
///
/// # Errors
/// What `out` says.
pub fn members(out: &mut String, place: &Place, counted: &Counted<'_>, at_ms: i64) -> fmt::Result {
    let (outcome, dimensions) = counted.outcome();
    let latency = counted.took_us.map(|_| ("Latency", "Milliseconds"));
    let with_outcome = latency.filter(|_| dimensions == BY_ACTION);
    let directives = [
        Directive { dimensions, metrics: [Some((outcome, "Count")), with_outcome] },
        Directive { dimensions: BY_ACTION, metrics: [latency.xor(with_outcome), None] },
        Directive { dimensions: BY_STAGE, metrics: [counted.named().map(|name| (name, "Count")), None] },
    ];
    write!(out, "\"_aws\":{{\"Timestamp\":{at_ms},\"CloudWatchMetrics\":[")?;
    for (nth, directive) in directives.iter().filter(|it| it.metrics[0].is_some()).enumerate() {
        if nth > 0 {
            out.push(',');
        }
        out.push_str("{\"Namespace\":");
        out.push_str(&place.namespace);
        out.push_str(",\"Dimensions\":[[");
        listed(out, directive.dimensions.iter(), |out, name| quoted(out, name));
        out.push_str("]],\"Metrics\":[");
        listed(out, directive.metrics.iter().flatten(), |out, (name, unit)| {
            out.push_str("{\"Name\":");
            quoted(out, name);
            out.push_str(",\"Unit\":");
            quoted(out, unit);
            out.push('}');
        });
        out.push_str("]}");
    }
    out.push_str("]},\"stage\":");
    out.push_str(&place.stage);
    write!(out, ",\"{outcome}\":1")?;
    if let Some(took) = counted.took_us {
        write!(out, ",\"Latency\":{}.{:03}", took / 1_000, took % 1_000)?;
    }
    if let Some(name) = counted.named() {
        write!(out, ",\"{name}\":1")?;
    }
    Ok(())
}

fn listed<T>(out: &mut String, values: impl Iterator<Item = T>, write: impl Fn(&mut String, T)) {
    for (nth, value) in values.enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write(out, value);
    }
}

/// A word of this program.
fn quoted(out: &mut String, word: &str) {
    out.push('"');
    out.push_str(word);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(action: &str, outcome: &str, reason: &str, took_us: Option<u64>) -> Value {
        let mut line = "{".to_owned();
        let counted = Counted { action, outcome, reason, took_us };
        members(&mut line, &Place::new("N", "a \"stage\""), &counted, 1_764_000_000_000).unwrap();
        serde_json::from_str(&(line + "}")).unwrap()
    }

    #[test]
    fn an_event_says_what_it_counts_and_by_what() {
        let count = |name: &str| json!({"Name": name, "Unit": "Count"});
        let latency = json!({"Name": "Latency", "Unit": "Milliseconds"});
        let expected = json!({
            "_aws": {
                "Timestamp": 1_764_000_000_000_i64,
                "CloudWatchMetrics": [
                    {"Namespace": "N", "Dimensions": [["stage", "action", "reason"]], "Metrics": [count("Refused")]},
                    {"Namespace": "N", "Dimensions": [["stage", "action"]], "Metrics": [latency]},
                    {"Namespace": "N", "Dimensions": [["stage"]], "Metrics": [count("Lockouts")]},
                ],
            },
            "stage": "a \"stage\"",
            "Refused": 1,
            "Latency": 16.25,
            "Lockouts": 1,
        });
        assert_eq!(of("login", "refused", "too_many_attempts", Some(16_250)), expected);
    }

    #[test]
    fn a_success_and_its_time_are_one_directive() {
        let line = of("authorize", "ok", "", Some(1_007));
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1, "{line}");
        assert_eq!(directives[0]["Metrics"].as_array().unwrap().len(), 2, "{line}");
        assert_eq!(line["Latency"], 1.007);
    }

    #[test]
    fn whatever_keeps_a_rotation_from_its_end_is_counted_as_one() {
        for (outcome, counted) in [("ok", Value::Null), ("refused", json!(1)), ("failed", json!(1))] {
            assert_eq!(of("rotate", outcome, "stale", None)["RotationsFailed"], counted, "{outcome}");
        }
    }

    #[test]
    fn a_repeated_answer_makes_no_key_and_a_second_revocation_revokes_none() {
        for (action, reason) in [
            ("key.create", "replayed"),
            ("key.revoke", "was_revoked"),
            ("operator.revoke_key", "was_revoked"),
            ("login", ""),
        ] {
            let line = of(action, "ok", reason, None);
            assert_eq!(line["Succeeded"], 1, "{line}");
            assert_eq!(line.as_object().unwrap().len(), 3, "{line}");
        }
    }
}
