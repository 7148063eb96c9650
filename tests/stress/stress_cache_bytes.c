/* SPDX-License-Identifier: MIT */
/* Goal: a cache holds no byte more than bytes_max at any instant, whatever the
 * sizes and however many put, remove, clear and load at once; and large values
 * that come at once all go in.  Method: an allocator that remembers the most
 * that was ever held, strict where nothing is pinned. */
#include <girt/cache.h>
#include <sched.h>
#include <time.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4 };

typedef struct meter {
    girt_allocator allocator;
    size_t live, most; /* atomic */
    size_t slow;       /* blocks from this size on take 100 ms; 0: none */
} meter;

static void *allocate(void *context, size_t size, size_t alignment)
{
    meter *const m = context;
    const size_t live = __atomic_add_fetch(&m->live, size, __ATOMIC_RELAXED);
    size_t most = __atomic_load_n(&m->most, __ATOMIC_RELAXED);
    while (live > most &&
           !__atomic_compare_exchange_n(&m->most, &most, live, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    if (m->slow != 0 && size >= m->slow)
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    void *block = NULL;
    if (posix_memalign(&block, alignment, size) != 0)
        abort();
    return block;
}

static void release(void *context, void *block, size_t size)
{
    meter *const m = context;
    free(block);
    __atomic_sub_fetch(&m->live, size, __ATOMIC_RELAXED);
}

typedef struct play {
    meter m;
    girt_cache *cache;
    size_t bytes_max, calls, fixed;
    uint64_t seed;
    bool loads;
    unsigned char *value;
} play;

static void start(play *p, girt_cache_options options)
{
    p->m = (meter){.allocator = {allocate, release, &p->m}};
    options.allocator = &p->m.allocator;
    options.bytes_max = p->bytes_max;
    check_status(girt_cache_create(&p->cache, &options), GIRT_OK);
    p->fixed = p->m.live;
    p->value = calloc(1, p->bytes_max + 4096);
}

static void finish(play *p, size_t beyond)
{
    girt_cache_stats stats;
    girt_cache_read_stats(p->cache, &stats);
    assert_int_equal(stats.bytes, p->m.live - p->fixed);
    assert_true(girt__cache_is_valid(p->cache));
    assert_true(p->m.most - p->fixed <= p->bytes_max + beyond);
    girt_cache_destroy(p->cache);
    assert_int_equal(p->m.live, 0);
    free(p->value);
}

/* ---- hostile sizes ------------------------------------------------------ */

static size_t hostile_size(rng *random, size_t bytes_max)
{
    const size_t odd[] = {0,
                          1,
                          15,
                          16,
                          17,
                          bytes_max / 64 - 1,
                          bytes_max / 64,
                          bytes_max / 64 + 1,
                          bytes_max / 4 - 100,
                          bytes_max / 4,
                          bytes_max / 2,
                          bytes_max,
                          bytes_max + 1};
    const uint64_t dice = rng_below(random, 4);
    if (dice == 0)
        return odd[rng_below(random, sizeof odd / sizeof *odd)];
    return rng_below(random, dice == 1 ? bytes_max / 3 : 100);
}

static girt_status bring(void *context, const void *key, size_t key_size,
                         girt_loaded *loaded)
{
    play *const p = context;
    uint32_t size;
    (void)key_size;
    memcpy(&size, key, sizeof size);
    sched_yield();
    loaded->data = p->value;
    loaded->size = size % (p->bytes_max / 4);
    return size % 5 == 0 ? GIRT_MISSING : GIRT_OK;
}

static void load(play *p, uint32_t key)
{
    girt_cached cached;
    const girt_status status = girt_cache_load(p->cache, &key, sizeof key,
                                               bring, p, GIRT_FOREVER, &cached);
    if (status == GIRT_OK)
        girt_cache_release(p->cache, &cached);
    else
        assert_true(status == GIRT_MISSING || status == GIRT_E_NOMEM);
}

static void hostile(void *context, size_t index)
{
    play *const p = context;
    rng random = {p->seed + index};
    for (size_t i = 0; i < p->calls; i++) {
        const uint64_t dice = rng_below(&random, 1000);
        const size_t key_size = rng_below(&random, 8) == 0
                                    ? hostile_size(&random, p->bytes_max)
                                    : sizeof(uint32_t);
        const size_t at = rng_below(&random, 64);
        if (p->loads && dice < 300) {
            load(p, (uint32_t)rng_below(&random, 300));
        } else if (dice < 800) {
            const size_t size = hostile_size(&random, p->bytes_max);
            const girt_status status = girt_cache_put(
                p->cache, p->value + at, key_size, p->value, size, 0);
            assert_true(status == GIRT_OK || status == GIRT_E_TOO_LARGE);
            if (key_size + size <= p->bytes_max / 64)
                check_status(status, GIRT_OK);
        } else if (dice < 995) {
            (void)girt_cache_remove(p->cache, p->value + at, key_size);
        } else {
            girt_cache_clear(p->cache);
        }
    }
}

static void hostile_sizes(void **state)
{
    (void)state;
    const uint64_t seed = test_seed();
    for (int i = 0; i < 10; i++) {
        play p = {.bytes_max = i % 2 == 0 ? 20000 : 300000,
                  .calls = scaled(6000),
                  .seed = seed + (uint64_t)i * 100,
                  .loads = i >= 5};
        start(&p, (girt_cache_options){.policy = (girt_cache_policy)(i % 5),
                                       .missing_ttl_ns = 1000000,
                                       .shards = (size_t)1 << i % 3});
        for (size_t b = 0; b < p.bytes_max; b++)
            p.value[b] = (unsigned char)(b * 7);
        threads_run(THREADS, hostile, &p);
        /* A loaded value is its caller's, pinned. */
        finish(&p, p.loads ? THREADS * (p.bytes_max / 4 + 400) : 0);
    }
}

/* ---- large values at once ----------------------------------------------- */

static void put_large(void *context, size_t index)
{
    play *const p = context;
    const size_t size = p->bytes_max / 4 - 600;
    for (uint32_t i = 0; i < p->calls; i++) {
        const uint32_t key = i * THREADS + (uint32_t)index;
        check_status(
            girt_cache_put(p->cache, &key, sizeof key, p->value, size, 0),
            GIRT_OK);
    }
}

/* Four fit.  The others find nothing to evict while those are made, and wait
 * for as long as it takes. */
static void large_values_wait_for_each_other(void **state)
{
    (void)state;
    play p = {.bytes_max = 40000, .calls = 2};
    start(&p, (girt_cache_options){.policy = GIRT_CACHE_LRU});
    p.m.slow = 9000;
    threads_run(2 * THREADS, put_large, &p);
    finish(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_sizes),
        cmocka_unit_test(large_values_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
