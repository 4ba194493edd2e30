//! A function under valgrind: how many instructions it executed and how much it asked of the allocator, from its start to its end.

use std::fs;
use std::io;
use std::path::Path;

use bench::process::{Process, Program};
use bench::share::Share;

/// What valgrind counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Instructions.
    Callgrind,
    /// Allocations: a reallocation is one.
    Dhat,
}

impl Tool {
    /// The words of its command.
    fn command(self, work: &Path, label: &str) -> Vec<String> {
        let file = |ending: &str| work.join(format!("{label}.{ending}")).display().to_string();
        let named = match self {
            Self::Callgrind => {
                ["--tool=callgrind".to_owned(), format!("--callgrind-out-file={}", file("callgrind"))]
            }
            Self::Dhat => ["--tool=dhat".to_owned(), format!("--dhat-out-file={}", file("dhat"))],
        };
        let mut command = vec!["valgrind".to_owned()];
        command.extend(named);
        command.push(format!("--log-file={}", file("log")));
        command
    }

    /// The total in what it says at the end.
    fn total(self, said: &str) -> Option<u64> {
        let mark = match self {
            Self::Callgrind => "Collected :",
            Self::Dhat => "Total:",
        };
        let rest = said.lines().find_map(|line| line.split_once(mark))?.1;
        let number = match self {
            Self::Callgrind => rest,
            Self::Dhat => rest.split_once(" bytes in ")?.1.strip_suffix(" blocks")?,
        };
        number.trim().replace(',', "").parse().ok()
    }
}

/// Starts `program` under the tool, lets `use_it` call it, ends it, and reads what was counted; `label` names its files in `work`.
///
/// # Errors
/// When it does not start or says nothing, and what `use_it` says.
pub fn count<E: From<io::Error>>(
    tool: Tool,
    work: &Path,
    label: &str,
    program: &Program,
    use_it: impl FnOnce(&Process) -> Result<(), E>,
) -> Result<u64, E> {
    let mut command = tool.command(work, label);
    command.extend(program.command.iter().cloned());
    let (process, _) = Process::start(&Program { command, ..program.clone() }, Share::Full)?;
    use_it(&process)?;
    process.end()?;
    let log = work.join(format!("{label}.log"));
    let said = fs::read_to_string(&log)?;
    let lost = || io::Error::other(format!("valgrind says no total, see {}", log.display()));
    Ok(tool.total(&said).ok_or_else(lost)?)
}

#[cfg(test)]
mod tests {
    use super::Tool;

    #[test]
    fn reads_what_each_tool_says() {
        let callgrind =
            "==7== Events    : Ir\n==7== Collected : 897064\n==7== \n==7== I   refs:      897,064\n";
        assert_eq!(Tool::Callgrind.total(callgrind), Some(897_064));
        let dhat = "==7== Total:     1,234,567 bytes in 8,901 blocks\n==7== At t-gmax: 5 bytes in 1 blocks\n";
        assert_eq!(Tool::Dhat.total(dhat), Some(8_901));
        assert_eq!(Tool::Dhat.total("==7== killed"), None);
    }
}
