#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Instructions and nanoseconds of girt's operations on one thread.

usage: instructions.py GIRT-INSTRUCTIONS [TEXT]    (names that contain TEXT)

Instructions are callgrind's, the difference of two runs of which one does more,
so that what is made once does not count; the time is the median of nine runs.
"""
import re
import statistics
import subprocess
import sys

FEW, MORE, MANY = 20000, 60000, 2000000


def counted(program, name, runs):
    """Items, and instructions of the whole program."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         program, name, str(runs)], check=True, capture_output=True, text=True)
    refs = re.search(r"Collected : (\d+)", done.stderr)
    return int(done.stdout.split()[0]), int(refs[1])


def timed(program, name):
    """Nanoseconds an item."""
    done = subprocess.run([program, name, str(MANY)], check=True,
                          capture_output=True, text=True)
    return float(done.stdout.split()[1])


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    program, text = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    names = subprocess.run([program, "--list"], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    print("| | instructions | ns |\n|---|---:|---:|")
    for name in filter(lambda name: text in name, names):
        (few, base), (more, all_of_it) = (
            counted(program, name, runs) for runs in (FEW, MORE))
        ns = statistics.median(timed(program, name) for _ in range(9))
        print(f"| {name} | {(all_of_it - base) / (more - few):.1f} | {ns:.2f} |",
              flush=True)


if __name__ == "__main__":
    main()
