#!/usr/bin/env bash
# Builds for arm64 and runs the C tests under qemu's user mode, on a Debian of
# another kind; a tenth as long as they are, since it is slow.  Debian's arm64
# libraries are unpacked into the build folder, none is installed.
#
# Not an arm64 machine: it shows that everything compiles, and runs, with that
# instruction set and its locks; the orders of a weak memory are looked for by
# tests/schedule.
#
# usage: tests/arm64/run.sh [CTEST_OPTION...]     e.g. tests/arm64/run.sh -R mpmc
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/support/packages.sh

need_packages gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user \
    cmake ninja-build pkg-config python3

tree=$PWD/build/arm64
export GIRT_ARM64_ROOT=$tree/root
if [ ! -d "$GIRT_ARM64_ROOT" ]; then
    # An apt that knows of arm64 only, and of nothing that is installed.
    mkdir -p "$tree"/apt/{lists/partial,cache/archives/partial}
    : >"$tree/apt/status"
    apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64
        -o Dir::State="$tree/apt" -o Dir::State::status="$tree/apt/status"
        -o Dir::Cache="$tree/apt/cache" -o APT::Sandbox::User=root)
    "${apt[@]}" update >&2 || true # a source without arm64 is no matter
    (cd "$tree/apt" && "${apt[@]}" download libck-dev libck0 libcmocka-dev \
        libcmocka0 libxxhash-dev libxxhash0)
    for package in "$tree"/apt/*.deb; do
        dpkg-deb -x "$package" "$GIRT_ARM64_ROOT.part"
    done
    mv "$GIRT_ARM64_ROOT.part" "$GIRT_ARM64_ROOT"
fi

cmake -S . -B "$tree" -G Ninja --log-level=WARNING \
    -D CMAKE_TOOLCHAIN_FILE="$PWD/tests/arm64/toolchain.cmake" \
    -D CMAKE_BUILD_TYPE=Release -D GIRT_ASSERTIONS=ON -D GIRT_BENCHMARKS=OFF
cmake --build "$tree" -j"$(nproc)"

# What the emulator (7.2) is at fault for:
emulator=(
    test_alloc                  # starts itself: qemu must be a binary format
    test_epoch test_thread      # fork with threads: qemu's own assertion
    test_process                # qemu makes up /proc/self/stat,
    test_shared_parts test_channel stress_shared_killed # so that the
                                # killed pass for alive, or not each time
    test_workers                # no limit on threads holds inside qemu
)
export GIRT_TEST_SCALE=${GIRT_TEST_SCALE:-0.1}
exec ctest --test-dir "$tree" --output-on-failure -j"$(nproc)" \
    -L 'unit|model|fail|schedule|stress' \
    -E "^($(IFS='|' && echo "${emulator[*]}"))\$" "$@"
