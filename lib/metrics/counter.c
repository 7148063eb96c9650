/* SPDX-License-Identifier: MIT */
/* counter.c - adding where no other CPU adds.
 *
 * A counter is a tally (core/tally.h) whose words are the arena's: 64 of them,
 * a line apart, beside those of 15 other counters. In shared memory two threads
 * may have one index, so that every addition is atomic there. */
#include <girt/metrics.h>

#include "core/atomic.h"
#include "metrics/metrics_internal.h"

girt_status girt_counter_create(girt_counter **out, girt_metrics *metrics,
                                const char *name, const char *help,
                                const char *const labels[])
{
    void *object;
    if (out == NULL)
        return GIRT_E_INVALID;
    girt_status const status = girt__metrics_find_or_make(
        metrics, GIRT__METRIC_COUNTER, name, help, labels, &object);
    if (status == GIRT_OK)
        *out = object;
    return status;
}

/* Processes have threads of the same index. */
static void add_shared(const girt_counter *counter, uint32_t thread_index,
                       uint64_t amount)
{
    uint32_t const cell =
        girt__shared_cell(thread_index, counter->turn, GIRT__TALLY_CELLS - 1);
    (void)girt_add_relaxed(&counter->tally.words[cell * GIRT__TALLY_STEP],
                           amount);
}

void girt_counter_add(girt_counter *counter, uint64_t amount)
{
    uint32_t const index = girt__thread_index();
    if (girt_unlikely(counter->shared))
        add_shared(counter, index, amount);
    else
        girt__tally_add_at(&counter->tally, index, 0, amount);
}

uint64_t girt_counter_value(const girt_counter *counter)
{
    return girt__tally_sum(&counter->tally, 0);
}
