# SPDX-License-Identifier: MIT
# log_totals.awk - hits and bytes of every URL of an access log, by awk alone.
#
# Prints "URL <tab> hits <tab> bytes" for each URL, then "admitted <tab> N" for
# -v burst=B, where each client may have B requests. Any POSIX awk.

function url_of(request)
{
    gsub(/^ +| +$/, "", request)
    if (request ~ / /) {
        sub(/^[^ ]+ +/, "", request)
        sub(/ +HTTP\/[^ ]*$/, "", request)
    }
    return request
}

function count(client, url, size)
{
    gsub(/\\/, "\\x5c", url)
    hits[url]++
    bytes[url] += size == "-" ? 0 : size
    if (++requests[client] <= burst)
        admitted++
}

{ sub(/\r$/, "") }

FNR == 1 && /^host\tlogname\t/ { next }

/^[^ ]+\t/ {
    if (split($0, field, "\t") >= 7 && field[3] ~ /^[0-9]+$/ &&
        field[6] ~ /^[1-9][0-9][0-9]$/ && field[7] ~ /^([0-9]+|-)$/)
        count(field[1], field[5], field[7])
    next
}

match($0, / \[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9][0-9]:[0-9][0-9]:[0-9][0-9] [-+][0-9][0-9][0-9][0-9]\] "([^"\\]|\\.)+" [1-9][0-9][0-9] ([0-9]+|-)( |$)/) {
    client = substr($0, 1, index($0, " ") - 1)
    rest = substr($0, RSTART, RLENGTH)
    sub(/^[^"]*"/, "", rest)
    match(rest, /" [1-9][0-9][0-9] ([0-9]+|-) ?$/)
    request = substr(rest, 1, RSTART - 1)
    split(substr(rest, RSTART + 2), tail, " ")
    count(client, url_of(request), tail[2])
}

END {
    for (url in hits)
        printf "%s\t%.0f\t%.0f\n", url, hits[url], bytes[url]
    printf "admitted\t%.0f\n", admitted
}
