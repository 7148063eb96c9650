#!/usr/bin/env bash
# Goal: the forked server goes on while its workers are killed, and its numbers
# fit.  Method: two seconds with a kill every 50 ms; the program compares its
# numbers itself, the lines it prints are looked at here.
# usage: prefork.sh PREFORK
set -uo pipefail
out=$("$1" 2 50) || {
    echo "$out"
    echo "FAILED: status"
    exit 1
}
echo "$out"
[[ $out == *"all fits"* ]] || exit 1
kills=$(awk '/workers killed/ { print $1 }' <<<"$out")
[ "$kills" -ge 10 ] || { echo "FAILED: only $kills kills"; exit 1; }
"$1" 0 2>/dev/null && { echo "FAILED: 0 seconds accepted"; exit 1; }
"$1" 1 2 3 2>/dev/null && { echo "FAILED: three words accepted"; exit 1; }
exit 0
