//! Tables for people, on the terminal and in `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::budgets::{self, Verdict};
use crate::figures::Figures;
use crate::programs::Name;
use crate::share::Share;

/// Between these lines of the document the tables are written anew.
const BEGIN: &str = "<!-- written by make bench: from here -->";
const END: &str = "<!-- to here -->";

/// Everything that was measured, as Markdown.
pub fn markdown(
    figures: &Figures,
    verdicts: &[Verdict],
    functions: &[String],
    shares: &[Share],
    rounds: usize,
) -> String {
    let mut text = format!("{}\n", noise(figures, rounds));
    warm(&mut text, figures);
    cold(&mut text, figures, shares);
    cold_parts(&mut text, figures);
    parts(&mut text, figures);
    others(&mut text, figures);
    sizes(&mut text, figures, functions);
    budgets(&mut text, verdicts);
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// How noisy the machine was: the middle figure's spread, and the worst one's.
fn noise(figures: &Figures, rounds: usize) -> String {
    let mut spreads: Vec<f64> =
        figures.names().filter_map(|name| figures.spread(name)).filter(|it| it.is_finite()).collect();
    spreads.sort_by(f64::total_cmp);
    let at = |part: usize| {
        spreads.get((spreads.len() * part / 100).min(spreads.len().saturating_sub(1))).map(|it| it * 100.0)
    };
    format!(
        "Medians of {rounds} rounds, all programs in turn in each. Noise: between the quartiles of its rounds a figure differs by {} % \
         in the middle, {} % at the worst tenth.\n",
        number(at(50)),
        number(at(90))
    )
}

fn warm(text: &mut String, figures: &Figures) {
    line(
        text,
        "| warm, engine in memory | JWT first sight p50 µs | JWT seen p50 µs | key p50 µs | key p99 µs | key CPU µs | peak MB |",
    );
    line(text, "|---|---|---|---|---|---|---|");
    for name in [Name::Empty, Name::Ours, Name::Naive, Name::Node, Name::Python] {
        let of = |figure: &str| number(figures.median(&format!("{name:?} {figure}")));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            name.text(),
            of("JWT first sight p50 us"),
            of("JWT seen p50 us"),
            of("key p50 us"),
            of("key p99 us"),
            of("key CPU us"),
            of("peak MB")
        );
    }
    text.push('\n');
}

fn cold(text: &mut String, figures: &Figures, shares: &[Share]) {
    line(text, "![Cold starts](cold-starts.svg)\n");
    let names: Vec<String> = shares.iter().map(|share| share.name()).collect();
    let _ = writeln!(text, "| cold over TLS: init + first key check, ms | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(names.len()));
    for name in Name::AUTHORIZERS {
        let of = |share: &String| number(figures.median(&format!("{name:?} cold {share} ms")));
        let _ =
            writeln!(text, "| {} | {} |", name.text(), names.iter().map(of).collect::<Vec<_>>().join(" | "));
    }
    text.push('\n');
}

/// What a cold start is made of, and what the least of it is.
fn cold_parts(text: &mut String, figures: &Figures) {
    line(text, "| a cold start of ours at full CPU, over TLS | ms |");
    line(text, "|---|---|");
    for (name, label) in [
        ("Empty init alone ms", "an empty handler is ready"),
        ("Ours cold full CPU init ms", "ours is ready: connected, the key set read"),
        ("Ours cold full CPU first ms", "its first check of a key"),
        ("probe cold ms", "the SDK alone: ready, then connection and that one read, nothing read ahead"),
    ] {
        let _ = writeln!(text, "| {label} | {} |", number(figures.median(name)));
    }
    text.push('\n');
}

/// What of a key's check and of a refresh is the table's, the runtime's, the SDK's, and ours.
fn parts(text: &mut String, figures: &Figures) {
    line(text, "| what a call is made of | key p50 µs | key CPU µs | refresh CPU µs |");
    line(text, "|---|---|---|---|");
    let of = |name: &str| figures.median(name);
    let difference = |more: &str, less: &str| Some(of(more)? - of(less)?);
    let (floor, asking) = (of("Empty key CPU us"), |what: &str| budgets::asking(figures, what));
    let refresh = budgets::refresh_alone(figures);
    let table = of("table key us");
    let sdk = difference("probe key p50 us", "Empty key p50 us").zip(table).map(|(all, table)| all - table);
    for (label, values) in [
        ("the table itself, one read over a kept connection", [table, None, None]),
        ("an empty handler: the runtime", [of("Empty key p50 us"), floor, floor]),
        ("the SDK with these requests", [sdk, asking("key"), asking("refresh")]),
        (
            "ours",
            [
                difference("Ours key p50 us", "probe key p50 us"),
                difference("Ours key CPU us", "probe key CPU us"),
                refresh.zip(floor).map(|(refresh, floor)| refresh - floor),
            ],
        ),
        ("all", [of("Ours key p50 us"), of("Ours key CPU us"), of("refresh CPU us")]),
    ] {
        let [time, key, refresh] = values.map(number);
        let _ = writeln!(text, "| {label} | {time} | {key} | {refresh} |");
    }
    text.push('\n');
}

fn others(text: &mut String, figures: &Figures) {
    line(text, "| other work | p50 µs | CPU µs |");
    line(text, "|---|---|---|");
    for (what, label) in [
        ("refresh", "our refresh: two requests to the table and one signature"),
        ("login", "our login: one password hash, the rest beside it"),
        ("better-auth key", "better-auth, verifying a key in process, in memory"),
        ("better-auth sign-in", "better-auth, signing in, in process, in memory"),
    ] {
        let of = |figure: &str| number(figures.median(&format!("{what} {figure}")));
        let _ = writeln!(text, "| {label} | {} | {} |", of("p50 us"), of("CPU us"));
    }
    for (what, label) in [
        ("bare hash us", "one Argon2id hash (19 MiB, t = 2, p = 1), memory kept, nothing else"),
        ("C hash us", "the same by the C implementation"),
        ("verification us", "one P-256 signature check by `jsonwebtoken`, nothing else"),
        ("signature us", "one access token made and signed, nothing else"),
        ("event us", "one refresh's event read by `lambda_http`, nothing else"),
    ] {
        let _ = writeln!(text, "| {label} | {} | |", number(figures.median(what)));
    }
    text.push('\n');
}

fn sizes(text: &mut String, figures: &Figures, functions: &[String]) {
    line(text, "| function | program MB | zip MB |");
    line(text, "|---|---|---|");
    for name in functions {
        let of = |figure: &str| number(figures.median(&format!("{name} {figure}")));
        let _ = writeln!(text, "| `{name}` | {} | {} |", of("binary MB"), of("zip MB"));
    }
    text.push('\n');
}

/// The budgets and how they came out.
pub fn budgets(text: &mut String, verdicts: &[Verdict]) {
    line(text, "| budget | rule | measured | | with nothing of ours in it |");
    line(text, "|---|---|---|---|---|");
    for verdict in verdicts {
        let word = if verdict.holds() { "holds" } else { "**missed**" };
        let least = verdict.least.map_or_else(|| "–".to_owned(), |least| format!("{least:.3}"));
        let (what, rule, value) = (verdict.what, &verdict.rule, verdict.value);
        let _ = writeln!(text, "| {what} | {rule} | {value:.3} | {word} | {least} |");
    }
}

/// Writes the tables into the document, between its two marks.
///
/// # Errors
/// When there is no such document, or its marks are gone.
pub fn write_into(document: &Path, tables: &str) -> io::Result<()> {
    let old = fs::read_to_string(document)?;
    let lost = || {
        io::Error::other(format!(
            "{} has lost the marks between which tables are written",
            document.display()
        ))
    };
    let (before, rest) = old.split_once(BEGIN).ok_or_else(lost)?;
    let (_, after) = rest.split_once(END).ok_or_else(lost)?;
    fs::write(document, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))
}
