//! `keycheck` as one calls it: what it says, its exit code, and that it never says a key.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what went wrong by failing there; clippy knows only the test functions"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use key_form::{KEY_LENGTH, checksum};

/// What it says of `text`, and its exit code.
fn keycheck(text: &[u8]) -> (String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keycheck"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn key(prefix: &str) -> String {
    let body = format!("{prefix}{}", "Zz09".repeat(8));
    format!("{body}{}", checksum(&body))
}

#[test]
fn a_key_is_one_with_or_without_the_end_of_its_line() {
    for (prefix, environment) in [("sk_test_", "test"), ("sk_live_", "LIVE")] {
        for end in ["", "\n", "\r\n"] {
            let (said, code) = keycheck(format!("{}{end}", key(prefix)).as_bytes());
            assert_eq!(code, 0, "{said}");
            assert!(said.contains(&format!("{environment} environment")), "{said}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_and_the_text_is_not() {
    let whole = key("sk_test_");
    for (text, says) in [
        ("", "nothing to look at"),
        (&whole[..40], "6 of its 46 characters are missing"),
        (&format!("{whole}x"), "1 more than the 46"),
        (&format!("{}!{}", &whole[..20], &whole[21..]), "character 21 is neither"),
        (&format!("{}1", &whole[..45]), "checksum is wrong"),
        (&whole.replacen("sk_", "pk_", 1), "neither sk_test_ nor sk_live_"),
        ("rt_AAAAAAAAAAAAAAAAAAAAAAAAAA", "refresh token"),
        ("eyJAAAAAAAAAAAAAAAAAAAAAAAAAA", "access token"),
        (&"a".repeat(10_000), "neither sk_test_ nor sk_live_"),
    ] {
        let (said, code) = keycheck(text.as_bytes());
        assert_eq!(code, 1, "{said}");
        assert!(said.starts_with("No: ") && said.contains(says), "{said}");
    }
    assert_eq!(keycheck(&[0xff, 0xfe]).1, 1);
}

#[test]
fn no_more_of_a_text_is_shown_than_its_owner_is_shown_elsewhere() {
    let whole = key("sk_live_");
    for text in [whole.clone(), whole[..KEY_LENGTH - 1].to_owned(), whole.replacen("Zz", "zZ", 1)] {
        let (said, _) = keycheck(text.as_bytes());
        let shown = (0..=text.len() - 5).filter(|at| said.contains(&text[*at..at + 5]));
        let beyond = shown.filter(|at| at + 5 > 8).count();
        assert_eq!(beyond, 0, "{said}");
    }
}
