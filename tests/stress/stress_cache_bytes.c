/* SPDX-License-Identifier: MIT */
/* Goal: a cache holds no byte more than bytes_max at any instant, whatever the
 * sizes and however many put, remove and clear at once, and 64 KiB more
 * however many load, save and restore; and large values that come at once all
 * go in.  Method: an allocator that remembers the most that was ever held,
 * strict where nothing is pinned; loaders that load, hundreds deep; saves that
 * hang in pipes, and saves of what is being replaced. */
#include <fcntl.h>
#include <girt/cache.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4, BESIDE = 64 << 10 };

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
    pthread_barrier_t deepest;
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

/* ---- loads within loads ------------------------------------------------- */

enum { DEEP = 400, FLIGHT_BYTES = 88 };

typedef struct nest {
    play *p;
    uint32_t thread, depth;
    size_t refused;
    pthread_barrier_t *deepest; /* where all meet, or NULL */
} nest;

static girt_status bring_deeper(void *context, const void *key, size_t key_size,
                                girt_loaded *loaded);

static void load_deeper(nest *n)
{
    const uint32_t key[2] = {n->thread, n->depth};
    girt_cached cached;
    const girt_status status = girt_cache_load(
        n->p->cache, key, sizeof key, bring_deeper, n, GIRT_FOREVER, &cached);
    if (status == GIRT_OK) {
        girt_cache_release(n->p->cache, &cached);
    } else {
        check_status(status, GIRT_E_NOMEM);
        n->refused++;
    }
}

static girt_status bring_deeper(void *context, const void *key, size_t key_size,
                                girt_loaded *loaded)
{
    nest *const n = context;
    (void)key;
    (void)key_size;
    if (n->refused == 0 && ++n->depth < DEEP)
        load_deeper(n);
    else if (n->deepest != NULL && n->depth == DEEP)
        (void)pthread_barrier_wait(n->deepest);
    loaded->data = n->p->value;
    loaded->size = 20;
    return GIRT_OK;
}

static void nest_loads(void *context, size_t index)
{
    play *const p = context;
    for (uint32_t i = 0; i < p->calls; i++) {
        nest n = {.p = p,
                  .thread = i * THREADS + (uint32_t)index,
                  .deepest = &p->deepest};
        load_deeper(&n);
        assert_int_equal(n.refused, 0);
    }
}

/* More flights than 64 KiB hold, in a cache that is full. */
static void loads_within_loads(void **state)
{
    (void)state;
    const size_t flights = (size_t)THREADS * DEEP * FLIGHT_BYTES;
    assert_true(flights > 2 * BESIDE);
    for (int policy = 0; policy <= GIRT_CACHE_TINYLFU; policy++) {
        play p = {.bytes_max = 600000, .calls = scaled(10)};
        start(&p, (girt_cache_options){.policy = (girt_cache_policy)policy,
                                       .shards = 4});
        for (uint32_t i = 0; i < 9000; i++)
            check_status(girt_cache_put(p.cache, &i, sizeof i, p.value, 40, 0),
                         GIRT_OK);
        (void)pthread_barrier_init(&p.deepest, NULL, THREADS);
        threads_run(THREADS, nest_loads, &p);
        (void)pthread_barrier_destroy(&p.deepest);
        /* Each thread pins one value at a time. */
        finish(&p, BESIDE + THREADS * 200);
    }
}

/* Beyond a quarter of bytes_max the deepest is refused; the others are not. */
static void loads_beyond_the_bound(void **state)
{
    (void)state;
    play p = {.bytes_max = 10000};
    start(&p, (girt_cache_options){.shards = 1});
    nest n = {.p = &p};
    load_deeper(&n);
    assert_int_equal(n.refused, 1);
    assert_int_equal(n.depth, GIRT__FLIGHTS_BESIDE / FLIGHT_BYTES +
                                  p.bytes_max / 4 / FLIGHT_BYTES);
    finish(&p, BESIDE + 200);
}

/* ---- saves -------------------------------------------------------------- */

/* A save that hangs in a pipe, as the entries that it writes leave. */
typedef struct hanging {
    play *p;
    int ends[2];
} hanging;

static void save_or_refill(void *context, size_t index)
{
    hanging *const h = context;
    play *const p = h[0].p;
    if (index < GIRT__STREAMS) {
        check_status(girt_cache_save(p->cache, h[index].ends[1]), GIRT_OK);
        close(h[index].ends[1]);
        return;
    }
    /* Until all hang. */
    while (__atomic_load_n(&p->cache->streams, __ATOMIC_RELAXED) !=
           GIRT__STREAMS)
        sched_yield();
    char first;
    for (size_t i = 0; i < GIRT__STREAMS; i++)
        assert_int_equal(read(h[i].ends[0], &first, 1), 1);
    const int fd = memfd_create("snapshot", MFD_CLOEXEC);
    check_status(girt_cache_save(p->cache, fd), GIRT_E_BUSY);
    check_status(girt_cache_restore(p->cache, fd), GIRT_E_BUSY);
    close(fd);
    for (uint32_t i = 0; i < 200; i++)
        check_status(girt_cache_put(p->cache, &i, sizeof i, p->value, 50000, 0),
                     GIRT_OK);
    assert_true(p->m.most - p->fixed <= p->bytes_max + BESIDE);
    for (size_t i = 0; i < GIRT__STREAMS; i++) {
        static char rest[65536];
        while (read(h[i].ends[0], rest, sizeof rest) > 0)
            continue;
        close(h[i].ends[0]);
    }
}

static void saves_that_hang(void **state)
{
    (void)state;
    play p = {.bytes_max = 400000};
    hanging h[GIRT__STREAMS];
    start(&p, (girt_cache_options){.shards = 1});
    for (uint32_t i = 0; i < 4; i++)
        check_status(girt_cache_put(p.cache, &i, sizeof i, p.value, 90000, 0),
                     GIRT_OK);
    for (size_t i = 0; i < GIRT__STREAMS; i++) {
        h[i].p = &p;
        assert_int_equal(pipe2(h[i].ends, O_CLOEXEC), 0);
    }
    threads_run(GIRT__STREAMS + 1, save_or_refill, h);
    finish(&p, BESIDE);
}

static void save_or_put(void *context, size_t index)
{
    play *const p = context;
    if (index < THREADS) {
        hostile(context, index);
        return;
    }
    for (size_t i = 0; i < p->calls / 50; i++) {
        const int fd = memfd_create("snapshot", MFD_CLOEXEC);
        girt_status status = girt_cache_save(p->cache, fd);
        if (status == GIRT_OK) {
            assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
            status = girt_cache_restore(p->cache, fd);
        }
        if (status != GIRT_OK)
            assert_true(status == GIRT_E_BUSY || status == GIRT_E_NOMEM);
        close(fd);
    }
}

static void saves_of_what_changes(void **state)
{
    (void)state;
    const uint64_t seed = test_seed();
    for (int i = 0; i < 5; i++) {
        play p = {.bytes_max = i % 2 == 0 ? 20000 : 300000,
                  .calls = scaled(3000),
                  .seed = seed + (uint64_t)i * 100};
        start(&p, (girt_cache_options){.policy = (girt_cache_policy)i,
                                       .shards = (size_t)1 << i % 3});
        threads_run(2 * THREADS, save_or_put, &p);
        finish(&p, BESIDE);
        assert_int_equal(p.m.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_sizes),
        cmocka_unit_test(large_values_wait_for_each_other),
        cmocka_unit_test(loads_within_loads),
        cmocka_unit_test(loads_beyond_the_bound),
        cmocka_unit_test(saves_that_hang),
        cmocka_unit_test(saves_of_what_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
