/* SPDX-License-Identifier: MIT */
/* Goal: a cache tells a registry what its statistics say.  Method: hits,
 * misses, loads and evictions of known number under a manual clock, and a
 * scrape. */
#include <girt/cache.h>

#include "support/check.h"
#include "support/fake_registry.h"

static girt_status fetch(void *context, const void *key, size_t key_size,
                         girt_loaded *loaded)
{
    (void)key;
    (void)key_size;
    *loaded = (girt_loaded){.data = context, .size = 1};
    return *(const char *)context == 'f' ? GIRT_E_IO : GIRT_OK;
}

static void get(girt_cache *cache, const char *key, girt_status expected)
{
    girt_cached cached;
    check_status(girt_cache_get(cache, key, 1, &cached), expected);
    if (expected == GIRT_OK)
        girt_cache_release(cache, &cached);
}

static void statistics_are_told(void **state)
{
    (void)state;
    fake_registry registry;
    fake_registry_init(&registry);
    char letters[] = "yf";
    int64_t now = 1000;
    girt_clock clock;
    girt_clock_manual(&clock, &now);
    girt_cache *cache = NULL;
    check_status(
        girt_cache_create(
            &cache, &(girt_cache_options){.bytes_max = 1 << 20,
                                          .entries_max = 4,
                                          .ttl_ns = 100,
                                          .stale_ns = 50,
                                          .shards = 1,
                                          .clock = clock,
                                          .name = "c",
                                          .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    for (char key = 'a'; key < 'g'; key++)
        check_status(girt_cache_put(cache, &key, 1, "value", 5, 0), GIRT_OK);
    get(cache, "f", GIRT_OK);
    get(cache, "z", GIRT_MISSING);
    now += 120;
    get(cache, "f", GIRT_OK); /* stale */
    girt_cached cached;
    check_status(
        girt_cache_load(cache, "y", 1, fetch, letters, GIRT_FOREVER, &cached),
        GIRT_OK);
    girt_cache_release(cache, &cached);
    check_status(
        girt_cache_load(cache, "x", 1, fetch, &letters[1], GIRT_FOREVER, &cached),
        GIRT_E_IO);
    now += 100;
    get(cache, "f", GIRT_MISSING); /* expired */
    girt_cache_stats stats;
    girt_cache_read_stats(cache, &stats);
    assert_int_equal(stats.evictions, 3);
    fake_registry_scrape(&registry);
    const struct {
        const char *series;
        uint64_t value, floor;
    } wanted[] = {
        {"girt_cache_hits_total", stats.hits, 2},
        {"girt_cache_misses_total", stats.misses, 3},
        {"girt_cache_stale_hits_total", stats.stale_hits, 1},
        {"girt_cache_loads_total", stats.loads, 2},
        {"girt_cache_load_failures_total", stats.load_failures, 1},
        {"girt_cache_joined_total", stats.joined, 0},
        {"girt_cache_evictions_total", stats.evictions, 3},
        {"girt_cache_expirations_total", stats.expirations, 1},
        {"girt_cache_entries", stats.entries, 3},
        {"girt_cache_bytes", stats.bytes, 200},
        {"girt_cache_bytes_max", 1 << 20, 1 << 20},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(fake_value(&registry, wanted[i].series, "c", NULL) ==
                    (double)wanted[i].value);
        assert_true(wanted[i].value >= wanted[i].floor);
    }
    girt_cache_destroy(cache);
    fake_registry_end(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
