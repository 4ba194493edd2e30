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
pub struct Group(Option<PathBuf>);

static NTH: AtomicU32 = AtomicU32::new(0);

impl Group {
    /// Makes one. None is needed for all there is.
    ///
    /// # Errors
    /// When this machine lets nobody make one: it takes root, and a writable `/sys/fs/cgroup`.
    pub fn new(share: Share) -> io::Result<Self> {
        let Some(quota) = share.quota() else { return Ok(Self(None)) };
        let name = format!("bench-{}-{}", std::process::id(), NTH.fetch_add(1, Ordering::Relaxed));
        let second = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let path = Path::new(if second { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/cpu" }).join(name);
        let explained = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("no share of a processor can be held here ({}): {error}", path.display()),
            )
        };
        fs::create_dir(&path).map_err(explained)?;
        let group = Self(Some(path.clone()));
        if second {
            fs::write(path.join("cpu.max"), format!("{quota} {PERIOD}")).map_err(explained)?;
        } else {
            fs::write(path.join("cpu.cfs_period_us"), PERIOD.to_string()).map_err(explained)?;
            fs::write(path.join("cpu.cfs_quota_us"), quota.to_string()).map_err(explained)?;
        }
        Ok(group)
    }

    /// What a shell says to enter it.
    pub fn entering(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |path| format!("echo $$ > {}/cgroup.procs;", path.display()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_dir(path);
        }
    }
}
