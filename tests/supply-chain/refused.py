#!/usr/bin/env python3
"""Plants what must be refused, and sees whether it is.

    refused.py deny CARGO-DENY FOLDER   projects with one thing wrong each, under this repository's deny.toml
    refused.py watch WATCH FOLDER       a build script that reaches out, and one that does not
    refused.py database FOLDER          a database of advisories that names no crate of anybody: with it cargo-deny still asks crates.io for
                                        versions that were withdrawn
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

RUSTSEC = "https://github.com/RustSec/advisory-db"
ROOT = pathlib.Path(__file__).resolve().parents[2]
REACHES_OUT = 'fn main() { let _ = std::net::TcpStream::connect("127.0.0.1:9"); }\n'
STAYS = 'fn main() { println!("cargo:rustc-cfg=looked"); }\n'
ADVISORY = '```toml\n[advisory]\nid = "RUSTSEC-0000-0001"\npackage = "{crate}"\ndate = "2000-01-01"\n[versions]\npatched = []\n```\n# Planted\nBy a test.\n'


def git(folder, *words):
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *who, *words], check=True, stdout=subprocess.DEVNULL)


def repository(folder):
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=planted")


def crate(folder, name, version="0.1.0", licence="MIT", build=None, dependencies=""):
    """A crate of one empty file, as others publish them."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "lib.rs").touch()
    if build:
        (folder / "build.rs").write_text(build)
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2024"\nlicense = "{licence}"\npublish = false\n[dependencies]\n{dependencies}'
    )


def database(folder, named="nobody-has-this"):
    """As RustSec's, with one advisory: none at all is an error."""
    shutil.rmtree(folder, ignore_errors=True)
    place = folder / "crates" / named
    place.mkdir(parents=True)
    (place / "RUSTSEC-0000-0001.md").write_text(ADVISORY.format(crate=named))
    repository(folder)
    return folder


def path(name):
    return f'{name} = {{ path = "{name}" }}\n'


def other(folder, **wrong):
    """A dependency, in a folder of its own."""
    crate(folder / "other", **{"name": "other", **wrong})
    return path("other")


def second_version(folder):
    crate(folder / "second", "crc32fast", version="0.9.0")
    return 'crc32fast = "1.5"\nsecond = { path = "second", package = "crc32fast" }\n'


def ring(folder):
    crate(folder / "ring", "ring")
    return path("ring")


def beside_a_build(folder, name, contents):
    """A file in a crate that may have a build script."""
    crate(folder / "serde", "serde", build=STAYS)
    (folder / "serde" / name).write_bytes(contents)
    return path("serde")


def from_git(folder):
    elsewhere = folder.parent / "elsewhere"
    crate(elsewhere, "elsewhere")
    repository(elsewhere)
    return f'elsewhere = {{ git = "file://{elsewhere}" }}\n'


def advisories_from(repository):
    os.environ.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0=f"url.file://{repository}.insteadOf", GIT_CONFIG_VALUE_0=RUSTSEC)


def known_weakness(folder):
    advisories_from(database(folder.parent / "database", "crc32fast"))
    return 'crc32fast = "1.5"\n'


def withdrawn(folder):
    """A version that its authors withdrew, which cargo takes only from a Cargo.lock that names it."""
    advisories_from(database(folder.parent / "database"))
    (folder / "Cargo.lock").write_text(
        '[[package]]\nname = "planted"\nversion = "0.1.0"\ndependencies = ["xml-rs"]\n\n[[package]]\nname = "xml-rs"\nversion = "0.8.19"\n'
        'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
        'checksum = "0fcb9cbac069e033553e8bb871be2fbdffcab578eb25bd0f7c508cedc6dcd75a"\n'
    )
    return 'xml-rs = "=0.8.19"\n'


# What cargo-deny calls it, which check finds it, and what plants it under a folder and says how it is depended on.
PLANTED = [
    (None, "licenses bans sources", other),
    ("rejected", "licenses", lambda folder: other(folder, licence="GPL-3.0-only")),
    ("build-script-not-allowed", "bans", lambda folder: other(folder, build=STAYS)),
    ("denied-by-extension", "bans", lambda folder: beside_a_build(folder, "fetch.sh", b"#!/bin/sh\n")),
    ("detected-executable-script", "bans", lambda folder: beside_a_build(folder, "fetch", b"#!/bin/sh\nexec true\n")),
    ("detected-executable", "bans", lambda folder: beside_a_build(folder, "data", pathlib.Path(sys.executable).read_bytes())),
    ("duplicate", "bans", second_version),
    ("banned", "bans", ring),
    ("wildcard", "bans", lambda folder: 'crc32fast = "*"\n'),
    ("source-not-allowed", "sources", from_git),
    ("vulnerability", "advisories", known_weakness),
    ("yanked", "advisories", withdrawn),
]


def codes_of(cargo_deny, folder, *checks):
    """The codes of all errors that cargo-deny finds."""
    done = subprocess.run([cargo_deny, "--format", "json", "check", "--hide-inclusion-graph", *checks], cwd=folder, capture_output=True, text=True)
    said = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    if not any(line["type"] == "summary" for line in said):
        sys.exit(f"refused: cargo-deny did not get to its end: {done.stderr[-2000:]}")
    return {line["fields"].get("code") for line in said if line["type"] == "diagnostic" and line["fields"]["severity"] == "error"}


def deny(cargo_deny, work):
    # They have less than we have, and that is no matter here.
    rules = re.sub(r'^(unused-\S+) = "deny"', r'\1 = "allow"', (ROOT / "deny.toml").read_text(), flags=re.MULTILINE)
    for code, checks, plant in PLANTED:
        shutil.rmtree(work, ignore_errors=True)
        folder = work / "project"
        folder.mkdir(parents=True)
        crate(folder, "planted", dependencies=plant(folder) + "[workspace]\n")
        (folder / "deny.toml").write_text(rules)
        found = codes_of(cargo_deny, folder, *checks.split())
        if found != ({code} if code else set()):
            sys.exit(f"refused: planted {code or 'nothing'}, found {', '.join(sorted(found)) or 'nothing'}")
    print(f"refused: planted and found: {', '.join(code for code, *_ in PLANTED if code)}")


def watch(program, work):
    for build, code in ((STAYS, 0), (REACHES_OUT, 3)):
        shutil.rmtree(work, ignore_errors=True)
        crate(work / "project", "planted", build=build, dependencies="[workspace]\n")
        done = subprocess.run([program, "cargo", "check", "--quiet", "--offline"], cwd=work / "project", capture_output=True, text=True)
        if done.returncode != code or (code == 3) != ("build-script-build" in done.stderr):
            sys.exit(f"refused: a build script that does what it should be seen doing was not: {done.returncode}, {done.stderr[-2000:]}")
    print("refused: a build script that reaches out is seen")


def main():
    what, *rest = sys.argv[1:]
    *program, folder = rest
    # Whatever is planted is built in its own folder.
    os.environ.pop("CARGO_TARGET_DIR", None)
    {"deny": deny, "watch": watch, "database": database}[what](*program, pathlib.Path(folder))


main()
