#!/usr/bin/env bash
# Installs what is missing, then builds and runs all tests: in Release with
# assertions (gcc), under AddressSanitizer and UndefinedBehaviorSanitizer, and
# the concurrent ones under ThreadSanitizer (clang).  One ctest runs them all
# and its summary is the last thing printed; the exit status is its.
#
# usage: tests/run.sh [CTEST_OPTION...]     e.g. tests/run.sh -R mpmc
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/support/packages.sh

need_packages gcc g++ clang cmake ninja-build pkg-config libc6-dev \
    libck-dev libjemalloc-dev libcmocka-dev libxxhash-dev \
    doxygen python3 gnuplot-nox gawk librsvg2-bin dpkg-dev file
# The sanitizers' runtimes come apart from the compiler, by its version.
if command -v apt-get >/dev/null; then
    need_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
fi
# Without these a part is not built, or a test says what it skips.
want_packages libmicrohttpd-dev python3-prometheus-client chromium \
    libncurses-dev libcurl4-openssl-dev tmux python3-pip python3-setuptools python3-wheel mypy
unpack_program promtool prometheus build/prometheus || true

configure() { # preset
    local tree=build/$1
    # A tree that exists keeps its generator.
    if [ -e "$tree/CMakeCache.txt" ]; then
        cmake --preset "$1" --log-level=WARNING
    else
        cmake --preset "$1" --log-level=WARNING -G Ninja
    fi
}

# Only a failure is worth reading.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for preset in check asan tsan; do
    echo "Building $preset ..."
    if ! { configure "$preset" && cmake --build --preset "$preset" -j"$(nproc)"; } >"$log" 2>&1; then
        cat "$log"
        exit 1
    fi
done
rm -f "$log"

# One run over the three trees; their tests are named apart (asan/, tsan/).
mkdir -p build/all
printf 'subdirs("%s")\n' "$PWD/build/check" "$PWD/build/asan" "$PWD/build/tsan" \
    >build/all/CTestTestfile.cmake
exec ctest --test-dir build/all --output-on-failure -j"$(nproc)" "$@"
