/* SPDX-License-Identifier: MIT */
/* windows.h - whether a list of admissions keeps a rate in every window. */
#ifndef GIRT_TESTS_WINDOWS_H
#define GIRT_TESTS_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include <girt/limiter.h>

typedef struct admission {
    int64_t now_ns;
    uint64_t tokens;
} admission;

/* Sorts the list by time. The largest excess of any window over
 * burst + w * limit / period, in tokens; 0 when there is none. */
double windows_excess(admission *list, size_t count, const girt_rate *rate);

#endif /* GIRT_TESTS_WINDOWS_H */
