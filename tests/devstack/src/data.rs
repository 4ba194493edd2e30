//! The folder that a devstack keeps its data in.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::StartError;

/// The folder, held by this process alone.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Locked until it is dropped.
    _lock: File,
}

/// Everything the devstack writes there. `fresh` removes these, and nothing that is not ours.
const FILES: [&str; 7] =
    ["table.db", "table.db-wal", "table.db-shm", "secrets.json", "clock", "log.jsonl", "env"];

impl DataFolder {
    /// Makes the folder where it is missing, and takes hold of it; with `fresh`, forgets what is in it.
    pub fn open(path: &Path, fresh: bool) -> Result<Self, StartError> {
        let failed = |source| StartError::Data { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        let lock = File::create(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StartError::InUse { path: path.to_owned() }),
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        if fresh {
            for name in FILES {
                remove(&path.join(name)).map_err(failed)?;
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The table.
    pub fn table(&self) -> PathBuf {
        self.path.join("table.db")
    }

    /// The secrets.
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets.json")
    }

    /// What the clock was moved by.
    pub fn clock(&self) -> PathBuf {
        self.path.join("clock")
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.jsonl")
    }

    /// The environment that functions need which run in processes of their own.
    pub fn environment(&self) -> PathBuf {
        self.path.join("env")
    }

    /// Wraps an error in a sentence that names the folder.
    pub fn failed(&self, source: io::Error) -> StartError {
        StartError::Data { path: self.path.clone(), source }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_fresh_removes_only_what_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let held = DataFolder::open(folder.path(), false).unwrap();
        let second = DataFolder::open(folder.path(), true);
        assert!(matches!(second, Err(StartError::InUse { .. })), "{second:?}");

        fs::write(held.table(), "x").unwrap();
        fs::write(folder.path().join("other"), "x").unwrap();
        drop(held);
        let again = DataFolder::open(folder.path(), false).unwrap();
        assert!(again.table().exists());
        drop(again);
        let fresh = DataFolder::open(folder.path(), true).unwrap();
        assert!(!fresh.table().exists());
        assert!(folder.path().join("other").exists());
    }
}
