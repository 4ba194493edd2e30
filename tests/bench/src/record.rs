//! What other documents are computed from: `docs/performance.json`, read by `scripts/cost`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::figures::Figures;

/// Calls that the rounds measure, hundreds of times each: the program, the call, and the figure of its processor time.
const CALLS: [(&str, &str, &str); 6] = [
    // The first sight of a token is the dearer half: what is computed from it is never too little.
    ("authorizer", "jwt", "Ours JWT first sight CPU us"),
    ("authorizer", "key", "Ours key CPU us"),
    ("node", "jwt", "Node JWT seen CPU us"),
    ("node", "key", "Node key CPU us"),
    ("refresh", "POST /api/v1/auth/refresh 200", "refresh CPU us"),
    ("login", "POST /api/v1/auth/login 200", "login CPU us"),
];

/// Programs that the rounds measure: the figures of the most memory, and of a start at the size that the template gives.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("authorizer", "Ours peak MB", "Ours cold 256 MB ms"),
    ("node", "Node peak MB", "Node cold 256 MB ms"),
    ("refresh", "refresh peak MB", "refresh start ms"),
    ("login", "login peak MB", "login start ms"),
];

/// Writes `{program: {memory_mb, cold_ms, calls: {call: ms}}}`: megabytes, milliseconds of a start, and milliseconds of processor on one
/// whole vCPU. `figures` are of the rounds, `walked` of the calls of every route.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, figures: &Figures, walked: &Figures) -> io::Result<()> {
    let mut all = Value::Object(serde_json::Map::new());
    for name in walked.names() {
        let Some(value) = walked.median(name) else { continue };
        if let Some((program, call)) = name.strip_suffix(" CPU us").and_then(|it| it.split_once(" asked ")) {
            // Another kind of event than the rounds ask, and the rounds ask more often.
            if program != "authorizer" {
                all[program]["calls"][call] = milliseconds(value);
            }
        } else if let Some(program) = name.strip_suffix(" walked peak MB") {
            all[program]["memory_mb"] = rounded(value);
            all[program]["cold_ms"] = json!(figures.median(&format!("{program} start ms")).map(rounded));
        }
    }
    for (program, call, figure) in CALLS {
        all[program]["calls"][call] = json!(figures.median(figure).map(milliseconds));
    }
    for (program, memory, start) in PROGRAMS {
        all[program]["memory_mb"] = json!(figures.median(memory).map(rounded));
        all[program]["cold_ms"] = json!(figures.median(start).map(rounded));
    }
    let text = serde_json::to_string_pretty(&all).map_err(io::Error::other)?;
    fs::write(path, format!("{text}\n"))
}

fn milliseconds(micros: f64) -> Value {
    rounded(micros / 1000.0)
}

/// Three digits behind the point are more than a measurement gives.
fn rounded(value: f64) -> Value {
    json!((value * 1000.0).round() / 1000.0)
}
