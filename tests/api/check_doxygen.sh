#!/usr/bin/env bash
# Goal: the reference documents everything, without a warning.  Method: Doxygen
# with warnings as errors over the public headers and the pages.
# usage: check_doxygen.sh SOURCE_DIR OUTPUT_DIR
set -euo pipefail
command -v doxygen >/dev/null || { echo "skipped: no doxygen"; exit 77; }
# Its links between pages end at a space of the path.
[[ $1 != *[[:space:]]* ]] || { echo "skipped: a space in $1"; exit 77; }
mkdir -p "$2"
cd "$1"
{ cat docs/Doxyfile; printf 'OUTPUT_DIRECTORY = "%s"\n' "$2"; } | doxygen -
echo "written to $2/html"
