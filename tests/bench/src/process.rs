//! A function's process: started as Lambda starts it, held to a share of a processor, and asked what it used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock;
use crate::runtime::{Call, RuntimeApi};
use crate::share::{Group, Share};

/// What is started.
#[derive(Debug, Clone)]
pub struct Program {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The environment: nothing else is in it.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub folder: PathBuf,
    /// Where its standard output and error go: a file, as on Lambda something reads them.
    pub log: PathBuf,
}

/// A running process. It ends when this is dropped.
pub struct Process {
    child: Child,
    api: RuntimeApi,
    started: Instant,
    group: Group,
}

impl Process {
    /// Starts it and waits until it is ready; says how long that took. Lambda gives an init a whole processor whatever the memory, so it is
    /// only from here on that the process is held to its share.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Program, share: Share) -> io::Result<(Self, Duration)> {
        let api = RuntimeApi::start()?;
        let group = Group::new(share)?;
        let [name, arguments @ ..] = program.command.as_slice() else {
            return Err(io::Error::other("nothing to start"));
        };
        let log = fs::File::options().create(true).append(true).open(&program.log)?;
        // The shell puts itself into the group and becomes the program.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{} exec \"$0\" \"$@\"", group.entering()), name]).args(arguments);
        command.env_clear().envs(program.environment.iter().map(|(name, value)| (name, value)));
        command.env("AWS_LAMBDA_RUNTIME_API", &api.address);
        command.current_dir(&program.folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = clock::now();
        let child = command.spawn()?;
        let process = Self { child, api, started, group };
        let ready = process.api.ready().map_err(|error| process.explain(&program.log, &error))?;
        let took = ready - process.started;
        process.group.hold()?;
        Ok((process, took))
    }

    fn explain(&self, log: &Path, error: &io::Error) -> io::Error {
        let said = fs::read_to_string(log).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        io::Error::other(format!("{error}\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n")))
    }

    /// Calls it.
    ///
    /// # Errors
    /// When it ends instead of answering.
    pub fn call(&self, event: &Arc<[u8]>) -> io::Result<Call> {
        self.api.call(event)
    }

    /// Asks it to end (SIGTERM) and waits for that: what watches it then writes down what it saw.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn end(mut self) -> io::Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if !asked.success() {
            return Err(io::Error::other("the process ended by itself"));
        }
        self.child.wait().map(|_| ())
    }

    /// How long its threads have run on a processor (`/proc/[pid]/task/[tid]/schedstat`, in nanoseconds).
    ///
    /// # Errors
    /// When it is gone.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(self.proc("task"))? {
            // A thread may end while it is looked at.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanoseconds += text.split(' ').next().and_then(|it| it.parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory it has had, in bytes (`VmHWM`).
    ///
    /// # Errors
    /// When it is gone.
    pub fn peak_memory(&self) -> io::Result<u64> {
        self.memory("VmHWM:")
    }

    /// The memory it has now, in bytes (`VmRSS`).
    ///
    /// # Errors
    /// When it is gone.
    pub fn memory_now(&self) -> io::Result<u64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> io::Result<u64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes =
            line.and_then(|rest| rest.split_whitespace().next()).and_then(|it| it.parse::<u64>().ok());
        kilobytes.map(|it| it * 1024).ok_or_else(|| io::Error::other(format!("no {field} in its status")))
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
