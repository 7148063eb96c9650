#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: an example prints what its reader was told.
# Method: its standard output against the file, byte by byte.
#
# usage: same_output.sh EXPECTED PROGRAM
set -euo pipefail
"$2" | diff -u "$1" -
