/* SPDX-License-Identifier: MIT */
/* Goal: with threads that get, hold, put, load, remove and clear at once, a
 * value that is held never changes, every entry that leaves is told exactly
 * once, bytes and entries stay within their bounds, and all memory comes back.
 * Method: values that say whose they are, counted in and out. */
#include <girt/cache.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4, KEYS = 700, HELD = 24, WORDS = 12 };

typedef struct play {
    girt_cache *cache;
    failing f;
    size_t fixed, bytes_max, entries_max;
    uint64_t seed;
    size_t calls;
    uint64_t stored; /* atomic: puts and loads that were stored or may be */
    uint64_t left;   /* atomic: told to on_evict */
    uint64_t sequence;
    unsigned char *told; /* by sequence number; atomic */
    uint64_t pinned_bytes;
} play;

/* key, sequence number, and words that follow from both. */
typedef struct value {
    uint64_t key, sequence, words[WORDS];
} value;

static size_t size_of(uint64_t sequence)
{
    return (2 + sequence % (WORDS + 1)) * sizeof(uint64_t);
}

static value make(play *p, uint64_t key)
{
    value v = {.key = key};
    v.sequence = __atomic_fetch_add(&p->sequence, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < WORDS; i++)
        v.words[i] = v.sequence * (i + 3) + key;
    return v;
}

static void check_value(const void *data, size_t size, uint64_t key)
{
    value v;
    assert_true(size >= 2 * sizeof(uint64_t));
    assert_true(size <= sizeof v);
    memcpy(&v, data, size);
    assert_true(v.key == key);
    assert_true(size == size_of(v.sequence));
    for (size_t i = 0; i < size / sizeof(uint64_t) - 2; i++)
        assert_true(v.words[i] == v.sequence * (i + 3) + key);
}

static void note(void *context, const void *key, size_t key_size,
                 const void *data, size_t size)
{
    play *const p = context;
    uint64_t k;
    value v;
    assert_int_equal(key_size, sizeof k);
    memcpy(&k, key, sizeof k);
    check_value(data, size, k);
    memcpy(&v, data, size);
    const unsigned char before =
        __atomic_fetch_add(&p->told[v.sequence], 1, __ATOMIC_RELAXED);
    assert_int_equal(before, 0);
    __atomic_fetch_add(&p->left, 1, __ATOMIC_RELAXED);
}

typedef struct loading {
    play *p;
    uint64_t random;
} loading;

static girt_status load(void *context, const void *key, size_t key_size,
                        girt_loaded *loaded)
{
    loading *const l = context;
    uint64_t k;
    (void)key_size;
    memcpy(&k, key, sizeof k);
    if (l->random % 8 == 0)
        return l->random % 16 == 0 ? GIRT_MISSING : GIRT_E_IO;
    value *const v = malloc(sizeof *v);
    *v = make(l->p, k);
    loaded->data = v;
    loaded->size = size_of(v->sequence);
    loaded->release = free;
    return GIRT_OK;
}

typedef struct player {
    play *p;
    rng random;
    girt_cached held[HELD];
    uint64_t keys[HELD];
    size_t count;
} player;

static void hold(player *y, const girt_cached *cached, uint64_t key)
{
    check_value(cached->data, cached->size, key);
    if (y->count == HELD) {
        const size_t i = rng_below(&y->random, HELD);
        check_value(y->held[i].data, y->held[i].size, y->keys[i]);
        girt_cache_release(y->p->cache, &y->held[i]);
        y->held[i] = y->held[--y->count];
        y->keys[i] = y->keys[y->count];
    }
    y->held[y->count] = *cached;
    y->keys[y->count++] = key;
}

static void let_go(player *y)
{
    while (y->count != 0) {
        y->count--;
        check_value(y->held[y->count].data, y->held[y->count].size,
                    y->keys[y->count]);
        girt_cache_release(y->p->cache, &y->held[y->count]);
    }
}

static void one_call(player *y)
{
    play *const p = y->p;
    const uint64_t dice = rng_below(&y->random, 1000);
    const uint64_t key = rng_below(&y->random, KEYS);
    girt_cached cached;
    if (dice < 500) {
        if (girt_cache_get(p->cache, &key, sizeof key, &cached) == GIRT_OK)
            hold(y, &cached, key);
    } else if (dice < 750) {
        const value v = make(p, key);
        check_status(girt_cache_put(p->cache, &key, sizeof key, &v,
                                    size_of(v.sequence), 0),
                     GIRT_OK);
    } else if (dice < 950) {
        loading l = {p, rng_next(&y->random)};
        const girt_status status = girt_cache_load(
            p->cache, &key, sizeof key, load, &l, GIRT_FOREVER, &cached);
        if (status == GIRT_OK)
            hold(y, &cached, key);
        else
            assert_true(status == GIRT_MISSING || status == GIRT_E_IO);
    } else if (dice < 998) {
        (void)girt_cache_remove(p->cache, &key, sizeof key);
    } else if (dice < 999) {
        girt_cache_clear(p->cache);
    } else {
        let_go(y);
    }
}

static void body(void *context, size_t index)
{
    play *const p = context;
    player y = {.p = p, .random = {p->seed + index}};
    for (size_t i = 0; i < p->calls; i++) {
        one_call(&y);
        girt_cache_stats stats;
        if (i % 64 != 0)
            continue;
        girt_cache_read_stats(p->cache, &stats);
        assert_true(stats.bytes <= p->bytes_max);
        const size_t live = __atomic_load_n(&p->f.live_bytes, __ATOMIC_RELAXED);
        assert_true(live <= p->fixed + p->bytes_max + 65536 +
                                THREADS * (HELD + 1) *
                                    (sizeof(value) + sizeof(girt__item) + 8));
    }
    let_go(&y);
}

static void run(girt_cache_policy policy, size_t shards, size_t entries_max,
                uint64_t seed)
{
    play *const p = calloc(1, sizeof *p);
    p->seed = seed;
    p->calls = scaled(60000);
    p->bytes_max = 50000;
    p->entries_max = entries_max;
    p->told = calloc(THREADS * p->calls + 1, 1);
    failing_init(&p->f);
    const girt_cache_options options = {.bytes_max = p->bytes_max,
                                        .entries_max = entries_max,
                                        .policy = policy,
                                        .shards = shards,
                                        .on_evict = note,
                                        .context = p,
                                        .missing_ttl_ns = 100000,
                                        .allocator = &p->f.allocator};
    check_status(girt_cache_create(&p->cache, &options), GIRT_OK);
    p->fixed = p->f.live_bytes;
    threads_run(THREADS, body, p);
    assert_true(girt__cache_is_valid(p->cache));
    girt_cache_stats stats;
    girt_cache_read_stats(p->cache, &stats);
    assert_int_equal(stats.bytes, p->f.live_bytes - p->fixed);
    girt_cache_clear(p->cache);
    girt_cache_read_stats(p->cache, &stats);
    assert_int_equal(stats.entries, 0);
    assert_true(p->left > p->calls / 4);
    girt_cache_destroy(p->cache);
    assert_int_equal(p->f.live_blocks, 0);
    free(p->told);
    free(p);
}

static void every_policy_under_traffic(void **state)
{
    (void)state;
    const uint64_t seed = test_seed();
    for (int policy = 1; policy <= GIRT_CACHE_TINYLFU; policy++) {
        run((girt_cache_policy)policy, 1, 0, seed);
        run((girt_cache_policy)policy, 8, 150, seed + 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_under_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
