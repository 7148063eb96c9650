/* SPDX-License-Identifier: MIT */
/* Goal: whatever is called in whatever order, a value that is answered is the
 * last one put, in time, and what left was told, once.  Method: random calls
 * on one thread beside a table of what was put; a key may be absent only if
 * it was told to have left. */
#include <girt/cache.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { KEYS = 300, VALUE_MAX = 900, TTL = 1000, STALE = 300, PINS = 40 };

typedef struct twin {
    bool there;
    uint64_t number; /* what the value begins with, and its size follows from */
    int64_t expires;
} twin;

typedef struct model {
    girt_cache *cache;
    twin twins[KEYS];
    int64_t now;
    uint64_t next;
    rng random;
    girt_cached pins[PINS];
    uint64_t pinned[PINS];
    uint64_t left, stored;
} model;

static size_t size_of(uint64_t number)
{
    return 8 + number * 37 % VALUE_MAX;
}

static void told(void *context, const void *key, size_t key_size,
                 const void *value, size_t value_size)
{
    model *const m = context;
    uint32_t k;
    uint64_t number;
    assert_int_equal(key_size, sizeof k);
    memcpy(&k, key, sizeof k);
    memcpy(&number, value, sizeof number);
    assert_int_equal(value_size, size_of(number));
    m->left++;
    twin *const t = &m->twins[k];
    if (t->number != number)
        return; /* the one before, replaced */
    assert_true(t->there);
    t->there = false;
}

static void put(model *m, uint32_t key)
{
    unsigned char value[VALUE_MAX + 8] = {0};
    const uint64_t number = m->next++;
    memcpy(value, &number, sizeof number);
    const int64_t ttl = rng_below(&m->random, 3) == 0
                            ? 1 + (int64_t)rng_below(&m->random, 2 * TTL)
                            : 0;
    twin *const t = &m->twins[key];
    const twin before = *t;
    t->number = number; /* the old one is told meanwhile */
    const girt_status status =
        girt_cache_put(m->cache, &key, sizeof key, value, size_of(number), ttl);
    if (status == GIRT_E_TOO_LARGE) {
        *t = before;
        return;
    }
    check_status(status, GIRT_OK);
    m->stored++;
    *t = (twin){true, number, m->now + (ttl == 0 ? TTL : ttl)};
}

static void get(model *m, uint32_t key)
{
    girt_cached cached;
    twin *const t = &m->twins[key];
    const twin before = *t;
    const bool expired = m->now >= before.expires + STALE;
    const girt_status status =
        girt_cache_get(m->cache, &key, sizeof key, &cached);
    if (status != GIRT_OK) {
        check_status(status, GIRT_MISSING);
        assert_true(!before.there || expired);
        assert_false(t->there);
        return;
    }
    assert_true(before.there);
    assert_false(expired);
    assert_int_equal(cached.stale, m->now >= before.expires);
    assert_int_equal(cached.size, size_of(before.number));
    assert_memory_equal(cached.data, &before.number, sizeof before.number);
    const size_t i = rng_below(&m->random, PINS);
    if (m->pins[i].pin != NULL)
        assert_memory_equal(m->pins[i].data, &m->pinned[i],
                            sizeof m->pinned[i]);
    girt_cache_release(m->cache, &m->pins[i]);
    m->pins[i] = cached;
    m->pinned[i] = before.number;
}

static void step(model *m)
{
    const uint64_t dice = rng_below(&m->random, 1000);
    const uint32_t key = (uint32_t)rng_below(&m->random, KEYS);
    if (dice < 550) {
        get(m, key);
    } else if (dice < 900) {
        put(m, key);
    } else if (dice < 990) {
        const bool there =
            m->twins[key].there && m->now < m->twins[key].expires + STALE;
        check_status(girt_cache_remove(m->cache, &key, sizeof key),
                     there ? GIRT_OK : GIRT_MISSING);
        assert_false(m->twins[key].there);
    } else if (dice < 999) {
        m->now += (int64_t)rng_below(&m->random, 500);
    } else if (rng_below(&m->random, 10) == 0) {
        girt_cache_clear(m->cache);
    }
}

static void run(girt_cache_policy policy, size_t bytes_max, size_t entries_max,
                uint64_t seed)
{
    model m = {.random = {seed}, .next = 1};
    failing f;
    failing_init(&f);
    girt_cache_options options = {.bytes_max = bytes_max,
                                  .entries_max = entries_max,
                                  .ttl_ns = TTL,
                                  .stale_ns = STALE,
                                  .policy = policy,
                                  .on_evict = told,
                                  .context = &m,
                                  .allocator = &f.allocator};
    girt_clock_manual(&options.clock, &m.now);
    check_status(girt_cache_create(&m.cache, &options), GIRT_OK);
    for (size_t i = 0; i < scaled(30000); i++) {
        girt_cache_stats stats;
        step(&m);
        girt_cache_read_stats(m.cache, &stats);
        assert_true(stats.bytes <= bytes_max);
        assert_true(entries_max == 0 || stats.entries <= entries_max);
        assert_int_equal(stats.entries + m.left, m.stored);
        if (i % 1000 == 0)
            assert_true(girt__cache_is_valid(m.cache));
    }
    for (size_t i = 0; i < PINS; i++)
        girt_cache_release(m.cache, &m.pins[i]);
    girt_cache_destroy(m.cache);
    assert_int_equal(f.live_blocks, 0);
}

static void random_calls_beside_a_table(void **state)
{
    (void)state;
    const uint64_t seed = test_seed();
    for (int policy = 0; policy <= GIRT_CACHE_TINYLFU; policy++) {
        run((girt_cache_policy)policy, 20000, 0, seed);
        run((girt_cache_policy)policy, 60000, 0, seed + 1);
        run((girt_cache_policy)policy, 1 << 20, 120, seed + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_beside_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
