/* SPDX-License-Identifier: MIT */
/* Goal: each policy misses what it should on real traces: within 0.5 % of the
 * figures of the field's simulator (libCacheSim, unit sizes).  Method: the
 * short traces through a cache of one shard, bounded by entries. */
#include <math.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/shared.h"
#include "support/trace.h"

typedef struct expectation {
    const char *file;
    size_t entries;
    double lru, sieve, s3fifo;
} expectation;

static const expectation expectations[] = {
    {"web07.trace.xz", 204, 0.6085, 0.5768, 0.5621},
    {"web07.trace.xz", 2048, 0.4434, 0.4207, 0.4188},
    {"web12.trace.xz", 137, 0.6030, 0.5975, 0.5900},
    {"web12.trace.xz", 1375, 0.3152, 0.2828, 0.2775},
    {"adapt_size_request.trace.xz", 368, 0.7571, 0.7386, 0.7356},
    {"adapt_size_request.trace.xz", 3681, 0.6581, 0.6250, 0.6256},
    {"corda_trace_vaultservice.gz", 904, 0.6667, 0.9934, 0.6667},
    {"corda_trace_vaultservice.gz", 9046, 0.6667, 0.9334, 0.6667},
    {"nasa_19950801.tsv", 208, 0.2475, 0.2071, 0.2019},
    {"apache_combined.log", 149, 0.3459, 0.2996, 0.2995},
};

static bool read_shared(trace *t, const char *file)
{
    char name[512];
    const char *const root = getenv("GIRT_SHARED");
    snprintf(name, sizeof name, "%s/traces/%s%s",
             root != NULL ? root : GIRT_TEST_SHARED,
             strncmp(file, "web", 3) == 0 ? "cache2k_" : "", file);
    return trace_read(t, name, SIZE_MAX);
}

static void check_near(const trace *t, const expectation *e,
                       girt_cache_policy policy, double expected)
{
    const double misses = trace_misses(t, policy, e->entries);
    if (fabs(misses - expected) > 0.005)
        fail_msg("%s, %zu entries, policy %d: misses %.4f, expected %.4f",
                 e->file, e->entries, (int)policy, misses, expected);
}

static void policies_miss_what_they_should(void **state)
{
    (void)state;
    size_t seen = 0;
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        const expectation *const e = &expectations[i];
        trace t;
        if (!read_shared(&t, e->file))
            continue;
        seen++;
        check_near(&t, e, GIRT_CACHE_DEFAULT, e->s3fifo);
        check_near(&t, e, GIRT_CACHE_LRU, e->lru);
        check_near(&t, e, GIRT_CACHE_SIEVE, e->sieve);
        trace_free(&t);
    }
    if (seen == 0)
        skip_because("no traces beside the checkout");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_miss_what_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
