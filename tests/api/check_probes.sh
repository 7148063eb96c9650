#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: the probes of the library are those that the guide lists, and a program
# that is watched hits them.  Method: the ELF notes against the table; where
# there is gdb, a program whose pushes are known.
# usage: check_probes.sh LIBRARY GUIDE QUEUE_EXAMPLE
set -euo pipefail
library=$1 guide=$2 example=$3

notes=$(readelf -n "$library" | awk '/Provider: girt/ { getline; print $2 }' | sort -u)
[ -n "$notes" ] || { echo "skipped: built without sys/sdt.h"; exit 77; }
listed=$(sed -n 's/^| `\([a-z_]*\)` | .*bpftrace -e .usdt:L:girt:\1 .*/\1/p' "$guide" | sort -u)
diff <(echo "$notes") <(echo "$listed") || {
    echo "FAILED: in the library (<) or in the guide (>) only"
    exit 1
}
echo "$(wc -l <<<"$notes") probes, all in the guide"

command -v gdb >/dev/null || { echo "no gdb: nothing was watched"; exit 0; }
# It stops at the last push: its breakpoint counts them all.
seen=$(timeout 120 gdb -batch -nx -ex 'set debuginfod enabled off' \
    -ex 'set breakpoint pending on' -ex 'break -probe-stap girt:queue_push' \
    -ex 'ignore 1 29999' -ex run -ex 'info breakpoints' "$example" 2>&1 </dev/null)
grep -q 'Operation not permitted\|ptrace' <<<"$seen" &&
    { echo "gdb may not trace here: nothing was watched"; exit 0; }
grep -q 'already hit 30000 times' <<<"$seen" || {
    echo "FAILED: 30000 items are pushed, and the probe saw:"
    echo "$seen"
    exit 1
}
echo "30000 pushes were watched"
