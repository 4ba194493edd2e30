//! What was measured: every figure of every round, and their medians.

use std::collections::BTreeMap;
use std::time::Duration;

/// Figures by name, one value for each round.
#[derive(Debug, Default)]
pub struct Figures(BTreeMap<String, Vec<f64>>);

impl Figures {
    /// Adds a round's value.
    pub fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.entry(name.into()).or_default().push(value);
    }

    /// The median over the rounds, if there was one.
    pub fn median(&self, name: &str) -> Option<f64> {
        self.0.get(name).map(|values| quantile(values, 0.5))
    }

    /// How far the rounds lie apart: the difference between the quartiles, as a part of the median.
    pub fn spread(&self, name: &str) -> Option<f64> {
        let values = self.0.get(name)?;
        Some((quantile(values, 0.75) - quantile(values, 0.25)) / quantile(values, 0.5))
    }

    /// Every figure's name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The value that this part of the values is not above.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few thousand values"
    )]
    let at = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Microseconds.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Lambda's megabytes of memory, of 1024 × 1024 bytes.
#[expect(clippy::cast_precision_loss, reason = "megabytes")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
