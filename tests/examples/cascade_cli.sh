#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: the cascade prints what its guide shows, the same each time, and writes
# what it promises.
# Method: its output against itself and the guide's; the shape of CSV; an SVG
# read by an XML parser; wrong options and full disks.
#
# usage: cascade_cli.sh CASCADE GUIDE
set -euo pipefail
cascade=$(realpath "$1")
guide=$(realpath "$2")
program=("$cascade")
source "$(dirname "$0")/cli.sh"

# The guide's table is the program's, to the letter.
"$cascade" >out 2>err || fail "no report"
[ ! -s err ] || fail "something on stderr"
awk '/^```text$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$guide" >shown
cmp out shown || fail "not what the guide shows"

# One seed, one output; another seed, another.
expect 0 'seed 5' -s 5 --csv one
cp out first
expect 0 'seed 5' -s 5 --csv two
cmp out first || fail "two reports from one seed"
cmp one two || fail "two runs from one seed"
expect 0 'seed 6' -s 6 --csv two
if cmp -s one two; then fail "two seeds, one run"; fi

# CSV: a header and 2 runs of 60 seconds of 3 services; - is stdout alone.
"$cascade" --csv - >out 2>err || fail csv
grep -q 'all well again' err || fail "no report on stderr"
awk -F, 'NF != 6 || (NR > 1 && ($5 > $4 || $4 < 1)) { bad = 1 }
    END { exit bad || NR != 361 }' out || fail "shape of CSV"

expect 0 'takes 3 times' --slow 3 --guards breaker,shed
expect 0 '--guards LIST' --help
expect 0 'girt [0-9]' --version
expect 2 'wants a number' --seed x
expect 2 'deadline, budget' --guards x
expect 2 'what is' x
expect 2 'No such file' --csv no/such/folder/x
for wrong in --csv=/dev/full --help --version; do
    if [ "$wrong" = --csv=/dev/full ]; then
        expect 1 'No space' "$wrong"
    elif "$cascade" "$wrong" >/dev/full 2>err; then
        fail "text that nobody can read went unnoticed"
    fi
done
if "$cascade" >/dev/full 2>err; then fail "a report that nobody can read went unnoticed"; fi

# SVG: gnuplot's, under any name; no name is a command.
if PATH=/nowhere "$cascade" --svg x.svg >out 2>err; then
    fail "no gnuplot, but no complaint"
fi
grep -q 'needs gnuplot' err || fail "no word about gnuplot"
if command -v gnuplot >/dev/null; then
    for name in plot.svg "|touch pwned"; do
        expect 0 'all well again' --svg "$name"
        for title in 'Without guards' 'With guards' 'Tries'; do
            grep -q "$title" "$name" || fail "no '$title' in $name"
        done
        if command -v python3 >/dev/null; then
            python3 -c 'import sys, xml.dom.minidom as x; x.parse(open(sys.argv[1]))' \
                "$name" || fail "not XML: $name"
        fi
    done
    expect 2 'No such file' --svg no/such/folder/x.svg
    expect 1 'could not be drawn or written' --svg /dev/full
fi
[ ! -e pwned ] || fail "a name was run as a command"
echo "all as promised"
