//! When API keys were used last, read out of the authorizer's log lines as CloudWatch Logs hands them to a function
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>): JSON, compressed, in base64.
//!
//! Log lines are the one way from the authorizer to the table: it writes nothing itself. What a line says is what the authorizer found out,
//! so a line that does not say it in the very form of an audit line is left out, and none is ever an error.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::clock::from_rfc3339;
use crate::ids::{KeyId, OrgId};

/// How much a batch can hold once it is opened. CloudWatch Logs sends 1 MB at most; compressed, anything can pretend to be little.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// An event that is no batch of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a batch of log lines: {0}")]
pub struct NotABatch(pub &'static str);

/// What a batch says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The minute of each key's last use: seconds since the epoch.
    pub last: BTreeMap<(OrgId, KeyId), i64>,
    /// How many lines it had.
    pub lines: usize,
    /// How many of them say nothing of a key.
    pub others: usize,
}

/// What CloudWatch Logs sends.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "messageType")]
    kind: String,
    #[serde(rename = "logEvents", default)]
    events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// What we look at of a line.
#[derive(Deserialize)]
struct Line<'a> {
    action: &'a str,
    outcome: &'a str,
    actor: &'a str,
    org: &'a str,
    timestamp: &'a str,
}

/// Reads an event. CloudWatch also sends batches without lines, to see whether somebody is there.
///
/// # Errors
/// When it is no such event: somebody else sent it.
pub fn read(event: &Value) -> Result<Usage, NotABatch> {
    let data = event.pointer("/awslogs/data").and_then(Value::as_str).ok_or(NotABatch("no data"))?;
    let compressed = BASE64_STANDARD.decode(data).map_err(|_| NotABatch("no base64"))?;
    let mut opened = Vec::new();
    // One byte more than there may be tells that there are more.
    let mut source = MultiGzDecoder::new(compressed.as_slice()).take(MAX_BYTES + 1);
    source.read_to_end(&mut opened).map_err(|_| NotABatch("not compressed by gzip"))?;
    if opened.len() as u64 > MAX_BYTES {
        return Err(NotABatch("too long"));
    }
    let batch: Batch = serde_json::from_slice(&opened).map_err(|_| NotABatch("not its JSON"))?;
    let mut usage = Usage::default();
    if batch.kind != "DATA_MESSAGE" {
        return Ok(usage);
    }
    for LogEvent { message } in batch.events {
        usage.lines += 1;
        let Some((org, key, minute)) = used(&message) else {
            usage.others += 1;
            continue;
        };
        let last = usage.last.entry((org, key)).or_insert(minute);
        *last = minute.max(*last);
    }
    Ok(usage)
}

/// Which key was used, and in which minute, by a line of the authorizer's that let it in.
fn used(line: &str) -> Option<(OrgId, KeyId, i64)> {
    // Borrowed texts: a line in which one of them is written with escapes is none of ours.
    let line: Line<'_> = serde_json::from_str(line).ok()?;
    if line.action != "authorize" || line.outcome != "ok" {
        return None;
    }
    let at = from_rfc3339(line.timestamp)?;
    Some((OrgId::parse(line.org).ok()?, KeyId::parse(line.actor).ok()?, at - at.rem_euclid(60)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;
    use crate::clock::SystemClock;
    use crate::rng::SystemRng;

    const AT: &str = "2026-11-29T16:40:59.999Z";
    const MINUTE: i64 = 1_795_970_400;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn event(bytes: &[u8]) -> Value {
        json!({"awslogs": {"data": BASE64_STANDARD.encode(bytes)}})
    }

    fn batch(lines: &[String]) -> Value {
        let events: Vec<Value> =
            lines.iter().map(|line| json!({"id": "1", "timestamp": 1, "message": line})).collect();
        let batch = json!({
            "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": events,
        });
        event(&gzip(batch.to_string().as_bytes()))
    }

    fn ids() -> (OrgId, KeyId) {
        (OrgId::new(&SystemClock, &SystemRng), KeyId::new(&SystemClock, &SystemRng))
    }

    fn line(org: &str, actor: &str, at: &str) -> Value {
        json!({"timestamp": at, "level": "INFO", "action": "authorize", "outcome": "ok", "actor": actor, "org": org})
    }

    #[test]
    fn a_batch_is_one_minute_a_key() {
        let ((org, key), (other_org, other)) = (ids(), ids());
        let lines = [
            line(org.as_str(), key.as_str(), "2026-11-29T16:38:10Z"),
            line(org.as_str(), key.as_str(), AT),
            line(org.as_str(), key.as_str(), "2026-11-29T16:39:00Z"),
            line(other_org.as_str(), other.as_str(), "2026-11-29T17:40:00+01:00"),
        ];
        let usage = read(&batch(&lines.map(|line| line.to_string()))).unwrap();
        let expected = BTreeMap::from([((org, key), MINUTE), ((other_org, other), MINUTE)]);
        assert_eq!(usage, Usage { last: expected, lines: 4, others: 0 });
    }

    #[test]
    fn lines_that_say_something_else_are_left_out() {
        let (org, key) = ids();
        let good = line(org.as_str(), key.as_str(), AT);
        let with = |name: &str, value: Value| {
            let mut line = good.clone();
            line[name] = value;
            line.to_string()
        };
        let bad = vec![
            String::new(),
            "plain".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            "{".to_owned(),
            "[".repeat(10_000),
            with("action", json!("key.create")),
            with("outcome", json!("refused")),
            with("actor", json!("usr_01ARZ3NDEKTSV4RRFFQ69G5FAV")),
            with("actor", json!(key.as_str().to_lowercase())),
            with("actor", json!(7)),
            with("org", json!(null)),
            with("org", json!("platform")),
            with("timestamp", json!("yesterday")),
            with("timestamp", json!(1_764_434_400)),
            good.to_string().replace("\"ok\"", "\"\\u006fk\""),
            r#"{"time":"…","type":"platform.report","record":{"requestId":"…"}}"#.to_owned(),
        ];
        let many = bad.len();
        let usage = read(&batch(&bad)).unwrap();
        assert_eq!(usage, Usage { last: BTreeMap::new(), lines: many, others: many });
        let usage = read(&batch(&[bad, vec![good.to_string()]].concat())).unwrap();
        assert_eq!(usage.last, BTreeMap::from([((org, key), MINUTE)]), "one good line among them counts");
    }

    #[test]
    fn cloudwatch_asks_whether_somebody_is_there() {
        let control = json!({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination."}]});
        assert_eq!(read(&event(&gzip(control.to_string().as_bytes()))), Ok(Usage::default()));
    }

    #[test]
    fn what_is_no_batch_is_an_error_and_nothing_else() {
        let endless = gzip(&vec![b' '; usize::try_from(MAX_BYTES).unwrap() + 1]);
        for (bad, why) in [
            (json!(null), "no data"),
            (json!({"awslogs": {"data": 1}}), "no data"),
            (json!({"awslogs": {"data": "%"}}), "no base64"),
            (event(b""), "not compressed by gzip"),
            (event(b"plain"), "not compressed by gzip"),
            (event(&gzip(b"{}")[..10]), "not compressed by gzip"),
            (event(&gzip(b"{}")), "not its JSON"),
            (event(&gzip(br#"{"messageType": "DATA_MESSAGE", "logEvents": [1]}"#)), "not its JSON"),
            (event(&endless), "too long"),
        ] {
            assert_eq!(read(&bad), Err(NotABatch(why)), "{bad:.60}");
        }
    }
}
