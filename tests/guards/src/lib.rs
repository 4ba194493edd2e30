//! `make guards`: what a call of the hot paths costs, counted under valgrind, and how large each program is, held to what was recorded.
//!
//! Counts, unlike times, are the same on a busy machine: so a change of a few per cent is seen, and CI can hold it.

mod counted;
mod made_with;
mod paths;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::programs::Built;
use bench::stage::Stage;
use counted::Tool;
use paths::{Failed, Place};
use record::{Figures, Record, number};

const INSTRUCTIONS: &str = "instructions a call";
const ALLOCATIONS: &str = "allocations a call";
const BYTES: &str = "bytes of program";

/// So often is counted what is then recorded: the middle one of each figure.
const ACCEPTED: usize = 3;

/// What the command line says.
struct Arguments {
    /// A folder for each function, a `bootstrap` in each.
    functions: PathBuf,
    work: PathBuf,
    /// The recorded figures.
    record: PathBuf,
    /// Whether they are written anew.
    accept: bool,
    /// How often everything is counted: more than once shows how far it repeats, and compares nothing.
    times: usize,
}

impl Arguments {
    fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let ([mut functions, mut work, mut record], mut accept, mut times) = ([const { None }; 3], false, 1);
        while let Some(argument) = given.next() {
            if argument == "--accept" {
                accept = true;
                continue;
            }
            let value = given.next().ok_or_else(|| format!("{argument} needs a value"))?;
            match argument.as_str() {
                "--functions" => functions = Some(value),
                "--work" => work = Some(value),
                "--record" => record = Some(value),
                "--times" => times = value.parse().map_err(|_| format!("--times {value}: a number"))?,
                _ => return Err(format!("unknown argument {argument}")),
            }
        }
        let path = |value: Option<String>, name: &str| {
            value.map(PathBuf::from).ok_or_else(|| format!("{name} is missing"))
        };
        Ok(Self {
            functions: path(functions, "--functions")?,
            work: path(work, "--work")?,
            record: path(record, "--record")?,
            accept,
            times,
        })
    }
}

/// What the command `make guards` does, by its arguments.
pub async fn run(given: impl Iterator<Item = String>) -> ExitCode {
    let arguments = match Arguments::read(given) {
        Ok(arguments) => arguments,
        Err(error) => {
            say(&format!("guards: {error}\nIt is started by `make guards`."));
            return ExitCode::from(2);
        }
    };
    match guard(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("guards: {error}"));
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) {
    // Nobody to tell it to is no reason to stop.
    let _ = writeln!(io::stdout(), "{text}");
}

async fn guard(arguments: &Arguments) -> Result<bool, Failed> {
    let record = Record::read(&arguments.record)?;
    let made_with = made_with::here()?;
    let otherwise = record.made_otherwise(&made_with).filter(|_| !arguments.accept && arguments.times == 1);
    if let Some(sentence) = otherwise {
        say(&format!("guards: {sentence}"));
        return Ok(false);
    }
    fs::create_dir_all(&arguments.work)?;
    if arguments.times > 1 {
        return repeated(arguments, arguments.times).await.map(|_| true);
    }
    if arguments.accept {
        let now = repeated(arguments, ACCEPTED).await?;
        record.with(made_with, &now).write(&arguments.record)?;
        say(&format!("guards: written to {}: commit it, with the reason", arguments.record.display()));
        return Ok(true);
    }
    let mut now = counts(arguments).await?;
    if !record.moved(&now).is_empty() {
        say(
            "guards: not all is as recorded: counting again, because what disturbs a count does not do so twice",
        );
        now = record.nearer(now, &counts(arguments).await?);
    }
    print(&now);
    Ok(judge(&record, &now, &arguments.record))
}

/// Says what moved; whether nothing did.
fn judge(record: &Record, now: &BTreeMap<String, Figures>, path: &Path) -> bool {
    let moved = record.moved(now);
    for it in &moved {
        say(&format!("guards: {} {}", if it.dearer { "DEARER:" } else { "NOT AS RECORDED:" }, it.sentence));
    }
    if moved.is_empty() {
        say("guards: all of it is as recorded");
    } else {
        let file = path.display();
        say(&format!(
            "guards: where the change is worth it, make guards ACCEPT=1 writes {file} anew; commit it, with the reason"
        ));
    }
    moved.is_empty()
}

/// Counts everything once.
async fn counts(arguments: &Arguments) -> Result<BTreeMap<String, Figures>, Failed> {
    let work = &arguments.work;
    let stage = Stage::start(work).await?;
    let unused = PathBuf::new;
    let built = Built {
        functions: arguments.functions.clone(),
        probe: unused(),
        rust: unused(),
        node: unused(),
        python: unused(),
        peers: unused(),
        logs: work.clone(),
    };
    let key = stage.make_key(&stage.log_in().await?.access_token).await?;
    let place = Place { stage: &stage, built: &built, work, key: &key };
    let mut all = BTreeMap::from([(BYTES.to_owned(), sizes(&arguments.functions)?)]);
    for (kind, tool) in [(INSTRUCTIONS, Tool::Callgrind), (ALLOCATIONS, Tool::Dhat)] {
        let figures: &mut Figures = all.entry(kind.to_owned()).or_default();
        for (route, cost) in place.costs(tool).await? {
            let digits = if tool == Tool::Callgrind { 1.0 } else { 100.0 };
            figures.insert(route.name().to_owned(), (cost * digits).round() / digits);
        }
    }
    Ok(all)
}

/// Bytes of each function's program.
fn sizes(functions: &Path) -> Result<Figures, Failed> {
    let mut all = Figures::new();
    for entry in fs::read_dir(functions)? {
        let entry = entry?;
        let Ok(program) = fs::metadata(entry.path().join("bootstrap")) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let bytes = program.len() as f64;
        all.insert(entry.file_name().to_string_lossy().into_owned(), bytes);
    }
    if all.is_empty() { Err(format!("no programs in {}", functions.display()).into()) } else { Ok(all) }
}

fn print(now: &BTreeMap<String, Figures>) {
    for (kind, figures) in now {
        say(&format!("{kind}:"));
        for (of, figure) in figures {
            say(&format!("  {of:<32} {:>12}", number(*figure)));
        }
    }
}

/// Counts everything several times, says how far apart the least and the most of each figure lie, and gives the middle ones.
async fn repeated(arguments: &Arguments, times: usize) -> Result<BTreeMap<String, Figures>, Failed> {
    let mut all: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for _ in 0..times {
        for (kind, figures) in counts(arguments).await? {
            for (of, figure) in figures {
                all.entry((kind.clone(), of)).or_default().push(figure);
            }
        }
    }
    let mut middle: BTreeMap<String, Figures> = BTreeMap::new();
    for ((kind, of), mut figures) in all {
        figures.sort_by(f64::total_cmp);
        let [least, .., most] = figures.as_slice() else { continue };
        let apart = (most - least) / least * 100.0;
        say(&format!(
            "{of}: {} to {} {kind}: {apart:.2} % apart in {times} times",
            number(*least),
            number(*most)
        ));
        middle.entry(kind).or_default().insert(of, figures[figures.len() / 2]);
    }
    Ok(middle)
}
