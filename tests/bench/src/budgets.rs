//! What must hold, as ratios of one run: these machines are noisy, and none of them is Lambda's.

use crate::figures::Figures;

/// A budget and how it came out.
#[derive(Debug)]
pub struct Verdict {
    /// What is held.
    pub what: &'static str,
    /// The rule, in words.
    pub rule: String,
    /// What was measured: it must not be above `limit`.
    pub value: f64,
    /// The most it may be.
    pub limit: f64,
    /// What it would be with nothing of ours in it, where that was measured: no program of ours can be below.
    pub least: Option<f64>,
}

impl Verdict {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.value <= self.limit
    }
}

/// Every budget, of what was measured; what could not be is not judged.
pub fn judge(figures: &Figures, functions: &[String]) -> Vec<Verdict> {
    let mut all = Vec::new();
    cold(figures, &mut all);
    warm(figures, &mut all);
    writing(figures, &mut all);
    sizes(figures, functions, &mut all);
    all
}

fn ratio(
    all: &mut Vec<Verdict>,
    what: &'static str,
    rule: &str,
    value: Option<f64>,
    base: Option<f64>,
    limit: f64,
) {
    if let (Some(value), Some(base)) = (value, base) {
        all.push(Verdict {
            what,
            rule: format!("≤ {limit:.3} × {rule}"),
            value: value / base,
            limit,
            least: None,
        });
    }
}

fn at_most(all: &mut Vec<Verdict>, what: &'static str, rule: &str, value: Option<f64>, limit: f64) {
    if let Some(value) = value {
        all.push(Verdict { what, rule: format!("≤ {limit} {rule}"), value, limit, least: None });
    }
}

/// Notes, at the budget that was added last, what a program with nothing of ours in it would measure.
fn least(all: &mut [Verdict], least: Option<f64>) {
    if let Some(last) = all.last_mut() {
        last.least = least;
    }
}

fn cold(figures: &Figures, all: &mut Vec<Verdict>) {
    let of = |name: &str, share: &str| figures.median(&format!("{name} cold {share} ms"));
    // Started, connected, and through with that one read: measured at full CPU alone.
    let sdk = |base: Option<f64>, share: &str| match share {
        "full CPU" => Some(figures.median("probe cold ms")? / base?),
        _ => None,
    };
    let what = "authorizer, cold over TLS, init + first key check";
    for (share, naive, node) in [("full CPU", 0.15, 1.0 / 30.0), ("128 MB", 0.02, 1.0 / 80.0)] {
        for (base, words, limit) in [("Naive", "the naive Rust one", naive), ("Node", "Node", node)] {
            let base = of(base, share);
            ratio(all, what, &format!("{words}, {share}"), of("Ours", share), base, limit);
            least(all, sdk(base, share));
        }
    }
    let init = |name: &str| figures.median(&format!("{name} init alone CPU us"));
    ratio(all, "authorizer, init CPU", "the empty handler", init("Ours"), init("Empty"), 2.6);
}

fn warm(figures: &Figures, all: &mut Vec<Verdict>) {
    let of = |name: &str| figures.median(name);
    let floor = of("Empty JWT seen p50 us");
    let checked = floor.zip(of("verification us")).map(|(floor, verification)| floor + verification);
    let first = of("Ours JWT first sight p50 us");
    ratio(all, "JWT warm, first sight", "(floor + one verification)", first, checked, 1.2);
    ratio(all, "JWT warm, seen before", "the floor", of("Ours JWT seen p50 us"), floor, 1.4);
    ratio(all, "key warm, p50", "the naive Rust one", of("Ours key p50 us"), of("Naive key p50 us"), 0.85);
    ratio(all, "key warm, p50", "Node", of("Ours key p50 us"), of("Node key p50 us"), 1.0 / 6.0);
    // An empty handler, the SDK and the table.
    least(all, of("probe key p50 us").zip(of("Node key p50 us")).map(|(probe, node)| probe / node));
    // The table works while everybody waits for it, and on the same processor: taken off on both sides.
    let apart = |name: &str| Some(of(name)? - of("table key us")?);
    let (ours, node) = (apart("Ours key p50 us"), apart("Node key p50 us"));
    ratio(all, "key warm, p50 without the table's own time", "Node", ours, node, 1.0 / 6.0);
    least(all, apart("probe key p50 us").zip(node).map(|(probe, node)| probe / node));
    ratio(all, "key warm, CPU", "Node", of("Ours key CPU us"), of("Node key CPU us"), 0.1);
    at_most(all, "peak memory, authorizer", "MB", of("Ours peak MB"), 8.0);
}

fn writing(figures: &Figures, all: &mut Vec<Verdict>) {
    let of = |name: &str| figures.median(name);
    at_most(all, "refresh, CPU apart from the database", "µs", refresh_alone(figures), 150.0);
    // The runtime, the reading of the event, and a token: each measured alone.
    let parts = [of("Empty key CPU us"), of("event us"), of("signature us")];
    least(all, parts.into_iter().sum());
    ratio(all, "login, CPU", "the bare hash with kept memory", of("login CPU us"), of("bare hash us"), 1.05);
    ratio(all, "login, CPU", "the C implementation's hash", of("login CPU us"), of("C hash us"), 1.0);
    at_most(all, "peak memory, refresh", "MB", of("refresh peak MB"), 14.0);
    // One hash's memory: 19 MiB.
    at_most(all, "peak memory, login", "MB", of("login peak MB"), 14.0 + 19.0);
}

/// What a refresh takes beyond its two requests: those alone, through the same SDK, are what the probe takes beyond an empty handler.
pub fn refresh_alone(figures: &Figures) -> Option<f64> {
    Some(figures.median("refresh CPU us")? - asking(figures, "refresh")?)
}

/// What asking the table costs through the SDK, in processor time: the requests of a key's check or of a refresh.
pub fn asking(figures: &Figures, what: &str) -> Option<f64> {
    Some(figures.median(&format!("probe {what} CPU us"))? - figures.median("Empty key CPU us")?)
}

fn sizes(figures: &Figures, functions: &[String], all: &mut Vec<Verdict>) {
    let zip = |name: &str| figures.median(&format!("{name} zip MB"));
    at_most(all, "zip, authorizer", "MB", zip("authorizer"), 3.2);
    let largest = functions.iter().filter_map(|name| zip(name)).max_by(f64::total_cmp);
    at_most(all, "zip, the largest function", "MB", largest, 4.5);
}
