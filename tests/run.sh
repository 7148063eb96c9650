#!/usr/bin/env bash
# Builds and runs all tests: Release with assertions, ASan+UBSan, TSan.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset check
cmake --build --preset check -j"$(nproc)"
ctest --preset check
