#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Goal: top shows a running program's numbers as they change, obeys its keys,
# follows the terminal's size, and outlives the program.
# Method: examples/07_serve on a free port, top in a terminal of tmux, whose
# text is looked at until it is what it must be (or 30 s are over).
#
# usage: top_tmux.sh TOP SERVE       status 77: no tmux here
set -euo pipefail
export LC_ALL=C.UTF-8
unset NO_COLOR TMUX
top=$(realpath "$1")
serve=$(realpath "$2")
if ! command -v tmux >/dev/null; then
    echo "skipped: no tmux here"
    exit 77
fi
scratch=$(mktemp -d)
export TMUX_TMPDIR=$scratch
mux() { tmux -L girt-top -f /dev/null -u "$@"; }
cleanup() {
    mux kill-server 2>/dev/null || true
    exec 9>&- || true # the program's input: it ends
    wait
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
cd "$scratch"

screen() { mux capture-pane -p -t top "$@"; }
fail() {
    echo "FAILED: $*"
    screen || true
    exit 1
}

# until_screen PATTERN | until_screen -v PATTERN: a line (no line) has it.
until_screen() {
    local pattern=$1 wanted=0 got
    if [ "$1" = -v ]; then
        pattern=$2
        wanted=1
    fi
    for ((end = SECONDS + 30; SECONDS < end;)); do
        got=0
        screen >now.txt
        grep -qE -e "$pattern" now.txt || got=1
        [ "$got" -eq "$wanted" ] && [ -s now.txt ] && return 0
        sleep 0.1
    done
    fail "the screen: $*"
}

start_top() { # WIDTH HEIGHT ENVIRONMENT...
    local width=$1 height=$2
    shift 2
    rm -f status
    mux new-session -d -s top -x "$width" -y "$height" \
        "env $* '$top' -i 0.3 $port; echo \$? >status"
}
until_over() {
    for ((end = SECONDS + 30; SECONDS < end;)); do
        [ -s status ] && return 0
        sleep 0.1
    done
    fail "top does not end"
}

mkfifo input
"$serve" 0 <input >address &
exec 9>input
for ((end = SECONDS + 30; SECONDS < end;)); do
    grep -qs metrics address && break
    sleep 0.1
done
port=$(sed -nE 's|.*:([0-9]+)/metrics|\1|p' address)
[ -n "$port" ] || fail "07_serve says no port"

# Without a terminal: two scrapes, the rates between them.
for ((i = 0; i < 10; i++)); do # on a busy machine the program may hardly run
    "$top" --once -i 1 "$port" >once.txt
    awk '$1 == "jobs" && $2 > 0 && $3 == 100 && $4 > 0 && $5 > 0 { queue = 1 }
         $1 == "logins" && $2 > 0 && $3 > 0 { limiter = 1 }
         END { exit !(queue && limiter) }' once.txt && break
done
if [ "$i" -eq 10 ]; then
    cat once.txt
    fail "--once"
fi

# What is there, but no metrics.
if "$top" --once "http://127.0.0.1:$port/nothing" >once.txt 2>&1; then fail "status 404"; fi
grep -q 404 once.txt || fail "no word about status 404"

# Live values, and they change.
start_top 100 30
until_screen '^QUEUE +DEPTH CAPACITY +PUSH/S'
until_screen '^jobs +(4[0-9]|3[0-9]) +100 +[0-9.]*[1-9][0-9.]* +[0-9.]*[1-9][0-9.]* +0 '
until_screen '^prices +[0-9.]+ +[0-9.]*[1-9][0-9.]* '
until_screen '^shop +(open|half_open|closed) +[0-9]'
first=$(screen | grep '^logins')
for ((end = SECONDS + 30; SECONDS < end;)); do
    [ "$(screen | grep '^logins')" = "$first" ] || break
    sleep 0.1
done
[ "$(screen | grep '^logins')" != "$first" ] || fail "nothing changes"
# The limiter refuses: yellow, where the terminal has it.
for ((end = SECONDS + 30; SECONDS < end;)); do
    screen -e | grep logins >colour.txt || true
    grep -q $'\e\[[0-9;]*33m' colour.txt && break
    sleep 0.1
done
grep -q $'\e\[[0-9;]*33m' colour.txt || fail "no colour"

# Keys.
until_screen 'QUEUE by name'
mux send-keys -t top h
until_screen 'shift tab'
until_screen -v '^jobs'
mux send-keys -t top h
until_screen '^jobs'
mux send-keys -t top Space
until_screen '^PAUSED'
paused=$(screen)
sleep 1 # three intervals
[ "$(screen)" = "$paused" ] || fail "paused, and it changes"
mux send-keys -t top Space
until_screen -v '^PAUSED'
mux send-keys -t top Tab
until_screen 'CACHE by name'
mux send-keys -t top '>' Right
until_screen 'CACHE by HIT/S'
mux send-keys -t top r
until_screen 'CACHE by HIT/S, reversed'
mux send-keys -t top '<'
until_screen 'CACHE by HIT % '
mux send-keys -t top o
until_screen -v '^jobs'
until_screen '^prices'
mux send-keys -t top o BTab
until_screen 'QUEUE by name'
until_screen '^jobs'

# The size: cut, scrolled, and wide again.
mux resize-window -t top -x 40 -y 6
until_screen '^jobs +[0-9]+ +100$'
until_screen -v '^shop'
[ "$(screen | awk 'length > 40' | wc -l)" -eq 0 ] || fail "wider than the screen"
mux send-keys -t top End
until_screen '^shop'
until_screen -v '^jobs'
mux send-keys -t top Up Up Up
until_screen -v '^shop'
mux send-keys -t top Home
until_screen '^jobs'
for size in '1 1' '2 1' '20 2' '3 40'; do
    mux resize-window -t top -x "${size% *}" -y "${size#* }"
    sleep 0.2
done
mux resize-window -t top -x 130 -y 30
until_screen '^CACHE .* EXPIRE/S'

# The program ends; what was seen last stays, and why there is no more.
echo >&9
until_screen '^(Failed to connect|.*refused|.*connect).*girt top'
until_screen '^jobs'
mux send-keys -t top q
until_over
[ "$(cat status)" = 0 ] || fail "status $(cat status)"

# A terminal without colours; nobody there to answer.
start_top 80 24 NO_COLOR=1
until_screen 'onnect'
if screen -e | grep -q $'\e\[[0-9;]*3[1-7]m'; then fail "colours all the same"; fi
mux send-keys -t top q
until_over
echo "all as promised"
