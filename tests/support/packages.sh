# SPDX-License-Identifier: MIT
# packages.sh - sourced by examples/run.sh and tests/run.sh: Debian packages.
#
# unpack_program PROGRAM PACKAGE DIR
#   For a package that would start a service: takes the program out of it, into
#   DIR, and puts it on PATH, where it is not there yet. Answers 1, and says so,
#   where that cannot be; what needs it then skips.
#
# need_packages PACKAGE...
#   Installs those that dpkg does not know as installed. Answers 0 when all are
#   there at the end. Without apt-get, or without a way to become root, it
#   prints the command that would install them and answers 1. Everything it
#   says goes to stderr.

# The packages of "$@" that are not installed, one a line.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed || printf '%s\n' "$package"
    done
}

need_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        # Not a Debian: CMake says what it does not find.
        echo "No apt-get here. What Debian calls these is needed: $*" >&2
        return 0
    fi

    local missing become=()
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # a package name has no spaces
    set -- $missing

    if [ "$(id -u)" -ne 0 ]; then
        # -n: never wait for a password nobody is there to type.
        if ! command -v sudo >/dev/null ||
            { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
            echo "These packages are missing; as root, run:" >&2
            echo "    apt-get install $*" >&2
            return 1
        fi
        become=(sudo)
    fi

    echo "Installing: $*" >&2
    local try
    # The package lists may be absent (a fresh machine) or old (a 404): only
    # then are they worth fetching.
    for try in as-is updated; do
        if [ "$try" = updated ]; then
            "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get update -qq >&2 || true
        elif ! apt_lists_present; then
            continue
        fi
        if "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends "$@" >&2; then
            break
        fi
    done

    missing=$(missing_packages "$@")
    if [ -n "$missing" ]; then
        echo "apt-get could not install:" $missing >&2
        return 1
    fi
}

want_packages() {
    need_packages "$@" || echo "Going on without them." >&2
}

apt_lists_present() {
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null
}

unpack_program() {
    local program=$1 package=$2 place=$3
    command -v "$program" >/dev/null && return 0
    if [ ! -x "$place/usr/bin/$program" ]; then
        mkdir -p "$place"
        if ! (cd "$place" && apt-get download -qq "$package" &&
            dpkg-deb -x "$package"_*.deb . && rm "$package"_*.deb) >&2; then
            echo "Without $program: cannot take it from $package" >&2
            return 1
        fi
    fi
    PATH=$PATH:$(realpath "$place")/usr/bin
}
