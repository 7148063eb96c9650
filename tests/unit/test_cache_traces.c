/* SPDX-License-Identifier: MIT */
/* Goal: each policy misses what it should on real traces: the figures of the
 * field's simulator (libCacheSim, unit sizes), within 0.5 % of all requests.
 * Method: traces through a cache of one shard, bounded by entries; the long
 * ones only when GIRT_TEST_SCALE asks for more. */
#include <math.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/shared.h"
#include "support/trace.h"

enum { SIZES = 3, POLICIES = 4, SHORT_TRACES = 6 };
static const double tolerance = 0.005;

typedef struct expectation {
    size_t entries;
    double misses[POLICIES];
} expectation;

static const girt_cache_policy policies[POLICIES] = {
    GIRT_CACHE_LRU, GIRT_CACHE_SIEVE, GIRT_CACHE_S3FIFO, GIRT_CACHE_TINYLFU};

static const struct {
    const char *file;
    expectation rows[SIZES];
} traces[] = {
    {"apache_combined.log", {{149, {0.3459, 0.2996, 0.2995, 0.3121}}}},
    {"nasa_19950801.tsv", {{208, {0.2475, 0.2071, 0.2019, 0.2038}}}},
    {"adapt_size_request.trace.xz",
     {{368, {0.7571, 0.7386, 0.7356, 0.7726}},
      {3681, {0.6581, 0.6250, 0.6256, 0.6520}}}},
    {"cache2k_web07.trace.xz",
     {{204, {0.6085, 0.5768, 0.5621, 0.6095}},
      {2048, {0.4434, 0.4207, 0.4188, 0.4414}}}},
    {"cache2k_web12.trace.xz",
     {{137, {0.6030, 0.5975, 0.5900, 0.6290}},
      {1375, {0.3152, 0.2828, 0.2775, 0.2947}}}},
    {"corda_trace_vaultservice.gz",
     {{904, {0.6667, 0.9934, 0.6667, 0.9916}},
      {9046, {0.6667, 0.9334, 0.6667, 0.6667}}}},
    {"arc_OLTP.lis.zst",
     {{186, {0.8628, 0.9103, 0.8229, 0.8324}},
      {1868, {0.5837, 0.5971, 0.5353, 0.6305}},
      {18688, {0.3348, 0.3334, 0.3222, 0.3619}}}},
    {"scarab_scarab-recs.trace.xz",
     {{258, {0.8174, 0.7944, 0.7719, 0.8013}},
      {2583, {0.6529, 0.5919, 0.5725, 0.5922}},
      {25836, {0.3940, 0.3909, 0.3718, 0.3893}}}},
    {"arc_P3.lis.zst",
     {{762, {0.9906, 0.9937, 0.9918, 0.9963}},
      {7625, {0.9841, 0.9714, 0.9597, 0.9564}},
      {76254, {0.8319, 0.7517, 0.6609, 0.6993}}}},
    {"cache2k_orm-busy.trace.xz",
     {{763, {0.2297, 0.2947, 0.2436, 0.4033}},
      {7634, {0.1199, 0.1188, 0.1111, 0.1176}}}},
    {"cache2k_orm-night.trace.xz",
     {{864, {0.3376, 0.3853, 0.3539, 0.4769}},
      {8646, {0.0652, 0.0631, 0.0595, 0.0759}}}},
};
enum { TRACES = sizeof traces / sizeof *traces };

static bool read_shared(trace *t, const char *file)
{
    char name[512];
    const char *const root = getenv("GIRT_SHARED");
    snprintf(name, sizeof name, "%s/traces/%s",
             root != NULL ? root : GIRT_TEST_SHARED, file);
    return trace_read(t, name, SIZE_MAX);
}

static void check_row(const trace *t, const char *file, const expectation *e)
{
    for (size_t p = 0; p < POLICIES; p++) {
        const double misses = trace_misses(t, policies[p], e->entries);
        if (fabs(misses - e->misses[p]) > tolerance)
            fail_msg("%s, %zu entries, policy %d: misses %.4f, expected %.4f",
                     file, e->entries, (int)policies[p], misses, e->misses[p]);
    }
}

static void policies_miss_what_they_should(void **state)
{
    (void)state;
    const size_t wanted = scaled(16) > 16 ? TRACES : SHORT_TRACES;
    size_t seen = 0;
    for (size_t i = 0; i < wanted; i++) {
        trace t;
        if (!read_shared(&t, traces[i].file))
            continue;
        seen++;
        for (size_t s = 0; s < SIZES && traces[i].rows[s].entries != 0; s++)
            check_row(&t, traces[i].file, &traces[i].rows[s]);
        trace_free(&t);
    }
    if (seen == 0)
        skip_because("no traces beside the checkout");
}

/* A loop that is longer than the cache, with a scan in it: SIEVE and
 * W-TinyLFU miss nearly all of it; what is the default must not. */
static void the_default_does_not_collapse(void **state)
{
    (void)state;
    trace t;
    if (!read_shared(&t, "corda_trace_vaultservice.gz"))
        skip_because("no traces beside the checkout");
    static const size_t entries[] = {50, 904, 9046};
    for (size_t i = 0; i < 3; i++)
        assert_true(trace_misses(&t, GIRT_CACHE_DEFAULT, entries[i]) < 0.68);
    trace_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_miss_what_they_should),
        cmocka_unit_test(the_default_does_not_collapse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
