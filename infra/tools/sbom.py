#!/usr/bin/env python3
"""Writes a software bill of materials beside each function that was built, so that it ships with the program it is of.

    infra/tools/sbom.py --target TRIPLE --lambda-dir DIR FUNCTION…      DIR/FUNCTION/sbom.cdx.json beside DIR/FUNCTION/bootstrap
    infra/tools/sbom.py --target TRIPLE --list FUNCTION…                only says what would be in it: `name version` a line

CycloneDX 1.6 in JSON: what is compiled into the program, each with version, licence, package URL, checksum and what it depends on, and the
SHA-256 of the program itself. What only runs while it is built (derive macros, build scripts) is not in it.

What is in a program is what `cargo tree` says of all functions together, as they are built together: one's features are then the others'
too. `cargo metadata` says more than is built (docs/adr/0019-bill-of-materials.md). The same sources and program make the same bytes.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of this repository and of nobody's registry: `pkg:cargo/login` would be somebody else's crate.
OURS = "pkg:generic/syncgram-pay-auth"
# Crates that are not compiled into a function, but whose files are put into it by its build script: Swagger UI.
CARRIED = {"docs": ["utoipa-swagger-ui-vendored"]}
LINE = re.compile(r"(\d+)(\S+) v(\S+?)(?: \(([^)]*)\))?(?: \(\*\))? \| (.*?) \| (.*?)(?: \(\*\))?$")


class Crate:
    """One version of one crate, as `cargo tree` tells of it."""

    def __init__(self, name, version, is_ours, licence, repository):
        self.name, self.version, self.is_ours = name, version, is_ours
        # Before SPDX had expressions, a slash said "or".
        self.licence = re.sub(r"\s*/\s*", " OR ", licence)
        self.repository = repository
        self.needs = set()
        self.purl = f"{OURS}/{name}@{version}" if is_ours else f"pkg:cargo/{name}@{version}"

    def component(self, checksums):
        found = {"type": "library", "bom-ref": self.purl, "name": self.name, "version": self.version}
        if not self.is_ours:
            found["hashes"] = [{"alg": "SHA-256", "content": checksums[self.name, self.version]}]
        found["licenses"] = [{"expression": self.licence}]
        found["purl"] = self.purl
        if self.repository:
            found["externalReferences"] = [{"type": "vcs", "url": self.repository}]
        return found


def said(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"sbom: {' '.join(command[:2])} failed, see above")
    return done.stdout


def crates_of(functions, target):
    """Every crate in any of the functions, by name and version, each knowing what it needs."""
    packages = [word for name in functions for word in ("--package", name)]
    tree = said(
        "cargo", "tree", "--locked", "--target", target, "--edges", "normal,no-proc-macro", "--prefix", "depth",
        "--format", "{p} | {l} | {r}", *packages,
    )  # fmt: skip
    crates, above = {}, []
    for line in filter(None, tree.splitlines()):
        if not (read := LINE.match(line)):
            sys.exit(f"sbom: cargo tree says what is not understood: {line}")
        depth, name, version, path, licence, repository = read.groups()
        crate = crates.setdefault((name, version), Crate(name, version, path is not None, licence, repository))
        del above[int(depth) :]
        if above:
            above[-1].needs.add(crate)
        above.append(crate)
    return crates


def carried_by(function):
    """What it carries without being made of it."""
    for name in CARRIED.get(function, []):
        line = said("cargo", "tree", "--locked", "--package", name, "--depth", "0", "--prefix", "depth", "--format", "{p} | {l} | {r}")
        _, name, version, _, licence, repository = LINE.match(line.splitlines()[0]).groups()
        yield Crate(name, version, False, licence, repository)


def reached_from(root):
    """A crate and everything it needs, directly or not."""
    seen, waiting = set(), [root]
    while waiting:
        if (crate := waiting.pop()) not in seen:
            seen.add(crate)
            waiting += crate.needs
    return sorted(seen, key=lambda crate: (crate.name, crate.version))


def checksums_in_lock():
    """What crates.io published under each name and version: SHA-256 of the package, by which cargo takes it."""
    entry = r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"'
    return {(name, version): checksum for name, version, checksum in re.findall(entry, (ROOT / "Cargo.lock").read_text())}


def standard_library():
    """Rust's own libraries are in every program, and come with the compiler, not from crates.io."""
    version = re.search(r"^release: (.+)$", said("rustc", "-vV"), re.MULTILINE)[1]
    purl = f"pkg:generic/rust@{version}"
    return {
        "type": "library", "bom-ref": purl, "name": "rust", "version": version, "description": "Rust's standard library",
        "licenses": [{"expression": "MIT OR Apache-2.0"}], "purl": purl,
    }  # fmt: skip


def bill(root, program, checksums, std):
    about = root.component(checksums)
    root.needs.update(carried_by(root.name))
    about["type"] = "application"
    about["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(program.read_bytes()).hexdigest()}]
    crates = reached_from(root)
    needs = [{"ref": std["bom-ref"]}] + [
        {"ref": crate.purl, "dependsOn": sorted([std["bom-ref"], *(needed.purl for needed in crate.needs)])} for crate in crates
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        # Neither a serial number nor a time, by which two of the same build would differ.
        "metadata": {"component": about},
        "components": [std, *(crate.component(checksums) for crate in crates if crate is not root)],
        "dependencies": needs,
    }


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--lambda-dir", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("functions", nargs="+")
    given = parser.parse_args()

    crates = crates_of(given.functions, given.target)
    roots = {crate.name: crate for crate in crates.values() if crate.is_ours}
    if given.list:
        print("\n".join(sorted({f"{crate.name} {crate.version}" for crate in crates.values()})))
        return
    if not given.lambda_dir:
        parser.error("--lambda-dir or --list")
    checksums, std = checksums_in_lock(), standard_library()
    for name in given.functions:
        folder = given.lambda_dir / name
        written = json.dumps(bill(roots[name], folder / "bootstrap", checksums, std), indent=1) + "\n"
        (folder / "sbom.cdx.json").write_text(written)
    print(f"sbom: {len(given.functions)} bills of materials, {len(crates)} crates in all")


main()
