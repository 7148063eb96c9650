#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: totals of the spike are what awk counts in the same file.
# Method: --totals and the admitted column of --csv against log_totals.awk, for
# every log named; without any that exists: skipped.
#
# usage: spike_awk.sh SPIKE LOG...
set -euo pipefail
export LC_ALL=C
here=$(dirname "$0")
spike=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

checked=0
for log in "$@"; do
    [ -r "$log" ] || continue
    for burst in 1 7 100; do
        "$spike" -r 1 -t 1,3 -b "$burst" --csv "$scratch/csv" \
            --totals "$scratch/totals" "$log" >"$scratch/report"
        awk -v burst="$burst" -f "$here/log_totals.awk" "$log" >"$scratch/awk"
        grep -v '^admitted' "$scratch/awk" | sort >"$scratch/expected"
        sort "$scratch/totals" | diff -u "$scratch/expected" - || exit 1

        admitted=$(sed -n 's/^admitted\t//p' "$scratch/awk")
        awk -F, -v admitted="$admitted" '
            NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
            $column["admitted"] != admitted { bad = 1 }
            { rows++ }
            END { exit bad || rows != 6 }' "$scratch/csv" || {
            echo "$log: not $admitted admitted with a burst of $burst:"
            cat "$scratch/csv"
            exit 1
        }
    done
    checked=$((checked + 1))
    echo "$log: $(wc -l <"$scratch/expected") URLs agree"
done
if [ "$checked" -eq 0 ]; then
    echo "none of these logs is here: $*"
    exit 77
fi
