"""What cargo compiled for a target, `name version` a line, from its messages on the standard input: compiled.py TRIPLE.

What is compiled for the machine that builds (derive macros, build scripts) lies elsewhere, and is left out.
"""

import json
import re
import sys


def main():
    found = set()
    for line in sys.stdin:
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and any(f"/{sys.argv[1]}/" in name for name in message["filenames"]):
            # …#name@version, or, when a folder is called like its crate, …/name#version
            name, version = re.fullmatch(r".*[/#]([^/#@]+)[@#]([^@#]+)", message["package_id"]).groups()
            found.add(f"{name} {version}")
    print("\n".join(sorted(found)))


main()
