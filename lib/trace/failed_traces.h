/* SPDX-License-Identifier: MIT */
/* failed_traces.h - the traces with a failed span that were seen last. */
#ifndef GIRT_TRACE_FAILED_TRACES_H
#define GIRT_TRACE_FAILED_TRACES_H

#include <stdbool.h>
#include <stdint.h>

enum { GIRT__FAILED_TRACES = 1024 /* a power of two */ };

/* A hash table over a ring: the oldest makes room. All zero: none. */
typedef struct girt__failed_traces {
    uint64_t ids[GIRT__FAILED_TRACES][2];    /* in order of arrival, a ring */
    uint16_t slots[2 * GIRT__FAILED_TRACES]; /* 1 + index in ids; 0: free */
    uint64_t count;                          /* that came so far */
} girt__failed_traces;

void girt__failed_traces_add(girt__failed_traces *failed, const uint64_t id[2]);
bool girt__failed_traces_has(const girt__failed_traces *failed,
                             const uint64_t id[2]);

#endif /* GIRT_TRACE_FAILED_TRACES_H */
