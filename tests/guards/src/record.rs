//! What is held: the recorded figures, and how those of now stand to them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Figures by what they are of.
pub type Figures = BTreeMap<String, f64>;

/// `tests/guards/figures.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the file is.
    pub about: String,
    /// By what the figures were made and counted: they compare only within the same.
    pub made_with: BTreeMap<String, String>,
    /// What is counted.
    pub counts: BTreeMap<String, Count>,
}

/// One kind of figure, and how far it may move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// The part of the recorded figure by which it may move, in per cent, either way.
    pub percent: f64,
    /// The least by which it may move whatever the part: what moves by itself.
    pub least: f64,
    /// The figures.
    pub figures: Figures,
}

/// One figure that is not as recorded, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Whether it costs more, and so fails for a better reason than being new.
    pub dearer: bool,
    /// The sentence.
    pub sentence: String,
}

impl Record {
    /// Reads it.
    ///
    /// # Errors
    /// When it is not there, or not of this form.
    pub fn read(path: &Path) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(named)?;
        serde_json::from_str(&text).map_err(|error| named(error.into()))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    /// The same record with these figures, counted with these programs.
    #[must_use]
    pub fn with(&self, made_with: BTreeMap<String, String>, now: &BTreeMap<String, Figures>) -> Self {
        let mut counts = self.counts.clone();
        for (kind, count) in &mut counts {
            count.figures = now.get(kind).cloned().unwrap_or_default();
        }
        Self { about: self.about.clone(), made_with, counts }
    }

    /// Why figures made with these do not compare with the recorded ones; `None` when they do.
    pub fn made_otherwise(&self, now: &BTreeMap<String, String>) -> Option<String> {
        let differ = now.iter().filter_map(|(name, here)| {
            let recorded = self.made_with.get(name).map_or("nothing", String::as_str);
            (here != recorded).then(|| format!("{name}: {recorded} then, {here} here"))
        });
        let differ: Vec<String> = differ.collect();
        (!differ.is_empty()).then(|| {
            format!(
                "The recorded figures were made with something else, and do not compare ({}). Accept what there is \
                 before your change: on the commit before it, make guards ACCEPT=1; then make guards on your change.",
                differ.join("; ")
            )
        })
    }

    /// Of two countings, the one of each figure that is nearer to what is recorded: what disturbs a count does not do so twice.
    #[must_use]
    pub fn nearer(
        &self,
        mut one: BTreeMap<String, Figures>,
        two: &BTreeMap<String, Figures>,
    ) -> BTreeMap<String, Figures> {
        for (kind, figures) in &mut one {
            for (of, figure) in figures {
                let recorded = self.counts.get(kind).and_then(|count| count.figures.get(of));
                let other = two.get(kind).and_then(|figures| figures.get(of));
                if let (Some(recorded), Some(other)) = (recorded, other)
                    && (other - recorded).abs() < (*figure - recorded).abs()
                {
                    *figure = *other;
                }
            }
        }
        one
    }

    /// Every figure that moved too far, came or went.
    pub fn moved(&self, now: &BTreeMap<String, Figures>) -> Vec<Moved> {
        let none = Figures::new();
        let mut all = Vec::new();
        for (kind, count) in &self.counts {
            let here = now.get(kind).unwrap_or(&none);
            for (of, figure) in here {
                all.extend(count.moved(kind, of, *figure));
            }
            for of in count.figures.keys().filter(|of| !here.contains_key(*of)) {
                all.push(other(format!("{of}: {kind} are recorded, and are of nothing that is there")));
            }
        }
        all
    }
}

fn other(sentence: String) -> Moved {
    Moved { dearer: false, sentence }
}

impl Count {
    fn moved(&self, kind: &str, of: &str, now: f64) -> Option<Moved> {
        let Some(&before) = self.figures.get(of) else {
            return Some(other(format!("{of}: {} {kind}, and none are recorded", number(now))));
        };
        let difference = now - before;
        if difference.abs() <= (before * self.percent / 100.0).max(self.least) {
            return None;
        }
        let dearer = difference > 0.0;
        let (word, end) =
            if dearer { ("more", "") } else { ("fewer", ". Good: accept it, so that it is held") };
        let allowed = if before * self.percent / 100.0 > self.least {
            format!("{} %", self.percent)
        } else {
            number(self.least)
        };
        let sentence = format!(
            "{of}: {} {kind} before, {} now: {} ({:.1} %) {word}, where {allowed} is let pass{end}",
            number(before),
            number(now),
            number(difference.abs()),
            difference.abs() / before * 100.0
        );
        Some(Moved { dearer, sentence })
    }
}

/// Whole where it is large, to a hundredth where it is not.
pub fn number(value: f64) -> String {
    if value.abs() >= 1000.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<V: Clone>(pairs: &[(&str, V)]) -> BTreeMap<String, V> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn record() -> Record {
        let instructions = Count {
            percent: 3.0,
            least: 0.0,
            figures: map(&[("authorizer, key", 200_000.0), ("refresh", 500_000.0)]),
        };
        let allocations = Count { percent: 0.0, least: 0.5, figures: map(&[("authorizer, key", 120.0)]) };
        Record {
            about: "what it is".to_owned(),
            made_with: map(&[("rustc", "1.95.0".to_owned())]),
            counts: map(&[("instructions a call", instructions), ("allocations a call", allocations)]),
        }
    }

    fn sentences(instructions: f64, allocations: f64) -> Vec<String> {
        let now = map(&[
            ("instructions a call", map(&[("authorizer, key", instructions), ("refresh", 500_000.0)])),
            ("allocations a call", map(&[("authorizer, key", allocations)])),
        ]);
        record().moved(&now).into_iter().map(|moved| moved.sentence).collect()
    }

    #[test]
    fn what_moves_within_the_tolerance_is_let_pass() {
        assert_eq!(sentences(205_900.0, 120.4), Vec::<String>::new());
        assert_eq!(sentences(194_100.0, 119.6), Vec::<String>::new());
    }

    #[test]
    fn more_is_said_with_both_figures_and_by_how_much() {
        assert_eq!(
            sentences(207_000.0, 121.0),
            [
                "authorizer, key: 120 allocations a call before, 121 now: 1 (0.8 %) more, where 0.50 is let pass",
                "authorizer, key: 200000 instructions a call before, 207000 now: 7000 (3.5 %) more, where 3 % is let pass",
            ]
        );
    }

    #[test]
    fn fewer_asks_to_be_held() {
        let said = sentences(190_000.0, 120.0);
        assert_eq!(
            said,
            [
                "authorizer, key: 200000 instructions a call before, 190000 now: 10000 (5.0 %) fewer, where 3 % is let pass. Good: accept it, so that it is held"
            ]
        );
    }

    #[test]
    fn a_figure_has_moved_when_two_countings_say_so() {
        let counted = |key, refresh| {
            map(&[("instructions a call", map(&[("authorizer, key", key), ("refresh", refresh)]))])
        };
        let figures = record().nearer(counted(250_000.0, 560_000.0), &counted(201_000.0, 550_000.0));
        assert_eq!(figures, counted(201_000.0, 550_000.0));
        assert_eq!(record().nearer(figures.clone(), &counted(100_000.0, 600_000.0)), figures);
    }

    #[test]
    fn what_comes_and_what_goes_is_said() {
        let now = map(&[("instructions a call", map(&[("login", 1.0)]))]);
        let said: Vec<String> = record().moved(&now).into_iter().map(|moved| moved.sentence).collect();
        assert_eq!(
            said,
            [
                "authorizer, key: allocations a call are recorded, and are of nothing that is there",
                "login: 1 instructions a call, and none are recorded",
                "authorizer, key: instructions a call are recorded, and are of nothing that is there",
                "refresh: instructions a call are recorded, and are of nothing that is there",
            ]
        );
    }

    #[test]
    fn another_compiler_is_no_silent_pass() {
        assert_eq!(record().made_otherwise(&map(&[("rustc", "1.95.0".to_owned())])), None);
        let said = record().made_otherwise(&map(&[("rustc", "1.96.0".to_owned())])).unwrap();
        assert!(
            said.contains("rustc: 1.95.0 then, 1.96.0 here") && said.contains("make guards ACCEPT=1"),
            "{said}"
        );
    }

    #[test]
    fn what_is_accepted_is_what_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.json");
        let now = map(&[("instructions a call", map(&[("login", 7.0)]))]);
        let accepted = record().with(map(&[("rustc", "1.96.0".to_owned())]), &now);
        accepted.write(&path).unwrap();
        let read = Record::read(&path).unwrap();
        assert_eq!(read, accepted);
        assert_eq!((read.counts["instructions a call"].percent, read.moved(&now)), (3.0, Vec::new()));
    }
}
