/* SPDX-License-Identifier: MIT */
/* limiter_report.c - what a limiter tells a registry of metrics. */
#include "limiter/limiter_internal.h"

#include "core/clock_internal.h"

enum { ALLOWED, LIMITED, TAKEN, TOKENS, COUNTERS = TOKENS };

static const girt__series limiter_series[] = {
    [ALLOWED] = {"girt_limiter_allowed_total", GIRT__SERIES_COUNTER, NULL,
                 "Requests that the limiter let pass."},
    [LIMITED] = {"girt_limiter_limited_total", GIRT__SERIES_COUNTER, NULL,
                 "Requests that came too soon, or for more than the burst."},
    [TAKEN] = {"girt_limiter_taken_total", GIRT__SERIES_COUNTER, NULL,
               "Tokens of the requests that passed."},
    [TOKENS] = {"girt_limiter_tokens", GIRT__SERIES_GAUGE, NULL,
                "Tokens that could be taken right now, leases aside."},
};

void girt__limiter_count(const girt_limiter *limiter, uint64_t tokens,
                         girt_status status)
{
    uint32_t const thread_index = girt__thread_index();
    const girt__tally *const tally = &limiter->report->tally;
    if (status != GIRT_OK) {
        girt__tally_add_at(tally, thread_index, LIMITED, 1);
        return;
    }
    girt__tally_add_at(tally, thread_index, ALLOWED, 1);
    girt__tally_add_at(tally, thread_index, TAKEN, tokens);
}

static void collect(void *object, girt__sink *sink)
{
    const girt_limiter *const limiter = object;
    for (size_t i = 0; i < COUNTERS; i++)
        girt__sink_counter(sink, &limiter_series[i], NULL,
                           girt__report_sum(limiter->report, i));
    girt_decision decision;
    (void)girt__limiter_peek_at(limiter, 0, girt__clock_now(&limiter->clock),
                                &decision);
    girt__sink_gauge(sink, &limiter_series[TOKENS], NULL,
                     (double)decision.remaining);
}

girt_status girt__limiter_report(girt_limiter *limiter,
                                 const girt_limiter_options *options)
{
    return girt__report_create(&limiter->report,
                               &(girt__report_plan){
                                   .allocator = &limiter->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "limiter",
                                   GIRT__SERIES(limiter_series),
                                   .counters = COUNTERS,
                                   .object = limiter,
                                   .collect = collect,
                               });
}
