/* SPDX-License-Identifier: MIT */
/* status.h - what every call answers.
 *
 * Three kinds, never mixed: outcomes are ordinary answers (>= 0), failures are
 * negative and changed nothing, misuse (two producers on an spsc, use after
 * destroy) is an assertion and has no status.  Numbers are pinned and never
 * reused; use the names. */
#ifndef GIRT_STATUS_H
#define GIRT_STATUS_H

#include <stdint.h>

#include <girt/export.h>

GIRT_BEGIN

/** The only list of statuses: X(name, number, text). */
#define GIRT_STATUS_MAP(X)                                                     \
    X(GIRT_OK, 0, "done")                                                      \
    X(GIRT_EMPTY, 1, "nothing to take")                                        \
    X(GIRT_FULL, 2, "no room")                                                 \
    X(GIRT_CLOSED, 3, "closed")                                                \
    X(GIRT_TIMEOUT, 4, "the time limit passed")                                \
    X(GIRT_MISSING, 5, "no such entry")                                        \
    X(GIRT_EXISTS, 6, "there already")                                         \
    X(GIRT_LIMITED, 7, "over the limit for now")                               \
    X(GIRT_NEVER, 8, "asks for more than the bound ever allows")               \
    X(GIRT_REJECTED, 9, "turned away")                                         \
    X(GIRT_E_INVALID, -1, "argument outside its documented range")             \
    X(GIRT_E_NOMEM, -2, "out of memory")                                       \
    X(GIRT_E_TOO_LARGE, -3, "larger than the documented maximum")              \
    X(GIRT_E_BUSY, -4, "in use")                                               \
    X(GIRT_E_SYSTEM, -5, "a system call failed, errno tells more")             \
    X(GIRT_E_IO, -6, "the peer is unreachable or broke off")                   \
    X(GIRT_E_PROTOCOL, -7, "the peer answered nonsense")                       \
    X(GIRT_E_CORRUPT, -8, "the data fails its checks")

/** What a call answers; see GIRT_STATUS_MAP for the meaning of each. */
typedef enum girt_status {
#define GIRT_STATUS_ENTRY(name, number, text) name = number,
    GIRT_STATUS_MAP(GIRT_STATUS_ENTRY)
#undef GIRT_STATUS_ENTRY
} girt_status;

/** As timeout_ns: do not wait. */
#define GIRT_NOW 0
/** As timeout_ns: wait without limit. */
#define GIRT_FOREVER INT64_MAX

/**
 * The name of a status, as in the source: "GIRT_FULL".
 *
 * @param status  any value.
 * @return  a constant string; "GIRT_?" for a number that is no status.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API const char *girt_status_name(girt_status status);

/**
 * A status in a few words of English, for logs: "no room".
 *
 * @param status  any value.
 * @return  a constant string; "unknown status" for a number that is none.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API const char *girt_status_text(girt_status status);

GIRT_END

#endif /* GIRT_STATUS_H */
