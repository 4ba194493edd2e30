//! Metrics: what an audit line counts, in CloudWatch's Embedded Metric Format.
//!
//! CloudWatch reads the numbers out of the log line, so that a metric costs no call and no wait
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! Each distinct combination of a name and its dimensions' values is paid for: dimensions are words of this program, never anything a
//! request holds, and no user, organization or address is one (`docs/adr/0011-metrics.md`).

use serde::Serialize;

/// Under which name metrics are kept, and whose they are.
#[derive(Debug, Clone)]
pub struct Place {
    /// CloudWatch's namespace.
    pub namespace: String,
    /// The dimension `stage`, which all of them have: the deployed stack and its stage.
    pub stage: String,
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
    /// How long it took in milliseconds, where that is known.
    pub took_ms: Option<f64>,
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
            ("verify", "ok", "") => Some("Logins"),
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// The members that make a log line of `counted` one that CloudWatch reads metrics from: `"_aws":{…},"stage":…,"Succeeded":1,…`. The
/// line itself has to hold `action` and `reason`. `at_ms` is in milliseconds since the Unix epoch.
///
/// # Errors
/// None that can happen: texts and finite numbers always serialize.
pub fn members(place: &Place, counted: &Counted<'_>, at_ms: i64) -> Result<String, serde_json::Error> {
    let mut directives: Vec<Directive<'_>> = Vec::with_capacity(3);
    let mut values = String::new();
    let mut add = |name, dimensions, unit, value: &str| {
        values.push_str(&format!(",\"{name}\":{value}"));
        match directives.iter_mut().find(|it| it.dimensions == [dimensions]) {
            Some(directive) => directive.metrics.push(Metric { name, unit }),
            None => directives.push(Directive {
                namespace: &place.namespace,
                dimensions: [dimensions],
                metrics: vec![Metric { name, unit }],
            }),
        }
    };
    let (name, dimensions) = counted.outcome();
    add(name, dimensions, "Count", "1");
    if let Some(took) = counted.took_ms {
        add("Latency", BY_ACTION, "Milliseconds", &serde_json::to_string(&took)?);
    }
    if let Some(name) = counted.named() {
        add(name, BY_STAGE, "Count", "1");
    }
    let metadata = serde_json::to_string(&Metadata { timestamp: at_ms, cloud_watch_metrics: directives })?;
    let stage = serde_json::to_string(&place.stage)?;
    Ok(format!("\"_aws\":{metadata},\"stage\":{stage}{values}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(action: &str, outcome: &str, reason: &str, took_ms: Option<f64>) -> Value {
        let place = Place { namespace: "N".to_owned(), stage: "a \"stage\"".to_owned() };
        let counted = Counted { action, outcome, reason, took_ms };
        serde_json::from_str(&format!("{{{}}}", members(&place, &counted, 1_764_000_000_000).unwrap()))
            .unwrap()
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
        assert_eq!(of("login", "refused", "too_many_attempts", Some(16.25)), expected);
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
