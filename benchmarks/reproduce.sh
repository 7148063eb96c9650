#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures every suite beside its rivals and writes docs/benchmarks.md's tables
# and docs/benchmarks/*.svg.  About an hour and a half; a machine at rest is
# worth waiting for.
#
# usage: benchmarks/reproduce.sh [GIRT-BENCH OPTION...]
#   benchmarks/reproduce.sh --cpu               CPU time: on a busy machine
#   benchmarks/reproduce.sh --seconds 0.15      shorter
set -eu
cd "$(dirname "$0")/.."
build=${GIRT_BENCH_BUILD:-build}
results=benchmarks/results
[ -x "$build/benchmarks/girt-bench" ] || {
    cmake --preset release
    cmake --build --preset release --target girt-bench
}
mkdir -p $results
for suite in queue map limiter ring guard cache channel metrics report trace; do
    echo "$suite ..."
    "$build/benchmarks/girt-bench" $suite --rivals --json $results/$suite.json "$@" \
        > $results/$suite.txt
done
benchmarks/report.py --into docs/benchmarks.md --plot docs/benchmarks $results/*.json
