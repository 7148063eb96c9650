/* SPDX-License-Identifier: MIT */
/* windows.c - all windows at once: with S_k the tokens up to the k-th admission
 * at t_k, the window from i to k is within the bound if
 * S_k * period - t_k * limit <= burst * period + S_{i-1} * period - t_i *
 * limit, so the least right side so far is enough to know. */
#include "support/windows.h"

#include <stdlib.h>

__extension__ typedef __int128 wide;

static int by_time(const void *a, const void *b)
{
    const admission *const x = a, *const y = b;
    return (x->now_ns > y->now_ns) - (x->now_ns < y->now_ns);
}

double windows_excess(admission *list, size_t count, const girt_rate *rate)
{
    qsort(list, count, sizeof *list, by_time);
    wide sum = 0, least = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        wide const gone = (wide)list[i].now_ns * (wide)rate->limit;
        wide const before = sum * rate->period_ns - gone;
        if (i == 0 || before < least)
            least = before;
        sum += list[i].tokens;
        wide const excess = sum * rate->period_ns - gone - least -
                            (wide)rate->burst * rate->period_ns;
        if (excess > worst)
            worst = excess;
    }
    return (double)worst / (double)rate->period_ns;
}
