/* SPDX-License-Identifier: MIT */
/* decision_headers.c - a decision as HTTP header lines, after
 * draft-ietf-httpapi-ratelimit-headers-11.
 *
 * Both fields are lists of one string item with parameters (RFC 8941).  A
 * parameter of our own carries our name, as the draft asks. */
#include <girt/limiter.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

__extension__ typedef unsigned __int128 uwide;

/* The largest integer of a structured field. */
#define FIELD_INTEGER_MAX UINT64_C(999999999999999)
#define SECOND_NS         UINT64_C(1000000000)

static uint64_t field_integer(uwide value)
{
    return value > FIELD_INTEGER_MAX ? FIELD_INTEGER_MAX : (uint64_t)value;
}

static uint64_t whole_seconds(int64_t span_ns)
{
    if (span_ns <= 0)
        return 0;
    return ((uint64_t)span_ns - 1) / SECOND_NS + 1;
}

typedef struct text {
    char *buffer;
    size_t size;
    size_t used; /* of the whole text, however much fits */
} text;

static void append(text *t, const char *before, uint64_t number,
                   const char *after)
{
    size_t const room = t->used < t->size ? t->size - t->used : 0;
    int const written = snprintf(room == 0 ? NULL : t->buffer + t->used, room,
                                 "%s%" PRIu64 "%s", before, number, after);
    if (written > 0)
        t->used += (size_t)written;
}

size_t girt_decision_headers(const girt_decision *decision,
                             const girt_rate *rate, char *buffer, size_t size)
{
    if (decision == NULL || rate == NULL || rate->period_ns <= 0 ||
        (buffer == NULL && size != 0))
        return 0;
    text t = {buffer, size, 0};
    uint64_t const window = whole_seconds(rate->period_ns);
    uwide const quota =
        (uwide)rate->limit * window * SECOND_NS / (uint64_t)rate->period_ns;
    append(&t, "RateLimit-Policy: \"default\";q=", field_integer(quota), "");
    append(&t, ";w=", window, "");
    append(&t, ";girt-burst=", field_integer(rate->burst), "\r\n");
    append(&t, "RateLimit: \"default\";r=", field_integer(decision->remaining),
           "");
    bool const refused = decision->status == GIRT_LIMITED;
    int64_t const until_ns =
        refused ? decision->retry_after_ns : decision->reset_after_ns;
    bool const never = until_ns == INT64_MAX;
    if (!never)
        append(&t, ";t=", whole_seconds(until_ns), "");
    size_t const room = t.used < size ? size - t.used : 0;
    (void)snprintf(room == 0 ? NULL : buffer + t.used, room, "\r\n");
    t.used += 2;
    if (refused && !never)
        append(&t, "Retry-After: ", whole_seconds(until_ns), "\r\n");
    return t.used;
}
