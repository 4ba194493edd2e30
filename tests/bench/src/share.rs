//! A share of one processor, as Lambda gives it by memory: 1769 MB are one whole (AWS, "Configure Lambda function memory").

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The memory that buys one whole processor, in MB.
const WHOLE: u64 = 1769;
/// How often the share is dealt out, in microseconds: Lambda's 20 ms.
const PERIOD: u64 = 20_000;

/// How much of a processor a process gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// All there is.
    Full,
    /// What a function of so many MB gets.
    OfMemory(u64),
}

impl Share {
    /// What the report calls it.
    pub fn name(self) -> String {
        match self {
            Self::Full => "full CPU".to_owned(),
            Self::OfMemory(megabytes) => format!("{megabytes} MB"),
        }
    }

    fn quota(self) -> Option<u64> {
        match self {
            Self::Full => None,
            Self::OfMemory(megabytes) => Some(PERIOD * megabytes / WHOLE),
        }
    }
}

/// A control group that is gone when this is.
pub struct Group {
    path: Option<PathBuf>,
    share: Share,
}

static NTH: AtomicU32 = AtomicU32::new(0);

impl Group {
    /// Makes one, which holds nobody back yet. None is needed for all there is.
    ///
    /// # Errors
    /// When this machine lets nobody make one: it takes root, and a writable `/sys/fs/cgroup`.
    pub fn new(share: Share) -> io::Result<Self> {
        if share.quota().is_none() {
            return Ok(Self { path: None, share });
        }
        let name = format!("bench-{}-{}", std::process::id(), NTH.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(if unified() { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/cpu" }).join(name);
        fs::create_dir(&path).map_err(|error| explained(&path, &error))?;
        Ok(Self { path: Some(path), share })
    }

    /// Holds whoever is in it to the share, from now on.
    ///
    /// # Errors
    /// When this machine does not let it.
    pub fn hold(&self) -> io::Result<()> {
        let (Some(path), Some(quota)) = (&self.path, self.share.quota()) else { return Ok(()) };
        let write = |file: &str, text: String| {
            fs::write(path.join(file), text).map_err(|error| explained(path, &error))
        };
        if unified() {
            return write("cpu.max", format!("{quota} {PERIOD}"));
        }
        write("cpu.cfs_period_us", PERIOD.to_string())?;
        write("cpu.cfs_quota_us", quota.to_string())
    }

    /// What a shell says to enter it.
    pub fn entering(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(String::new, |path| format!("echo $$ > {}/cgroup.procs;", path.display()))
    }
}

/// Whether there is one tree of groups (version 2), or one for each kind of share.
fn unified() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn explained(path: &Path, error: &io::Error) -> io::Error {
    let text = format!("no share of a processor can be held here ({}): {error}", path.display());
    io::Error::new(error.kind(), text)
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_dir(path);
        }
    }
}
