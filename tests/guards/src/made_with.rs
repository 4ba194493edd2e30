//! What the figures depend on besides our code: two that were made with different ones say nothing about a change of ours.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;

/// The compiler, the counter, the C library whose instructions count too, and the processor that valgrind shows to the program.
///
/// # Errors
/// When one of them is not there.
pub fn here() -> io::Result<BTreeMap<String, String>> {
    let all = [
        ("rustc", first_line("rustc", &["--version"])?),
        ("valgrind", first_line("valgrind", &["--version"])?),
        ("C library", first_line("getconf", &["GNU_LIBC_VERSION"])?),
        ("processor", processor()),
    ];
    Ok(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn first_line(command: &str, arguments: &[&str]) -> io::Result<String> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{command}: {error}"));
    let output = Command::new(command).args(arguments).output().map_err(named)?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned).ok_or_else(|| named(io::Error::other("it says nothing")))
}

/// Whatever the machine's model, valgrind shows one of few processors, by the widest vectors of it that valgrind knows.
fn processor() -> String {
    let vectors = vectors();
    format!("{}{}{vectors}", std::env::consts::ARCH, if vectors.is_empty() { "" } else { " with " })
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx2") {
        "AVX2"
    } else if std::arch::is_x86_feature_detected!("avx") {
        "AVX"
    } else {
        ""
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    ""
}
