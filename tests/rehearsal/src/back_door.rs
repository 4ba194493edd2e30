//! What no program that ships may hold: a way to read a code, to move the clock, or anything else that only tests have.

/// Texts that stand in the devstack's and the tests' programs, and so would in a function that had taken anything of theirs.
/// The paths are what a panic would name, the addresses what a seed would write; the rest are doors by their names.
const TRACES: [&str; 15] = [
    // The devstack's console: paths, what they take, and the code they are in.
    "_devstack",
    "devstack",
    "clock/advance",
    // With its slash: the dashboard says that a code is in somebody's mailbox.
    "/mailbox",
    "tests/e2e",
    "tests/rehearsal",
    // The same things under the names that somebody who wants them in a function would give them.
    "CLOCK_OFFSET",
    "clock_offset",
    "FIXED_CODE",
    "TEST_MODE",
    // The engines that stand in for AWS.
    "winterbaume",
    "dynoxide",
    "_ministack",
    // The demo organizations.
    "demo-password-123",
    "@acorn.example",
];

/// Which of the traces a program holds.
pub fn find(program: &[u8]) -> Vec<&'static str> {
    TRACES.into_iter().filter(|trace| holds(program, trace.as_bytes())).collect()
}

fn holds(program: &[u8], trace: &[u8]) -> bool {
    program.windows(trace.len()).any(|window| window == trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_found_wherever_it_stands() {
        for trace in TRACES {
            for (before, after) in [("", ""), ("\0\u{7f}ELF", ""), ("", "\0"), ("x", "y")] {
                let program = format!("{before}{trace}{after}");
                assert!(find(program.as_bytes()).contains(&trace), "{trace}");
            }
        }
        assert!(find(b"").is_empty());
        assert!(find(b"_devstac").is_empty());
    }

    /// A real program, compiled as the functions are: this test, which holds them all.
    #[test]
    fn a_program_that_has_them_is_caught() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(find(&program), TRACES);
    }
}
