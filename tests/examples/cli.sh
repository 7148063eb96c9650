# SPDX-License-Identifier: MIT
# cli.sh - sourced by what tests a command line, with `program` set to an array:
# the program and what it is always given.  Goes to a scratch folder that is
# removed at the end; paths from outside must be absolute by then.
#
# fail TEXT...                          ends the test
# expect STATUS PATTERN ARGUMENT...     runs it; `out` and `err` are its words

export LC_ALL=C
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail() {
    echo "FAILED: $*"
    cat out err 2>/dev/null || true
    exit 1
}

expect() {
    local wanted=$1 pattern=$2 status=0
    shift 2
    "${program[@]}" "$@" >out 2>err || status=$?
    [ "$status" -eq "$wanted" ] || fail "status $status, not $wanted: $*"
    grep -aqE -e "$pattern" out err || fail "no '$pattern': $*"
}
