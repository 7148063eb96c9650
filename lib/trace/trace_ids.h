/* SPDX-License-Identifier: MIT */
/* trace_ids.h - numbers that no other thread, process or host makes,
 * a fork's child included. */
#ifndef GIRT_TRACE_TRACE_IDS_H
#define GIRT_TRACE_TRACE_IDS_H

#include <stdint.h>

/* Never 0. Not secret: who sees some can tell the next. */
uint64_t girt__trace_id(void);

/* Two words that differ from all others as a pair, and are not both 0, for the
 * price of one number; their sum is the best of the three. */
typedef struct girt__trace_pair {
    uint64_t word[2];
} girt__trace_pair;
girt__trace_pair girt__trace_pair_next(void);

#endif /* GIRT_TRACE_TRACE_IDS_H */
