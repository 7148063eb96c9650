#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: the spike behaves on any input and writes what it promises.
# Method: hostile logs and names with their exit status and message; the shape
# of CSV and totals; an SVG read by an XML parser.
#
# usage: spike_cli.sh SPIKE DATA_FOLDER
set -euo pipefail
spike=$(realpath "$1")
data=$(realpath "$2")
program=("$spike" -r 1 -t 1) # one run of one thread
source "$(dirname "$0")/cli.sh"

good='h - - [01/Aug/1995:00:00:01 -0400] "GET /a HTTP/1.0" 200 1839'

# What cannot be read.
expect 2 'No such file' no-such-log
expect 2 'directory' /
expect 2 'No such file' ''
expect 2 'one log at a time' a b
expect 2 'wants' --batch 0
expect 2 'No such file' --csv no/such/folder/x "$data/common.log"
expect 2 'directory' --totals / "$data/common.log"
printf '\037\213\010xx' >packed.gz
expect 2 'zcat' packed.gz

# What can, whatever it holds.
: >empty
expect 0 '0 requests and 0 lines not parsed' empty
expect 0 'nothing to replay' empty
expect 0 'nothing to replay' - </dev/null
printf '%s' "$good" >no-newline
expect 0 '1 request and 0 lines not parsed' no-newline
printf '%s\r\n' "$good" "$good" >crlf
expect 0 '2 requests and 0 lines not parsed' crlf
printf 'bad\n%s\n\n' "$good" >mixed
expect 0 '1 request and 2 lines not parsed' mixed
expect 0 '1 \(blank\), 1 \(no client\); the first is line 1' mixed
printf '%s\n\0\0\n%s\0\n' "$good" "$good" >nul
expect 0 '2 \(a NUL byte\); the first is line 2' nul
head -c 3000000 /dev/zero | tr '\0' x >huge
expect 0 '0 requests and 1 line not parsed' huge
expect 0 '1 \(over 64 KiB\)' huge
head -c 200000 /dev/urandom >noise
expect 0 'requests? and .* not parsed' noise
printf '%s\n' 'h - - [01/Aug/1995:00:00:01 -0400] "GET /'$'\033''[2J\"\\ HTTP/1.0" 200 -' >escape
expect 0 '/\\x1b\[2J\\x5c"\\x5c\\x5c' escape
if grep -q $'\033' out; then fail "a raw escape reached the terminal"; fi
expect 0 '1 request and 0 lines' - <no-newline
printf 'h\t-\t9223372036854775807\tGET\t/\t200\t274877906944\n%s\n' \
    'h - - [01/Jan/0001:00:00:00 +0000] "GET / HTTP/1.0" 200 274877906944' \
    >extreme
expect 0 '2 requests and 0 lines' extreme
expect 0 "549,755,813,888 bytes" extreme
expect 0 'what followed was left out' -n 3 "$data/common.log"
(yes "$good" 2>/dev/null || true) | expect 0 '1,000 requests' -n 1000 -
(cd / && cat "$data/tabbed.tsv") | expect 0 '395 requests and 5 lines' -
cp mixed -- '-dash; touch pwned $(touch pwned) `touch pwned`'
expect 0 '1 request' -- '-dash; touch pwned $(touch pwned) `touch pwned`'

# The stream needs no data and is the same each time.
expect 0 '5,000 requests and 0 lines' -n 5000 -s 9 --totals one
expect 0 'seed 9' -n 5000 -s 9 --totals two
cmp one two
expect 0 'seed 10' -n 5000 -s 10 --totals two
if cmp -s one two; then fail "two seeds, one stream"; fi
[ "$(awk -F'\t' '{ s += $2 } END { print s }' one)" -eq 5000 ] || fail "totals"

# CSV: a header, rows of as many fields, the ways by turns; - is stdout alone.
"$spike" -r 2 -t 1,2,4 --csv - "$data/combined.log" >out 2>err || fail csv
awk -F, 'NR == 1 { n = NF }
    NF != n { bad = 1 }
    NR > 1 {
        split("one lock,lock batched,girt", way, ",")
        if ($1 != way[(NR - 2) % 3 + 1] || $4 != 2 || $5 != $14 + $15 || $8 <= 0 || $9 <= 0)
            bad = 1
    }
    END { exit bad || NR != 10 || n != 18 }' out || fail "shape of CSV"
"$spike" -r 1 -t 1 --batch 1 --csv - "$data/combined.log" >out 2>err || fail csv
[ "$(wc -l <out)" -eq 3 ] || fail "without batches there are two ways"
grep -q 'Scaling' err || fail "no report on stderr"
grep -q 'Scalability Law' err || fail "no fit"
"$spike" -r 1 -t 1 --csv - empty >out 2>err || fail "csv of nothing"
[ "$(wc -l <out)" -eq 1 ] || fail "csv of nothing is its header"
"$spike" --help >out 2>err && grep -q -- --svg out || fail help
if "$spike" -n 1000 -r 1 -t 1 --csv /dev/full >out 2>err; then
    fail "a full disk went unnoticed"
fi
if "$spike" -n 1000 -r 1 -t 1 >/dev/full 2>err; then
    fail "a report that nobody can read went unnoticed"
fi

# SVG: gnuplot's, under any name; no name is a command.
if PATH=/nowhere "$spike" -n 10 --svg x.svg >out 2>err; then
    fail "no gnuplot, but no complaint"
fi
grep -q 'needs gnuplot' err || fail "no word about gnuplot"
if command -v gnuplot >/dev/null; then
    for name in plot.svg "|touch pwned" "'; touch pwned; '.svg" '`touch pwned`'; do
        expect 0 'Scaling' -t 1,2,4 -n 5000 --svg "$name"
        grep -q '<svg' "$name" || fail "no svg in $name"
        if command -v python3 >/dev/null; then
            python3 -c 'import sys, xml.dom.minidom as x; x.parse(open(sys.argv[1]))' \
                "$name" || fail "not XML: $name"
        fi
    done
    expect 2 'No such file' -n 10 --svg no/such/folder/x.svg
    expect 1 'could not be drawn or written' -n 10 --svg /dev/full
fi
[ ! -e pwned ] || fail "a name was run as a command"
echo "all as promised"
