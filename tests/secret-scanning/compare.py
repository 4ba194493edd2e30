"""Compares what was to be found with gitleaks' report. Says numbers and files, and fails when they differ."""

import json
import pathlib
import sys

expected, report = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:3])
expected = {tuple(it) for it in expected}
found = {(pathlib.Path(it["File"]).name, it["Secret"]) for it in report}
for what, difference in (("not found", expected - found), ("found, and is none", found - expected)):
    for name, text in sorted(difference)[:10]:
        print(f"{what}: {text[:8]}…, {len(text)} characters, in {name}")
if expected != found:
    sys.exit(f"{len(expected - found)} of {len(expected)} were not found, {len(found - expected)} were found that are none")
print(f"{len(expected)} credentials found, none that is not one")
