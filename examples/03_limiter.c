/* SPDX-License-Identifier: MIT */
/* 03_limiter.c - two requests a second for each caller, bursts of three.
 *
 * Time is an argument: the program says when a request came, so that it prints
 * the same on every machine. A server would call girt_keyed_limiter_take, which
 * reads the clock itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <girt/keyed_limiter.h>

#define MS INT64_C(1000000)

static const struct {
    int64_t at_ms;
    const char *caller;
} requests[] = {
    {0, "ann"},   {1, "ann"},   {2, "ann"},   {3, "ann"}, /* one too many */
    {4, "bob"}, /* has a bucket of his own */
    {400, "ann"}, {500, "ann"}, {501, "ann"}, {5000, "ann"},
};

int main(void)
{
    girt_keyed_limiter *limiter;
    girt_status const status = girt_keyed_limiter_create(
        &limiter, &(girt_keyed_limiter_options){
                      .rate = {.limit = 2, .period_ns = 1000 * MS, .burst = 3},
                      .keys = 1000,
                  });
    if (status != GIRT_OK)
        return 1;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const char *const caller = requests[i].caller;
        girt_decision decision;
        girt_keyed_limiter_take_at(limiter, caller, strlen(caller), 1,
                                   requests[i].at_ms * MS, &decision);
        printf("%4" PRId64 " ms  %s  ", requests[i].at_ms, caller);
        if (decision.status == GIRT_OK)
            printf("served, %" PRIu64 " left\n", decision.remaining);
        else
            printf("refused, try again in %" PRId64 " ms\n",
                   decision.retry_after_ns / MS);
    }
    girt_keyed_limiter_destroy(limiter);
    return 0;
}
