//! `tests/fuzz/run`, whose program is not built here: a stand-in finds a crash, or none, as libFuzzer does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What libFuzzer does of what the script looks at: it says what it found, keeps the input under `-artifact_prefix=`, and ends with 77.
/// Asked to make a crash smaller, it writes a smaller one, unless it is told that it cannot. It may also end without a word.
const CRASHES: &str = r#"#!/bin/bash
for word in "$@"; do
	case $word in
	-artifact_prefix=*) prefix=${word#*=} ;;
	-exact_artifact_path=*) smaller=${word#*=} ;;
	esac
done
if [ -n "${smaller:-}" ]; then
	[ -n "${CANNOT:-}" ] && exit 1
	printf 'small\001' >"$smaller"
	exit 77
fi
[ -n "${SAYS_NOTHING:-}" ] && exit 77
echo "thread '<unnamed>' panicked at tests/fuzz/src/jwt.rs:1:1:" >&2
echo "what must hold does not" >&2
[ -n "${KEEPS_NOTHING:-}" ] || printf 'larger than it need be' >"${prefix}crash-0123"
exit 77
"#;

const HOLDS: &str = "#!/bin/bash\necho \"of $FUZZ_TARGET\"\necho '#1 INITED cov: 12 ft: 1'\necho 'stat::number_of_executed_units: 42'\necho 'stat::average_exec_per_sec: 7'\n";

fn program(at: &Path, text: &str) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A copy of the script, over its seeds' names, and programs for it to start.
fn place(stand_in: &str) -> tempfile::TempDir {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    program(&at("tests/fuzz/run"), &fs::read_to_string(here.join("run")).unwrap());
    for target in ["jwt", "login"] {
        fs::create_dir_all(at("tests/fuzz/seeds").join(target)).unwrap();
    }
    program(&at("bin/cargo"), "#!/bin/sh\n");
    program(&at("bin/c++"), "#!/bin/sh\n");
    program(&at("built/fuzz/libfuzzer"), stand_in);
    folder
}

/// Runs it there: the exit code, and what it said.
fn run_in(folder: &tempfile::TempDir, set: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    let at = |path: &str| folder.path().join(path);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", at("bin").display());
    let done = Command::new(at("tests/fuzz/run"))
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", at("built"))
        .envs(set.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.code().unwrap(), said)
}

/// Both.
fn run(stand_in: &str, set: &[(&str, &str)], arguments: &[&str]) -> (i32, String, tempfile::TempDir) {
    let folder = place(stand_in);
    let (code, said) = run_in(&folder, set, arguments);
    (code, said, folder)
}

fn log(folder: &tempfile::TempDir, target: &str) -> String {
    fs::read_to_string(folder.path().join(format!("target/fuzz/{target}.log"))).unwrap()
}

#[test]
fn a_target_that_holds_says_how_much_was_tried() {
    let (code, said, folder) = run(HOLDS, &[], &["1"]);
    assert_eq!((code, said.matches(": it holds").count()), (0, 2), "{said}");
    assert!(said.contains("42 executions"), "{said}");
    for target in ["jwt", "login"] {
        assert!(log(&folder, target).starts_with(&format!("of {target}\n")), "each is told which it is");
    }
}

#[test]
fn a_crash_fails_the_run_says_what_and_is_kept_as_it_came_and_smaller() {
    let (code, said, folder) = run(CRASHES, &[], &["1"]);
    assert_eq!((code, said.matches("DOES NOT HOLD").count()), (1, 2), "the other target runs, too: {said}");
    assert!(
        said.contains("panicked at tests/fuzz/src/jwt.rs") && said.contains("what must hold does not"),
        "{said}"
    );
    assert!(log(&folder, "jwt").contains("panicked at"), "the log is the whole story");
    let kept = folder.path().join("target/fuzz/crashes/jwt");
    assert_eq!(fs::read(kept.join("crash-0123")).unwrap(), b"larger than it need be");
    assert_eq!(fs::read(kept.join("crash-0123.min")).unwrap(), b"small\x01");
    assert!(said.contains("the input: small^A\n"), "{said}");
    // The sentence is a command: it fails as the target did.
    let mut repeats = said.lines().filter_map(|line| line.strip_prefix("to repeat it: "));
    let repeat = repeats.find(|line| line.starts_with("FUZZ_TARGET=jwt ")).unwrap();
    assert!(repeat.ends_with("crash-0123.min"), "{repeat}");
    let again = Command::new("bash").args(["-c", repeat]).current_dir(folder.path()).output().unwrap();
    assert_eq!(again.status.code(), Some(77), "{again:?}");
}

#[test]
fn a_crash_that_gets_no_smaller_or_leaves_no_input_fails_the_run_as_well() {
    let (code, said, folder) = run(CRASHES, &[("CANNOT", "1")], &["1", "jwt"]);
    assert_eq!(code, 1, "{said}");
    let kept = folder.path().join("target/fuzz/crashes/jwt/crash-0123.min");
    assert_eq!(fs::read(kept).unwrap(), b"larger than it need be");
    // The input that lies there is an earlier crash's.
    let (code, said) = run_in(&folder, &[("KEEPS_NOTHING", "1")], &["1", "jwt"]);
    assert!(code == 1 && said.contains("DOES NOT HOLD") && !said.contains("to repeat it"), "{said}");
}

#[test]
fn a_crash_without_a_word_fails_the_run_and_the_next_target_runs() {
    let (code, said, _folder) = run(CRASHES, &[("SAYS_NOTHING", "1")], &["1"]);
    assert_eq!((code, said.matches("DOES NOT HOLD").count()), (1, 2), "{said}");
}

#[test]
fn without_a_compiler_it_is_said_and_nothing_is_built() {
    let folder = place(HOLDS);
    fs::remove_file(folder.path().join("bin/c++")).unwrap();
    for (name, at) in [("bash", "/bin/bash"), ("dirname", "/usr/bin/dirname")] {
        std::os::unix::fs::symlink(at, folder.path().join("bin").join(name)).unwrap();
    }
    let bin = folder.path().join("bin");
    let (code, said) = run_in(&folder, &[("PATH", bin.to_str().unwrap())], &["1", "jwt"]);
    assert!(code == 1 && said.contains("A C++ compiler is missing"), "{said}");
}

#[test]
fn what_is_asked_for_wrongly_is_said() {
    for (arguments, words) in
        [(["0", "jwt"], "SECONDS is a whole number"), (["1", "nothing"], "There is no target nothing")]
    {
        let (code, said, _folder) = run(HOLDS, &[], &arguments);
        assert!(code == 2 && said.contains(words), "{said}");
    }
}

/// Bash has a `SECONDS` of its own and may have passed it on; make's is the one of its command line.
#[test]
fn a_target_has_a_minute_unless_make_is_told_otherwise() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (told, ours, seconds) in
        [(None, None, "60"), (None, Some("3"), "60"), (Some("SECONDS=7"), Some("3"), "7")]
    {
        let mut make = Command::new("make");
        make.args(["-n", "fuzz"]).args(told).current_dir(&root).env_remove("SECONDS").env_remove("MAKEFLAGS");
        let done = make.envs(ours.map(|ours| ("SECONDS", ours))).output().unwrap();
        let would = String::from_utf8_lossy(&done.stdout);
        assert!(would.contains(&format!("tests/fuzz/run \"{seconds}\"")), "{told:?}, {ours:?}: {would}");
    }
}
