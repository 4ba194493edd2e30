//! `make bench`: the programs that ship, measured beside what people would use instead.
//!
//! It speaks the Lambda runtime API to each of them as Lambda does, checks every answer, and takes them in turn, so that what the
//! machine does meanwhile falls on all alike. What counts are the ratios of one run.

mod bare;
mod budgets;
mod figures;
mod invoke;
mod measure;
mod picture;
mod record;
mod report;
mod routes;
mod sizes;
mod soak;
mod table;

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bench::{clock, process, programs, runtime, share, stage};
use figures::Figures;
use measure::{Counts, Round};
use programs::Built;
use serde_json::json;
use share::Share;
use stage::{Stage, post_event};

const SHARES: [Share; 5] =
    [Share::Full, Share::OfMemory(1769), Share::OfMemory(512), Share::OfMemory(256), Share::OfMemory(128)];

/// What the command line says.
struct Arguments {
    rounds: usize,
    counts: Counts,
    built: Built,
    work: PathBuf,
    /// The document whose tables are written anew, and the picture beside it.
    document: Option<PathBuf>,
    /// For so long the mix is run, and nothing is measured.
    soak: Option<Duration>,
}

impl Arguments {
    fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut rounds, mut document, mut soak) = (5, None, None);
        let [mut functions, mut probe, mut rust, mut node, mut python, mut peers, mut work] =
            [const { None }; 7];
        while let Some(argument) = given.next() {
            let value = given.next().ok_or_else(|| format!("{argument} needs a value"))?;
            match argument.as_str() {
                "--rounds" => rounds = value.parse().map_err(|_| format!("--rounds {value}: a number"))?,
                "--soak" => {
                    let seconds =
                        value.parse().map_err(|_| format!("--soak {value}: a number of seconds"))?;
                    soak = Some(Duration::from_secs(seconds));
                }
                "--document" => document = Some(PathBuf::from(value)),
                "--functions" => functions = Some(value),
                "--probe" => probe = Some(value),
                "--rust-peers" => rust = Some(value),
                "--node-peers" => node = Some(value),
                "--python" => python = Some(value),
                "--peers" => peers = Some(value),
                "--work" => work = Some(value),
                _ => return Err(format!("unknown argument {argument}")),
            }
        }
        let path = |value: Option<String>, name: &str| {
            value.map(PathBuf::from).ok_or_else(|| format!("{name} is missing"))
        };
        let work = path(work, "--work")?;
        Ok(Self {
            rounds,
            counts: Counts { cold: 3, warm: 600, logins: 20 },
            built: Built {
                functions: path(functions, "--functions")?,
                probe: path(probe, "--probe")?,
                rust: path(rust, "--rust-peers")?,
                node: path(node, "--node-peers")?,
                python: path(python, "--python")?,
                peers: path(peers, "--peers")?,
                logs: logs(&work),
            },
            work,
            document,
            soak,
        })
    }
}

/// Where the programs' output goes: into memory, where there is a folder for that. On Lambda there is no disk behind it either.
fn logs(work: &Path) -> PathBuf {
    let memory = Path::new("/dev/shm/syncgram-bench");
    let _ = fs::remove_dir_all(memory);
    if fs::create_dir(memory).is_ok() { memory.to_owned() } else { work.to_owned() }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            say(&format!("bench: {error}\nIt is started by `make bench`.\n"));
            return ExitCode::from(2);
        }
    };
    let run = match arguments.soak {
        Some(length) => soaked(&arguments, length).await,
        None => run(&arguments).await,
    };
    if arguments.built.logs != arguments.work {
        let _ = fs::remove_dir_all(&arguments.built.logs);
    }
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("bench: {error}\n"));
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody to tell it to is no reason to stop.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Two people at once, one for each processor that a small machine has.
async fn soaked(arguments: &Arguments, length: Duration) -> Result<bool, Box<dyn Error>> {
    fs::create_dir_all(&arguments.work)?;
    let stage = Stage::start(&arguments.work).await?;
    let people = stage.people(2).await?;
    let key = stage.make_key(&stage.log_in().await?.access_token).await?;
    say(&format!("{} s of the whole mix, as fast as it is answered\n", length.as_secs()));
    let outcome = tokio::task::block_in_place(|| soak::run(&stage, &arguments.built, &people, &key, length))
        .map_err(|error| error.to_string())?;
    say(&format!("{} calls, every answer right\n", outcome.calls));
    for (name, (warm, end, peak)) in &outcome.memory {
        let kilobytes = |bytes: &u64| bytes / 1000;
        say(&format!(
            "{name:>16}: {} KB when warm, {} KB at the end, {} KB at most\n",
            kilobytes(warm),
            kilobytes(end),
            kilobytes(peak)
        ));
    }
    let grew = outcome.grew();
    if !grew.is_empty() {
        say(&format!("grew: {}\n", grew.join(", ")));
    }
    Ok(grew.is_empty())
}

async fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    fs::create_dir_all(&arguments.work)?;
    let stage = Stage::start(&arguments.work).await?;
    let mut figures = Figures::default();
    let functions = sizes::measure(&mut figures, &arguments.built.functions, &arguments.work)?;
    let key = stage.make_key(&stage.log_in().await?.access_token).await?;
    for nth in 1..=arguments.rounds {
        say(&format!("round {nth} of {}:", arguments.rounds));
        round(arguments, &stage, &mut figures, &key, &functions).await?;
        say("\n");
    }
    say("every route, as some people at once: two minutes, in which they mostly wait for the next code\n");
    let mut walked = Figures::default();
    routes::measure(&mut walked, &arguments.built, &arguments.work).await?;
    let verdicts = budgets::judge(&figures, &functions);
    let tables = report::markdown(&figures, &verdicts, &functions, &SHARES, arguments.rounds);
    say(&format!("\n{tables}"));
    if let Some(document) = &arguments.document {
        report::write_into(document, &tables)?;
        record::write(&document.with_file_name("performance.json"), &figures, &walked)?;
        let picture = document.with_file_name("cold-starts.svg");
        fs::write(&picture, picture::cold_starts(&figures, &SHARES))?;
        let (document, picture) = (document.display(), picture.display());
        say(&format!("\nWritten to {document}, its performance.json, and {picture}. Now: scripts/cost\n"));
    }
    Ok(verdicts.iter().all(budgets::Verdict::holds))
}

async fn round(
    arguments: &Arguments,
    stage: &Stage,
    figures: &mut Figures,
    key: &str,
    functions: &[String],
) -> Result<(), Box<dyn Error>> {
    let Arguments { counts, built, .. } = arguments;
    let credentials = stage.log_in().await?;
    let tokens = stage.tokens(&credentials.access_token, counts.warm).await?;
    let people = stage.people(counts.logins).await?;
    let keyring = stage.keyring().await?;
    say(" the work alone,");
    bare::verification(figures, &credentials.access_token, &keyring)?;
    let (signing, claims) = stage.signing(&credentials.access_token).await?;
    let event = post_event("/api/v1/auth/refresh", &json!({"refresh_token": credentials.refresh_token}));
    bare::refresh(figures, &signing.signer, &claims, &event)?;
    bare::hash(figures, counts.logins)?;
    bare::c_hash(figures, &built.python, &built.peers)?;
    bare::better_auth(figures, &built.node)?;
    let reading = stage.reading(key)?;
    let rotation = stage.rotation(&stage.log_in().await?.access_token).await?;
    let mut round = Round { stage, built, counts: *counts, figures };
    // From here on the threads of this program that wait for a call are all that runs: no task of the engines' is held up by them.
    tokio::task::block_in_place(|| {
        say(" the table alone,");
        table::read(round.figures, &reading, counts.warm)?;
        round.probe(&reading.event(), &rotation)?;
        say(" warm,");
        round.warm(key, &tokens)?;
        round.refresh(&credentials.refresh_token)?;
        say(" login,");
        round.login(&people)?;
        say(" cold");
        round.starts(functions)?;
        round.init_alone()?;
        round.probe_cold(&reading.event())?;
        round.cold(key, &SHARES)
    })
}
