#!/usr/bin/env python3
"""Part of `make build` and `make rehearse`: each function's bill of materials is one, and is of the program beside it.

    check_sbom.py --target TRIPLE --lambda-dir DIR FUNCTION…

It fits CycloneDX's own schema (which checkov brings); everything in it has version, licence, package URL and checksum; the program beside it
has the checksum it says; every crate whose name stands in the program, as the place of a panic, is in it; and writing it again makes the
same bytes.
"""

import argparse
import hashlib
import importlib.resources
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import referencing

ROOT = pathlib.Path(__file__).resolve().parents[2]
# /registry/src/<crates.io>/NAME-VERSION/src/lib.rs: the compiler writes where a panic comes from.
PLACE = re.compile(rb"/registry/src/[^/\0]+/([A-Za-z0-9_-]+?)-(\d+\.\d+\.\d+[^/\0]*)/")
# Fewer than these, and the programs name no places any more: then this looks at nothing.
AT_LEAST = 10


def validator():
    """What holds a document against CycloneDX's schema, and the licences that SPDX has names for."""
    folder = importlib.resources.files("cyclonedx.schema") / "_res"
    bom, spdx, signature = (json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text()) for name in ("bom-1.6", "spdx", "jsf-0.82"))
    resources = [(schema["$id"], referencing.Resource.from_contents(schema)) for schema in (bom, spdx, signature)]
    return jsonschema.Draft7Validator(bom, registry=referencing.Registry().with_resources(resources)), set(spdx["enum"])


def wrong_with(bill, program, schema, licences):
    """What is wrong with one, a line each."""
    for error in schema.iter_errors(bill):
        yield f"against the schema: {error.json_path}: {error.message[:200]}"
    about = bill["metadata"]["component"]
    if about["hashes"] != [{"alg": "SHA-256", "content": hashlib.sha256(program).hexdigest()}]:
        yield "it is of another program"
    for component in bill["components"]:
        name = component["name"]
        if not component.get("version") or not component.get("purl", "").endswith(f"/{name}@{component['version']}"):
            yield f"{name}: version or package URL is missing or another's"
        licence = "".join(licence.get("expression", "") for licence in component.get("licenses", []))
        if not licence or not set(re.split(r" (?:AND|OR|WITH) ", re.sub(r"[()]", "", licence))) <= licences:
            yield f"{name}: no licence that SPDX knows: '{licence}'"
        if component["purl"].startswith("pkg:cargo/") and not component.get("hashes"):
            yield f"{name}: no checksum"
    refs = [component["bom-ref"] for component in [about, *bill["components"]]]
    if sorted(refs) != sorted({entry["ref"] for entry in bill["dependencies"]}):
        yield "what depends on what is not told of exactly what is in it"
    named = {(found[1].decode(), found[2].decode()) for found in PLACE.finditer(program)}
    if len(named) < AT_LEAST:
        yield f"the program names {len(named)} crates: too few to say anything"
    for name, version in sorted(named - {(component["name"], component["version"]) for component in bill["components"]}):
        yield f"{name} {version} is in the program and not in the bill"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--lambda-dir", type=pathlib.Path, required=True)
    parser.add_argument("functions", nargs="+")
    given = parser.parse_args()
    schema, licences = validator()

    with tempfile.TemporaryDirectory() as folder:
        again = pathlib.Path(folder)
        for name in given.functions:
            (again / name).mkdir()
            (again / name / "bootstrap").symlink_to((given.lambda_dir / name / "bootstrap").resolve())
        words = [ROOT / "infra" / "tools" / "sbom.py", "--target", given.target, "--lambda-dir", again]
        subprocess.run([sys.executable, *words, *given.functions], check=True, stdout=subprocess.DEVNULL)
        wrong = []
        for name in given.functions:
            text = (given.lambda_dir / name / "sbom.cdx.json").read_bytes()
            program = (given.lambda_dir / name / "bootstrap").read_bytes()
            wrong += [f"{name}: {what}" for what in wrong_with(json.loads(text), program, schema, licences)]
            if text != (again / name / "sbom.cdx.json").read_bytes():
                wrong.append(f"{name}: written again it is another")
    if wrong:
        sys.exit("\n".join(["bills of materials that are not right:", *wrong]))
    print(f"sbom: {len(given.functions)} bills of materials fit their programs and CycloneDX's schema")


main()
