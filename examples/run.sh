#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing (Debian), builds in Release, and runs the spike: an
# access log replayed as one burst, behind one lock and on girt. With --cascade
# first, the other large one: a slow service, without guards and with girt's.
# With --top first, a terminal view of a running program's metrics.
#
# usage: examples/run.sh [OPTION]... [LOG]     -h lists the options
#        examples/run.sh --cascade [OPTION]...
#        examples/run.sh --top [OPTION]... [TARGET]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=spike
targets=(spike)
more=()
case ${1-} in
--cascade)
    program=cascade
    targets=(cascade)
    shift
    ;;
--top)
    program=top
    targets=(top example_07_serve) # which is a program to look at
    more=(libncurses-dev libcurl4-openssl-dev libmicrohttpd-dev)
    shift
    ;;
esac
source "$root/tests/support/packages.sh"

need_packages gcc g++ make cmake pkg-config libc6-dev \
    libck-dev libjemalloc-dev libxxhash-dev libcmocka-dev gnuplot-nox \
    ${more[@]+"${more[@]}"}

# The presets stand in the source folder; a log is named from where we are.
build() {
    cd "$root"
    cmake --preset release --log-level=WARNING
    cmake --build --preset release --target "${targets[@]}" --parallel "$(nproc)"
}

# Only a failure is worth reading. It all goes to stderr: stdout is the program's.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Building (Release) ..." >&2
if ! (build) >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
rm -f "$log"
exec "$root/build/examples/$program" "$@"
