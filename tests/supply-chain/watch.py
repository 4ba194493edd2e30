#!/usr/bin/env python3
"""Runs a command under strace and says which of the programs that it starts opened a way to the network.

    python3 watch.py COMMAND…

An Internet socket is asked for before anything can be sent, or a name looked up: asking is what is looked for, so a program that only
tries shows too. Exit code: 0 none did, 3 one did, else the command's own.
"""

import os
import re
import subprocess
import sys
import tempfile

INTERNET = re.compile(r"^(\d+) +socket\((AF_INET6?|AF_PACKET|AF_VSOCK)\b")
PROGRAM = re.compile(r'^(\d+) +execve\("([^"]*)", (\[.*\]), .*= 0$')
CHILD = re.compile(r"^(\d+) +(?:clone3?|v?fork)\(.*= (\d+)$")
CHILD_LATER = re.compile(r"^(\d+) +<\.\.\. (?:clone3?|v?fork) resumed>.*= (\d+)$")


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "calls")
        calls = "trace=socket,execve,clone,clone3,fork,vfork"
        code = subprocess.run(["strace", "-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", calls, "-o", log, *sys.argv[1:]]).returncode
        with open(log, errors="replace") as lines:
            reached = who_reached(lines)
    for program in sorted(reached):
        print(f"watch: opened a way to the network: {program}", file=sys.stderr)
    sys.exit(3 if reached else code)


def who_reached(lines):
    """The programs, each with the one that started it, that asked for an Internet socket."""
    program, parent, reached = {}, {}, set()
    for line in lines:
        if found := PROGRAM.match(line):
            program[found[1]] = found[2]
        elif found := CHILD.match(line) or CHILD_LATER.match(line):
            parent[found[2]] = found[1]
        elif found := INTERNET.match(line):
            process, story = found[1], []
            while process and len(story) < 3:
                # A thread runs what the process above it runs.
                if (name := program.get(process)) and name not in story:
                    story.append(name)
                process = parent.get(process)
            reached.add(", started by ".join(story) or "the command itself")
    return reached


main()
