#!/usr/bin/env bash
# Goal: the rules that a script can hold are held.  Method: grep and wc over the
# sources; clang-format where it is installed.
# usage: check_style.sh SOURCE_DIR
set -uo pipefail
cd "$1" || exit 1
failed=0
complain() {
    echo "FAILED: $1"
    failed=$((failed + 1))
}

# None of these words, spelled apart so that this file holds none either.
if grep -rnEw "TO""DO|FIX""ME|X""XX" lib include tests examples benchmarks docs; then
    complain "unfinished work is marked above"
fi
while read -r lines path; do
    complain "$path has $lines lines: more than one concept"
done < <(find lib include \( -name '*.[ch]' -o -name '*.hpp' \) -exec wc -l {} + | awk '$2 != "total" && $1 > 600')
if find include lib tests examples benchmarks -name '*.[ch]' -print0 |
    xargs -0 grep -LE '^/\* SPDX-License-Identifier: MIT \*/' | grep .; then
    complain "no licence line at the head of the files above"
fi
if find include lib tests examples benchmarks \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
    xargs -0 grep -LE '^(/\*|//) SPDX-License-Identifier: MIT' | grep .; then
    complain "no licence line at the head of the files above"
fi
# One vocabulary of atomics in lib, and no calls that a library must not make.
if grep -rnE '__atomic_|__sync_|\bvolatile\b' lib --include='*.[ch]' |
    grep -vE '^lib/core/(atomic\.h|assert\.c)|__asm__|asm volatile|\* '; then
    complain "bare atomics or volatile in lib (above)"
fi
if grep -rnE '\b(printf|puts|exit|abort|getenv|sprintf|strcpy|strcat|rand|signal|sigaction)\(' \
    lib --include='*.[ch]' | grep -vE '^lib/core/assert\.c|: ?\*|^[^:]*:[0-9]*: *(/\*|\*)'; then
    complain "a call that the library must not make (above)"
fi
if grep -rnE '\b(malloc|calloc|realloc|free|posix_memalign|aligned_alloc)\(' lib --include='*.[ch]' |
    grep -vE '^lib/core/alloc\.c|^[^:]*:[0-9]*: *(/\*|\*)'; then
    complain "memory not taken through core/alloc (above)"
fi
# File names say the concept, once in the tree.
if find lib include tests examples benchmarks -name '*.c' -printf '%f\n' | sort | uniq -d | grep .; then
    complain "the file names above stand twice"
fi
for header in include/girt/*.h; do
    name=$(basename "$header" .h)
    case $name in girt | export | version) continue ;; esac
    [ -e "tests/unit/test_$name.c" ] || complain "no tests/unit/test_$name.c for $header"
done
for run in examples/run.sh tests/run.sh .ci/run; do
    [ -e "$run" ] && ! bash -n "$run" && complain "$run does not parse"
done
echo "$failed failures"
exit $((failed > 0))
