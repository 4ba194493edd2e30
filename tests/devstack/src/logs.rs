//! Structured log lines: kept for tests, and in a file for people.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    file: Option<File>,
    /// Which lines somebody follows, and those of them that are not fetched yet.
    pick: Option<fn(&str) -> bool>,
    picked: VecDeque<String>,
}

/// A devstack that runs for days forgets the oldest; the file has them all.
const KEPT: usize = 10_000;

impl Logs {
    /// Writes every line to the file at `path` as well, at its end.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let logs = Self::default();
        logs.lock().file = Some(File::options().create(true).append(true).open(path)?);
        Ok(logs)
    }

    /// Every line, oldest first; what is no JSON as a text.
    pub fn lines(&self) -> Vec<Value> {
        let lines: Vec<_> = self.lock().lines.iter().cloned().collect();
        lines.into_iter().map(|line| serde_json::from_str(&line).unwrap_or_else(|_| line.into())).collect()
    }

    /// Every line as it was written, one after the other: what a search for something that must not be there looks at.
    pub fn text(&self) -> String {
        self.lock().lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// From now on, lines of this kind are put aside for [`Logs::picked`].
    pub(crate) fn pick(&self, pick: fn(&str) -> bool) {
        self.lock().pick = Some(pick);
    }

    /// What was put aside since the last call, oldest first; of very much, the newest.
    pub(crate) fn picked(&self) -> VecDeque<String> {
        std::mem::take(&mut self.lock().picked)
    }

    /// Keeps a line.
    pub(crate) fn line(&self, line: &str) {
        let mut state = self.lock();
        if let Some(file) = &mut state.file {
            // A disk that is full is no reason to fail a request.
            let _ = writeln!(file, "{line}");
        }
        if state.pick.is_some_and(|pick| pick(line)) {
            if state.picked.len() == KEPT {
                state.picked.pop_front();
            }
            state.picked.push_back(line.to_owned());
        }
        if state.lines.len() == KEPT {
            state.lines.pop_front();
        }
        state.lines.push_back(line.to_owned());
    }

    /// Keeps a line of the devstack's own.
    pub(crate) fn note(&self, message: &str, fields: &[(&str, &str)]) {
        let mut line = Map::from_iter([("devstack".to_owned(), message.into())]);
        line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
        self.line(&Value::Object(line).to_string());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes what one event writes; complete lines are kept.
#[derive(Debug)]
pub struct Sink(Logs);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.0.line(line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Sink;

    fn make_writer(&'a self) -> Sink {
        Sink(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_and_filed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let logs = Logs::to_file(&path).unwrap();
        logs.note("failed", &[("function", "login")]);
        logs.make_writer().write_all(b"{\"a\":1}\nplain\n").unwrap();
        let expected = [
            serde_json::json!({"devstack": "failed", "function": "login"}),
            serde_json::json!({"a": 1}),
            "plain".into(),
        ];
        assert_eq!(logs.lines(), expected);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), logs.text());
    }
}
