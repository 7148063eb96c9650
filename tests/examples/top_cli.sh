#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: top prints what its guide shows, and takes no scrape that is wrong.
# Method: saved scrapes, its output against the guide's to the letter; wrong
# files, wrong options, full disks, no terminal.
#
# usage: top_cli.sh TOP GUIDE DATA_DIR
set -euo pipefail
top=$(realpath "$1")
guide=$(realpath "$2")
data=$(realpath "$3")
program=("$top")
exec </dev/null
source "$(dirname "$0")/cli.sh"

# The block that begins with top's first line is the guide's only one of its.
cp "$data/scrape1.txt" "$data/scrape2.txt" .
expect 0 'girt top: scrape2.txt, 4 objects' --once -f scrape1.txt -f scrape2.txt
[ ! -s err ] || fail "something on stderr"
sed 's/ *$//' out >trimmed
awk '/^```text$/ { getline; inside = /^girt top:/ } /^```$/ { inside = 0 } inside' \
    "$guide" >shown
cmp trimmed shown || fail "not what the guide shows"

# One scrape: no rates. The same twice: rates of 0, be it from a pipe.
expect 0 'jobs +42 +100 +- ' --once -f scrape1.txt
expect 0 'jobs +42 +100 +0 +0 ' --once -f scrape1.txt -f scrape1.txt
"$top" --once -f - <scrape1.txt >out 2>err || fail "standard input"
grep -qE 'jobs +42 +100 +- ' out || fail "standard input"
# An interval twice as long halves what happened a second.
"$top" --once -f scrape1.txt -f scrape2.txt -i 2 >out
rate1=$(awk '$1 == "logins" { print $2 }' trimmed)
rate2=$(awk '$1 == "logins" { print $2 }' out)
awk -v a="$rate1" -v b="$rate2" 'BEGIN { exit !(a > 0 && a / b > 1.9 && a / b < 2.1) }' ||
    fail "rates $rate1 and $rate2"

expect 0 '^shop ' --once -f scrape1.txt --only breaker
if grep -q '^jobs ' out; then fail "--only shows more"; fi
expect 0 'girt top' --once -f scrape1.txt --sort hit/s
printf 'girt_queue_depth{name="\033[2J\\nb"} 7\n' >hostile.txt
expect 0 '^\?\[2J\?b +7' --once -f hostile.txt

head -c 1000 scrape1.txt >cut.txt
expect 1 'cut.txt, line [0-9]+: the last line does not end' --once -f cut.txt
printf 'a 1\nb x\n' >wrong.txt
expect 1 'line 2: no number' --once -f wrong.txt
expect 1 'No such file' --once -f none.txt
expect 0 'girt top: /dev/null, 0 objects' --once -f /dev/null
expect 1 'more than 16 MiB' --once -f /dev/zero
expect 1 'unix:./none: ' --once unix:./none
expect 1 '127.0.0.1:1/metrics: ' --once 1
expect 0 '--interval SECONDS' --help
expect 0 'girt [0-9]' --version
expect 2 'from 0.1 to 3600' -i 0
expect 2 'queue, workers' --only x
expect 2 'no section has a column x' --once --sort x -f scrape1.txt
expect 2 'what is' 1 2
expect 2 'no terminal here' -f scrape1.txt
for wrong in '--once -f scrape1.txt' --help --version; do
    # shellcheck disable=SC2086 # three words
    if "$top" $wrong >/dev/full 2>err; then
        fail "text that nobody can read went unnoticed"
    fi
done
echo "all as promised"
