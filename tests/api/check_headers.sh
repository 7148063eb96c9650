#!/usr/bin/env bash
# Goal: every public header stands alone, in C11, C++17 and C++20, called and
# inlined; those of C++ in the latter two.  Method: compile a file that includes
# just it, twice, with warnings as errors; look at what it includes.
# usage: check_headers.sh INCLUDE_DIR C_COMPILER CXX_COMPILER
set -uo pipefail
include=$1 cc=$2 cxx=$3
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only -I "$include")
failed=0 count=0

try() { # what command...
    local what=$1
    shift
    count=$((count + 1))
    "$@" || { echo "FAILED: $what"; failed=$((failed + 1)); }
}

while read -r path; do
    header=${path#"$include"/}
    source="#include <$header>
#include <$header>
int main(void) { return 0; }"
    for define in -DGIRT_PLAIN_CALLS -DGIRT_INLINE_FAST; do
        [[ $header == *.hpp ]] ||
            try "$header as c11 $define" "$cc" -x c -std=c11 $define "${warnings[@]}" - <<<"$source"
        for standard in c++17 c++20; do
            try "$header as $standard $define" "$cxx" -x c++ -std=$standard $define "${warnings[@]}" - <<<"$source"
        done
    done
    # Standard headers and girt's own only.
    [[ $header == *.hpp ]] && allowed='<(girt/[a-z0-9_/]+\.hp*|[a-z_]+)>' ||
        allowed='<(girt/[a-z0-9_/]+\.h|std(arg|bool|def|int|lib|io)\.h|limits\.h|string\.h|emmintrin\.h|arm_neon\.h)>'
    if grep -nE '^ *# *include' "$path" |
        grep -vE "$allowed"; then
        echo "FAILED: $header includes what a public header must not"
        failed=$((failed + 1))
    fi
done < <(find "$include" -name '*.h' -o -name '*.hpp' | sort)

# GIRT_INLINE_FAST comes too late: no body must become a function of the program.
object=$(mktemp)
trap 'rm -f "$object"' EXIT
for header in girt.h girt.hpp; do
    try "$header after a header for plain calls" \
        "$cxx" -x c++ -std=c++17 -I "$include" -c -o "$object" - <<<"#include <girt/status.h>
#define GIRT_INLINE_FAST
#include <girt/$header>"
    if nm "$object" | grep ' T girt_'; then
        echo "FAILED: $header defines functions"
        failed=$((failed + 1))
    fi
done

[ "$count" -gt 0 ] || { echo "no header found below $include"; exit 1; }
echo "$count compilations, $failed failed"
exit $((failed > 0))
