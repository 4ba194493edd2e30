//! What other documents are computed from: `docs/performance.json`, read by `scripts/cost`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::figures::Figures;

/// What is recorded under which name: processor time of a warm call, and the most memory.
const RECORDED: [(&str, &str, &str); 6] = [
    // The first sight of a token is the dearer half: what is computed from it is never too little.
    ("authorizer:jwt", "Ours JWT first sight CPU us", "Ours peak MB"),
    ("authorizer:key", "Ours key CPU us", "Ours peak MB"),
    ("node:jwt", "Node JWT seen CPU us", "Node peak MB"),
    ("node:key", "Node key CPU us", "Node peak MB"),
    ("refresh", "refresh CPU us", "refresh peak MB"),
    ("login", "login CPU us", "login peak MB"),
];

/// Writes `{name: {ms_warm, memory_mb}}`: milliseconds of processor on one whole vCPU, and megabytes.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, figures: &Figures) -> io::Result<()> {
    let mut all = Map::new();
    for (name, cpu, memory) in RECORDED {
        if let (Some(cpu), Some(memory)) = (figures.median(cpu), figures.median(memory)) {
            all.insert(
                name.to_owned(),
                json!({ "ms_warm": rounded(cpu / 1000.0), "memory_mb": rounded(memory) }),
            );
        }
    }
    let text = serde_json::to_string_pretty(&Value::Object(all)).map_err(io::Error::other)?;
    fs::write(path, format!("{text}\n"))
}

/// Three digits behind the point are more than a measurement gives.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
