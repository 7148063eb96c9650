/* SPDX-License-Identifier: MIT */
/* access_log.h - one line of a web server's access log, taken apart.
 *
 * Two forms are told apart line by line:
 *
 *   Common and Combined Log Format
 *     host ident user [01/Aug/1995:00:00:01 -0400] "GET /a HTTP/1.0" 200 1839
 *     and what may follow: "referer" "user agent".
 *   Tab-separated, as the NASA trace of August 1995 is published
 *     host logname time method url response bytes [referer useragent]
 *     with the time in seconds of the Unix epoch.
 *
 * The text may come from anywhere: nothing here reads past the line, and a
 * line that is no request gets a reason instead of a guess. */
#ifndef GIRT_EXAMPLES_ACCESS_LOG_H
#define GIRT_EXAMPLES_ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A longer line is no request. */
#define ACCESS_LINE_MAX 65536

/* 256 GiB.  No sum over a text of 1 GiB, whose lines have some 30 bytes at
 * least, wraps then. */
#define ACCESS_BYTES_MAX ((uint64_t)1 << 38)

/* One request. The pointers point into the line: it must outlive this. */
typedef struct access_entry {
    const char *client;
    const char *url;
    uint32_t client_size; /* bytes, 1 and up */
    uint32_t url_size;    /* bytes, 1 and up; "-" where no request was sent */
    uint64_t bytes;       /* of the response; "-" counts as 0 */
    int64_t time_s;       /* since the Unix epoch */
    uint32_t status;      /* 100 .. 999 */
} access_entry;

/* Why a line is no request: X(name, text after "n lines:"). */
#define ACCESS_FAULT_MAP(X)                                                    \
    X(ACCESS_FINE, "fine")                                                     \
    X(ACCESS_BLANK, "blank")                                                   \
    X(ACCESS_TOO_LONG, "over 64 KiB")                                          \
    X(ACCESS_BINARY, "a NUL byte")                                             \
    X(ACCESS_NO_CLIENT, "no client")                                           \
    X(ACCESS_NO_TIME, "no valid time")                                         \
    X(ACCESS_NO_REQUEST, "no quoted request or URL")                           \
    X(ACCESS_NO_STATUS, "no status of three digits")                           \
    X(ACCESS_NO_BYTES, "no valid byte count")

typedef enum access_fault {
#define ACCESS_FAULT_ENTRY(name, text) name,
    ACCESS_FAULT_MAP(ACCESS_FAULT_ENTRY)
#undef ACCESS_FAULT_ENTRY
        ACCESS_FAULTS /* how many there are */
} access_fault;

/* Takes `size` bytes at `line` apart; a newline at the end is not part of the
 * line, a carriage return there is dropped. *entry changes on ACCESS_FINE
 * only. */
access_fault access_parse(const char *line, size_t size, access_entry *entry);

/* A few words for people: "no valid time". */
const char *access_fault_text(access_fault fault);

/* Is this the header line of the tab-separated form? */
bool access_is_header(const char *line, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* GIRT_EXAMPLES_ACCESS_LOG_H */
