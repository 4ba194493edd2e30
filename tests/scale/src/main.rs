//! `make scale`: fills a table step by step, and counts every route's reads, writes and bytes at each size. Or writes down what they are.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use devstack::repository;
use scale::load::{ITEMS, Prototype, bytes_on_disk, loaded};
use scale::progress::Progress;
use scale::routes::{self, RouteCost};
use scale::{ScaleError, Table};

const USAGE: &str = "\
Counts what each route reads and writes in a table with very many people, organizations and keys.

  SIZES            how many of each, in rising order (1000 100000 1000000)
  --write FILE     write what each route costs to FILE, from a small table, and stop
  --help           this text
";

/// Sizes are counted from here on: the walk needs two people who never logged in.
const LEAST: usize = 10;

struct Wanted {
    sizes: Vec<usize>,
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let wanted = match arguments(std::env::args().skip(1)) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        Err(reason) => return fail(&format!("{reason}\n\n{USAGE}")),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let folder = match Folder::take(repository().join("target/scale")) {
        Ok(folder) => folder,
        Err(reason) => return fail(&reason),
    };
    match runtime.block_on(run(&wanted, &folder.path)) {
        Ok(Ended::Same) => ExitCode::SUCCESS,
        Ok(Ended::Different) => ExitCode::FAILURE,
        Ok(Ended::Stopped) => {
            say("Stopped. What was loaded is gone, and nothing else was touched.");
            ExitCode::from(130)
        }
        Err(error) => fail(&error.to_string()),
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn fail(reason: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "scale: {reason}");
    ExitCode::FAILURE
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted { sizes: Vec::new(), write: None };
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--write" => {
                wanted.write = Some(PathBuf::from(given.next().ok_or("--write needs a file")?));
            }
            number => {
                let size = number.parse().ok().filter(|size| *size >= LEAST);
                wanted.sizes.push(size.ok_or_else(|| format!("{number}: a number from {LEAST} on"))?);
            }
        }
    }
    if wanted.sizes.is_empty() {
        wanted.sizes = vec![1000, 100_000, 1_000_000];
    }
    match wanted.sizes.is_sorted_by(|one, next| one < next) {
        true => Ok(Some(wanted)),
        false => Err("the sizes have to rise".to_owned()),
    }
}

/// The table's folder, this process's alone; gone when this is, whatever happened. Only a kill leaves it, and the next run begins with
/// taking it away.
struct Folder {
    path: PathBuf,
    /// Locked until it is dropped.
    _lock: File,
}

impl Folder {
    fn take(path: PathBuf) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot use {}: {error}", path.display());
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed)?;
        let lock = File::create(path.with_extension("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(format!("another run is using {}", path.display())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let _ = std::fs::remove_dir_all(&path);
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

enum Ended {
    /// Every route costs the same everywhere.
    Same,
    Different,
    Stopped,
}

async fn run(wanted: &Wanted, folder: &Path) -> Result<Ended, ScaleError> {
    let table = Table::open(folder).await?;
    let prototype = Arc::new(Prototype::make(&table).await?);
    drop(table);
    let stop = Arc::new(AtomicBool::new(false));
    tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            let _ = tokio::signal::ctrl_c().await;
            stop.store(true, Ordering::Relaxed);
        }
    });
    let sizes = if wanted.write.is_some() { &[LEAST][..] } else { wanted.sizes.as_slice() };
    let (mut from, mut first): (usize, Option<Vec<RouteCost>>) = (1, None);
    let mut ended = Ended::Same;
    for size in sizes {
        load(&prototype, folder, from, *size, &stop).await?;
        if stop.load(Ordering::Relaxed) {
            return Ok(Ended::Stopped);
        }
        let table = Table::open(folder).await?;
        let costs = routes::count(&table, &loaded(*size), &loaded(size - 1)).await?;
        drop(table);
        if let Some(file) = &wanted.write {
            write(file, &costs)?;
        } else if !compare(*size, &costs, first.get_or_insert_with(|| costs.clone())) {
            ended = Ended::Different;
        }
        from = size + 1;
    }
    Ok(ended)
}

async fn load(
    prototype: &Arc<Prototype>,
    folder: &Path,
    from: usize,
    to: usize,
    stop: &Arc<AtomicBool>,
) -> Result<(), ScaleError> {
    let mut progress = Progress::new("loading", from - 1, to);
    let (prototype, stopping, into) = (Arc::clone(prototype), Arc::clone(stop), folder.to_owned());
    let loading = tokio::task::spawn_blocking(move || {
        progress.at(from - 1);
        let told = |done| {
            progress.at(done);
            !stopping.load(Ordering::Relaxed)
        };
        prototype.load(&into, from, to, told).map(|()| progress.end())
    });
    let seconds = loading.await.map_err(|error| ScaleError::new(&error))??;
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    let items = (to + 1 - from) * ITEMS;
    say(&format!(
        "{to} of each: {items} items more in {seconds:.1} s, {:.0} a second; {:.1} MB on the disk",
        per(items, seconds),
        per(bytes_on_disk(folder) as usize, 1e6)
    ));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn per(many: usize, one: f64) -> f64 {
    many as f64 / one.max(0.001)
}

/// Says what differs from the first size; whether nothing does.
fn compare(size: usize, costs: &[RouteCost], first: &[RouteCost]) -> bool {
    let mut same = costs.len() == first.len();
    for (cost, first) in costs.iter().zip(first) {
        if cost.counted() != first.counted() {
            same = false;
            say(&format!("  {} is another thing at {size}:\n    {first:?}\n    {cost:?}", cost.what));
        }
    }
    if same {
        let sum = |of: fn(&RouteCost) -> usize| costs.iter().map(of).sum::<usize>();
        say(&format!(
            "  {} routes counted at {size}: {} items, {} read units, {} write units, {} bytes, as in the smallest table",
            costs.len(),
            sum(|it| it.items),
            sum(|it| it.read_units),
            sum(|it| it.write_units),
            sum(|it| it.bytes_read + it.bytes_written),
        ));
    }
    same
}

fn write(file: &Path, costs: &[RouteCost]) -> Result<(), ScaleError> {
    let text = serde_json::to_string_pretty(costs).map_err(|error| ScaleError::new(&error))?;
    std::fs::write(file, text + "\n").map_err(|error| ScaleError::new(&error))?;
    say(&format!("{} routes written to {}", costs.len(), file.display()));
    Ok(())
}
