/* SPDX-License-Identifier: MIT */
/* Goal: out of memory at any allocation is GIRT_E_NOMEM, leaves the key as it
 * was and the cache usable, and leaks nothing.  Method: the same work with
 * allocation k failing, for every k, until none fails. */
#include <girt/cache.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/failing.h"

enum { WORK = 420 };

static girt_status bring(void *context, const void *key, size_t key_size,
                         girt_loaded *loaded)
{
    (void)context;
    (void)key_size;
    if (*(const unsigned char *)key % 8 == 0)
        return GIRT_MISSING;
    static char value[] = "loaded";
    loaded->data = value;
    loaded->size = 6;
    return GIRT_OK;
}

static bool is_there(girt_cache *cache, uint32_t key)
{
    girt_cached cached;
    if (girt_cache_get(cache, &key, sizeof key, &cached) != GIRT_OK)
        return false;
    girt_cache_release(cache, &cached);
    return true;
}

static void one_call(girt_cache *cache, uint32_t i, size_t *failures)
{
    girt_cached cached = {NULL, 0, false, NULL};
    const bool before = is_there(cache, i);
    girt_status status;
    if (i % 4 != 0) {
        status = girt_cache_put(cache, &i, sizeof i, &i, i % 5, 0);
    } else {
        status = girt_cache_load(cache, &i, sizeof i, bring, NULL, GIRT_NOW,
                                 &cached);
        girt_cache_release(cache, &cached);
    }
    if (status == GIRT_OK || status == GIRT_MISSING)
        return;
    check_status(status, GIRT_E_NOMEM);
    ++*failures;
    assert_int_equal(is_there(cache, i), before);
    check_status(girt_cache_put(cache, &i, sizeof i, &i, i % 5, 0), GIRT_OK);
}

/* false: allocation k was never reached. */
static bool work(size_t k, girt_cache_policy policy)
{
    failing f;
    failing_init(&f);
    f.fail_at = k;
    girt_cache *cache = NULL;
    const girt_cache_options options = {.bytes_max = 30000,
                                        .missing_ttl_ns = INT64_MAX,
                                        .policy = policy,
                                        .seed = 9,
                                        .allocator = &f.allocator};
    girt_status status = girt_cache_create(&cache, &options);
    if (status != GIRT_OK) {
        check_status(status, GIRT_E_NOMEM);
        assert_null(cache);
        assert_int_equal(f.live_blocks, 0);
        return true;
    }
    size_t failures = 0;
    for (uint32_t i = 0; i < WORK; i++)
        one_call(cache, i, &failures);
    const int fd = memfd_create("snapshot", MFD_CLOEXEC);
    status = girt_cache_save(cache, fd);
    if (status != GIRT_OK)
        check_status(status, GIRT_E_NOMEM);
    girt_cache_clear(cache);
    if (status == GIRT_OK) {
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        status = girt_cache_restore(cache, fd);
        if (status != GIRT_OK)
            check_status(status, GIRT_E_NOMEM);
    }
    close(fd);
    assert_int_equal(cache->beside, 0);
    assert_int_equal(cache->streams, 0);
    assert_true(failures <= 1);
    assert_true(girt__cache_is_valid(cache));
    girt_cache_destroy(cache);
    assert_int_equal(f.live_blocks, 0);
    return k <= f.calls;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    for (int policy = 0; policy <= GIRT_CACHE_TINYLFU; policy++) {
        size_t k = 1;
        while (work(k, (girt_cache_policy)policy))
            k += k < 60 || k > 900 ? 1 : 7;
        assert_true(k > WORK);
    }
}

/* ---- loads within loads, more than have room beside bytes_max ----------- */

enum { DEEP = 200 };

typedef struct nest {
    girt_cache *cache;
    uint32_t depth;
    size_t refused;
} nest;

static girt_status bring_deeper(void *context, const void *key, size_t key_size,
                                girt_loaded *loaded)
{
    nest *const n = context;
    (void)key;
    (void)key_size;
    const uint32_t depth = ++n->depth;
    girt_cached cached;
    if (depth >= DEEP)
        return GIRT_MISSING;
    const girt_status status = girt_cache_load(
        n->cache, &depth, sizeof depth, bring_deeper, n, GIRT_FOREVER, &cached);
    if (status == GIRT_OK)
        girt_cache_release(n->cache, &cached);
    n->refused += status == GIRT_E_NOMEM;
    loaded->data = n;
    loaded->size = 1;
    return GIRT_OK;
}

static bool load_deep(size_t k)
{
    failing f;
    failing_init(&f);
    nest n = {.depth = 0};
    check_status(
        girt_cache_create(&n.cache,
                          &(girt_cache_options){.bytes_max = 30000,
                                                .seed = 9,
                                                .allocator = &f.allocator}),
        GIRT_OK);
    const size_t fixed = f.live_bytes;
    f.fail_at = f.calls + k;
    girt_loaded loaded;
    (void)bring_deeper(&n, NULL, 0, &loaded);
    girt_cache_stats stats;
    girt_cache_read_stats(n.cache, &stats);
    assert_int_equal(stats.bytes, f.live_bytes - fixed);
    assert_int_equal(n.cache->beside, 0);
    assert_int_equal(n.cache->flight_bytes, 0);
    assert_true(n.refused <= 1);
    const bool reached = f.calls >= f.fail_at;
    girt_cache_destroy(n.cache);
    assert_int_equal(f.live_blocks, 0);
    return reached;
}

static void every_load_within_loads_fails(void **state)
{
    (void)state;
    size_t k = 1;
    while (load_deep(k))
        k++;
    assert_true(k > DEEP);
}

static void works_on_while_memory_stays_out(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_cache *cache = NULL;
    check_status(girt_cache_create(
                     &cache, &(girt_cache_options){.allocator = &f.allocator}),
                 GIRT_OK);
    for (uint32_t i = 0; i < 100; i++)
        check_status(girt_cache_put(cache, &i, sizeof i, &i, 4, 0), GIRT_OK);
    f.fail_at = f.calls + 1;
    f.fail_all_after = true;
    for (uint32_t i = 0; i < 100; i++) {
        girt_cached cached;
        check_status(girt_cache_put(cache, &i, sizeof i, "new", 3, 0),
                     GIRT_E_NOMEM);
        check_status(girt_cache_get(cache, &i, sizeof i, &cached), GIRT_OK);
        assert_memory_equal(cached.data, &i, 4);
        girt_cache_release(cache, &cached);
    }
    girt_cache_clear(cache);
    girt_cache_destroy(cache);
    assert_int_equal(f.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(every_load_within_loads_fails),
        cmocka_unit_test(works_on_while_memory_stays_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
