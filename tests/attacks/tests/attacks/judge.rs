//! Whether what came of a request is what had to.

use inputs::{Request, Snapshot};
use serde_json::Value;

use crate::expected::{Changes, Expected};
use crate::placeholders::{Values, fill};
use crate::ways::Seen;

/// Says what is wrong with an answer.
pub fn answer(expected: &Expected, request: &Request, seen: &Seen) -> Result<(), String> {
    let wrong = || Err(format!("expected {expected}; seen {}", told(seen)));
    match seen {
        Seen::Broken(_) => wrong(),
        Seen::Refused(status, code) => {
            if (*status, code) == (expected.status, &expected.code) {
                Ok(())
            } else {
                wrong()
            }
        }
        Seen::Answer(answer) if expected.is_success() => {
            let done = answer.json()["success"] == true || answer.body.is_empty();
            // Public documents, and what a reporter of leaked keys reads, have forms of their own.
            let bare =
                ["/.well-known/", "/api/v1/secret-scanning/"].iter().any(|it| request.target.starts_with(it));
            if answer.status == expected.status && (done || bare) { Ok(()) } else { wrong() }
        }
        Seen::Answer(answer) if expected.is_bare() => {
            if answer.status == expected.status {
                Ok(())
            } else {
                wrong()
            }
        }
        Seen::Answer(answer) => expected
            .refusal()
            .judge(request, answer)
            .map_err(|why| format!("{why}; expected {expected}; seen {}", told(seen))),
    }
}

fn told(seen: &Seen) -> String {
    match seen {
        Seen::Answer(answer) => format!("{}: {:.300}", answer.status, answer.body),
        other => other.said(),
    }
}

/// Whether an answer's `data` holds these members.
pub fn data(expected: &Value, seen: &Seen) -> Result<(), String> {
    let Seen::Answer(answer) = seen else {
        return Err("there is no data".to_owned());
    };
    let data = answer.data();
    if holds(&data, expected) { Ok(()) } else { Err(format!("data must hold {expected}; it is {data}")) }
}

fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(members), Value::Object(expected)) => {
            expected.iter().all(|(name, expected)| members.get(name).is_some_and(|it| holds(it, expected)))
        }
        (Value::Array(items), Value::Array(expected)) => {
            items.len() == expected.len() && items.iter().zip(expected).all(|(it, other)| holds(it, other))
        }
        _ => value == expected,
    }
}

/// Says what changed that may not.
pub fn changes(
    allowed: &Changes,
    values: &Values,
    before: &Snapshot,
    after: &Snapshot,
) -> Result<(), String> {
    let mut changes = after.changes_since(before);
    match allowed {
        Changes::Nothing => {}
        Changes::Word(word) => {
            assert_eq!(word, "guess", "nothing else is called a change");
            changes = after.without_guesses().changes_since(&before.without_guesses());
        }
        Changes::Items(prefixes) => {
            let prefixes: Vec<_> = prefixes.iter().map(|prefix| fill(prefix, values)).collect();
            let may = |change: &String| {
                let what = change.split_once(' ').map_or("", |(_, what)| what);
                prefixes.iter().any(|prefix| what.starts_with(prefix.as_str()))
            };
            // Each change has its audit event beside it; one without a change is none of these.
            let told = changes.iter().any(&may);
            changes.retain(|change| !(may(change) || told && change.starts_with("made AUDIT#")));
        }
    }
    if changes.is_empty() { Ok(()) } else { Err(changes.join("; ")) }
}
