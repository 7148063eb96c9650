/* SPDX-License-Identifier: MIT */
/* Goal: every call of cache.h but load, save and restore answers as documented,
 * for good input and bad.  Method: one thread, a clock set by hand, an
 * allocator that counts. */
#include <girt/cache.h>
#include <math.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/scale.h"

static girt_cache *cache_of(const girt_cache_options *options)
{
    girt_cache *cache = NULL;
    check_status(girt_cache_create(&cache, options), GIRT_OK);
    assert_non_null(cache);
    return cache;
}

static girt_status put(girt_cache *cache, const char *key, const char *value)
{
    return girt_cache_put(cache, key, strlen(key), value, strlen(value), 0);
}

static void check_has(girt_cache *cache, const char *key, const char *value,
                      bool stale)
{
    girt_cached cached;
    check_status(girt_cache_get(cache, key, strlen(key), &cached), GIRT_OK);
    assert_int_equal(cached.size, strlen(value));
    assert_memory_equal(cached.data, value, cached.size);
    assert_int_equal(cached.stale, stale);
    girt_cache_release(cache, &cached);
    assert_null(cached.pin);
    assert_null(cached.data);
    girt_cache_release(cache, &cached);
}

static void check_not(girt_cache *cache, const char *key)
{
    girt_cached cached, before;
    memset(&cached, 7, sizeof cached);
    before = cached;
    check_status(girt_cache_get(cache, key, strlen(key), &cached),
                 GIRT_MISSING);
    assert_memory_equal(&cached, &before, sizeof cached);
}

static void check_refused(girt_cache_options options, girt_status expected)
{
    girt_cache *const untouched = (girt_cache *)(void *)&options;
    girt_cache *cache = untouched;
    check_status(girt_cache_create(&cache, &options), expected);
    assert_ptr_equal(cache, untouched);
}

static void options_out_of_range(void **state)
{
    (void)state;
    check_status(girt_cache_create(NULL, NULL), GIRT_E_INVALID);
    check_refused((girt_cache_options){.ttl_ns = -1}, GIRT_E_INVALID);
    check_refused((girt_cache_options){.stale_ns = INT64_MIN}, GIRT_E_INVALID);
    check_refused((girt_cache_options){.missing_ttl_ns = -1}, GIRT_E_INVALID);
    check_refused((girt_cache_options){.policy = (girt_cache_policy)5},
                  GIRT_E_INVALID);
    check_refused((girt_cache_options){.policy = (girt_cache_policy)-1},
                  GIRT_E_INVALID);
    check_refused((girt_cache_options){.shards = 65537}, GIRT_E_TOO_LARGE);
    check_refused((girt_cache_options){.shards = SIZE_MAX}, GIRT_E_TOO_LARGE);
    check_refused((girt_cache_options){.name = ""}, GIRT_E_INVALID);
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    check_refused((girt_cache_options){.name = name}, GIRT_E_INVALID);
    girt_metrics *const metrics = (girt_metrics *)(void *)name;
    check_refused((girt_cache_options){.metrics = metrics}, GIRT_E_INVALID);
    for (size_t i = 0; i < 4; i++) {
        girt_cache_options options = {.bytes_max = 1 << 20};
        options.reserved[i] = 1;
        check_refused(options, GIRT_E_INVALID);
    }
    failing f;
    failing_init(&f);
    f.allocator.release = NULL;
    check_refused((girt_cache_options){.allocator = &f.allocator},
                  GIRT_E_INVALID);
}

static void options_in_range(void **state)
{
    (void)state;
    girt_cache_destroy(cache_of(NULL));
    girt_cache_destroy(NULL);
    static const size_t sizes[] = {1, 64, 4096, (size_t)1 << 63, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        girt_cache *const cache = cache_of(&(girt_cache_options){
            .bytes_max = sizes[i], .entries_max = SIZE_MAX, .name = "sizes"});
        const girt_status status = put(cache, "k", "v");
        check_status(status, sizes[i] < 260 ? GIRT_E_TOO_LARGE : GIRT_OK);
        assert_true(girt__cache_is_valid(cache));
        girt_cache_destroy(cache);
    }
    static const size_t shards[] = {1, 2, 3, 100, 4096};
    for (size_t i = 0; i < sizeof shards / sizeof *shards; i++) {
        girt_cache *const cache =
            cache_of(&(girt_cache_options){.shards = shards[i]});
        check_status(put(cache, "k", "v"), GIRT_OK);
        check_has(cache, "k", "v", false);
        girt_cache_destroy(cache);
    }
}

static void arguments_out_of_range(void **state)
{
    (void)state;
    girt_cache *const cache = cache_of(NULL);
    girt_cached cached;
    check_status(girt_cache_get(NULL, "k", 1, &cached), GIRT_E_INVALID);
    check_status(girt_cache_get(cache, NULL, 1, &cached), GIRT_E_INVALID);
    check_status(girt_cache_get(cache, "k", 1, NULL), GIRT_E_INVALID);
    check_status(girt_cache_put(NULL, "k", 1, "v", 1, 0), GIRT_E_INVALID);
    check_status(girt_cache_put(cache, NULL, 1, "v", 1, 0), GIRT_E_INVALID);
    check_status(girt_cache_put(cache, "k", 1, NULL, 1, 0), GIRT_E_INVALID);
    check_status(girt_cache_put(cache, "k", 1, "v", 1, -1), GIRT_E_INVALID);
    check_status(girt_cache_put(cache, "k", 1, "v", 1, INT64_MIN),
                 GIRT_E_INVALID);
    check_status(put(cache, "k", "old"), GIRT_OK);
    check_status(girt_cache_put(cache, "k", 1, "v", SIZE_MAX, 0),
                 GIRT_E_TOO_LARGE);
    check_status(girt_cache_put(cache, "k", 1, "v", (size_t)1 << 63, 0),
                 GIRT_E_TOO_LARGE);
    check_status(girt_cache_put(cache, "k", (size_t)1 << 32, "v", 1, 0),
                 GIRT_E_TOO_LARGE);
    check_has(cache, "k", "old", false);
    check_status(girt_cache_remove(NULL, "k", 1), GIRT_E_INVALID);
    check_status(girt_cache_remove(cache, NULL, 1), GIRT_E_INVALID);
    check_status(girt_cache_set_jitter(NULL, 0.5), GIRT_E_INVALID);
    check_status(girt_cache_set_jitter(cache, -0.1), GIRT_E_INVALID);
    check_status(girt_cache_set_jitter(cache, 1.1), GIRT_E_INVALID);
    check_status(girt_cache_set_jitter(cache, (double)NAN), GIRT_E_INVALID);
    girt_cache_clear(NULL);
    girt_cache_release(NULL, &cached);
    girt_cache_release(cache, NULL);
    girt_cache_read_stats(cache, NULL);
    girt_cache_stats stats;
    memset(&stats, 1, sizeof stats);
    girt_cache_read_stats(NULL, &stats);
    assert_int_equal(stats.bytes, 0);
    girt_cache_destroy(cache);
}

static void empty_keys_and_values(void **state)
{
    (void)state;
    girt_cache *const cache = cache_of(NULL);
    girt_cached cached;
    check_status(girt_cache_get(cache, NULL, 0, &cached), GIRT_MISSING);
    check_status(girt_cache_put(cache, NULL, 0, NULL, 0, 0), GIRT_OK);
    check_status(girt_cache_get(cache, NULL, 0, &cached), GIRT_OK);
    assert_non_null(cached.data);
    assert_int_equal(cached.size, 0);
    girt_cache_release(cache, &cached);
    check_status(girt_cache_remove(cache, "", 0), GIRT_OK);
    check_status(girt_cache_remove(cache, "", 0), GIRT_MISSING);
    girt_cache_destroy(cache);
}

/* Counts what leaves, and that each leaves once. */
enum { KEYS = 4096 };
typedef struct leavers {
    unsigned times[KEYS];
    unsigned total;
    uint32_t last_value;
} leavers;

static void note_leaving(void *context, const void *key, size_t key_size,
                         const void *value, size_t value_size)
{
    leavers *const l = context;
    uint32_t number, v;
    assert_int_equal(key_size, sizeof number);
    assert_true(value_size >= sizeof v);
    memcpy(&number, key, sizeof number);
    memcpy(&v, value, sizeof v);
    l->times[number % KEYS]++;
    l->total++;
    l->last_value = v;
}

static girt_status put_number(girt_cache *cache, uint32_t key, uint32_t value,
                              size_t size)
{
    unsigned char bytes[5000] = {0};
    memcpy(bytes, &value, sizeof value);
    return girt_cache_put(cache, &key, sizeof key, bytes, size, 0);
}

static void who_leaves_is_told_once(void **state)
{
    (void)state;
    static const girt_cache_policy policies[] = {
        GIRT_CACHE_DEFAULT, GIRT_CACHE_S3FIFO, GIRT_CACHE_SIEVE, GIRT_CACHE_LRU,
        GIRT_CACHE_TINYLFU};
    for (size_t p = 0; p < 5; p++) {
        leavers l = {{0}, 0, 0};
        girt_cache *const cache =
            cache_of(&(girt_cache_options){.bytes_max = 100000,
                                           .policy = policies[p],
                                           .on_evict = note_leaving,
                                           .context = &l});
        for (uint32_t i = 0; i < KEYS; i++)
            check_status(put_number(cache, i, i, 40), GIRT_OK);
        girt_cache_stats stats;
        girt_cache_read_stats(cache, &stats);
        assert_true(stats.bytes <= 100000);
        assert_true(stats.entries > 400);
        assert_int_equal(stats.entries + l.total, KEYS);
        assert_int_equal(stats.evictions, l.total);
        for (uint32_t i = 0; i < KEYS; i++) {
            girt_cached cached;
            const bool there =
                girt_cache_get(cache, &i, sizeof i, &cached) == GIRT_OK;
            assert_int_equal(l.times[i], there ? 0 : 1);
            if (there)
                girt_cache_release(cache, &cached);
        }
        assert_true(girt__cache_is_valid(cache));
        girt_cache_clear(cache);
        assert_int_equal(l.total, KEYS);
        girt_cache_read_stats(cache, &stats);
        assert_int_equal(stats.entries, 0);
        girt_cache_destroy(cache);
        assert_int_equal(l.total, KEYS);
    }
}

static void replaced_and_removed_are_told(void **state)
{
    (void)state;
    leavers l = {{0}, 0, 0};
    girt_cache *const cache = cache_of(
        &(girt_cache_options){.on_evict = note_leaving, .context = &l});
    check_status(put_number(cache, 1, 10, 4), GIRT_OK);
    check_status(put_number(cache, 1, 11, 4), GIRT_OK);
    assert_int_equal(l.total, 1);
    assert_int_equal(l.last_value, 10);
    const uint32_t key = 1;
    check_status(girt_cache_remove(cache, &key, sizeof key), GIRT_OK);
    assert_int_equal(l.total, 2);
    assert_int_equal(l.last_value, 11);
    check_status(girt_cache_remove(cache, &key, sizeof key), GIRT_MISSING);
    assert_int_equal(l.total, 2);
    girt_cache_destroy(cache);
}

/* Every size, every policy, one shard and many: stats and the allocator stay
 * within the bound after each call. */
static void bytes_stay_within_the_bound(void **state)
{
    (void)state;
    static const size_t bounds[] = {300, 2000, 5000, 65536, 1 << 20};
    rng random = {12};
    for (size_t b = 0; b < 5 * 5 * 2; b++) {
        const size_t max = bounds[b % 5];
        failing f;
        failing_init(&f);
        girt_cache *const cache = cache_of(
            &(girt_cache_options){.bytes_max = max,
                                  .policy = (girt_cache_policy)(b / 5 % 5),
                                  .shards = b / 25 == 0 ? 1 : 16,
                                  .allocator = &f.allocator});
        const size_t fixed = f.live_bytes;
        size_t accepted = 0;
        for (uint32_t i = 0; i < 1500; i++) {
            const size_t size =
                4 + rng_below(&random, max / 8 > 4000 ? 4000 : max / 8);
            const girt_status status =
                put_number(cache, (uint32_t)rng_below(&random, 900), i, size);
            if (status != GIRT_OK)
                check_status(status, GIRT_E_TOO_LARGE);
            accepted += status == GIRT_OK;
            girt_cache_stats stats;
            girt_cache_read_stats(cache, &stats);
            assert_true(stats.bytes <= max);
            assert_true(f.live_bytes - fixed <= max);
            assert_int_equal(stats.bytes, f.live_bytes - fixed);
        }
        assert_true(accepted > 0);
        assert_true(girt__cache_is_valid(cache));
        girt_cache_destroy(cache);
        assert_int_equal(f.live_blocks, 0);
    }
}

/* Many small entries, so that index, ghosts and counters have all that they
 * may: whatever they lack, a put goes through. */
static void small_entries_are_never_refused(void **state)
{
    (void)state;
    static const size_t bounds[] = {3000, 15000, 40480, 110000};
    rng random = {7};
    for (int p = 0; p < 5 * 4; p++) {
        girt_cache *const cache =
            cache_of(&(girt_cache_options){.bytes_max = bounds[p % 4],
                                           .policy = (girt_cache_policy)(p / 4),
                                           .seed = 42});
        for (uint32_t i = 0; i < scaled(60000); i++) {
            const uint32_t key =
                (uint32_t)rng_below(&random, bounds[p % 4] / 5);
            girt_cached cached;
            if (girt_cache_get(cache, &key, sizeof key, &cached) == GIRT_OK)
                girt_cache_release(cache, &cached);
            else
                check_status(put_number(cache, key, i, 4), GIRT_OK);
        }
        assert_true(girt__cache_is_valid(cache));
        girt_cache_destroy(cache);
    }
}

static void a_sixty_fourth_is_accepted(void **state)
{
    (void)state;
    enum { MAX = 1 << 20, LARGE = MAX / 64 };
    static unsigned char value[LARGE];
    for (size_t shards = 1; shards <= 1024; shards *= 4) {
        girt_cache *const cache =
            cache_of(&(girt_cache_options){.bytes_max = MAX, .shards = shards});
        for (uint32_t i = 0; i < 20000; i++)
            check_status(put_number(cache, i, i, 4), GIRT_OK);
        for (uint32_t i = 0; i < 200; i++) {
            girt_cached cached;
            check_status(girt_cache_put(cache, &i, 4, value, LARGE - 4, 0),
                         GIRT_OK);
            check_status(girt_cache_get(cache, &i, 4, &cached), GIRT_OK);
            assert_int_equal(cached.size, LARGE - 4);
            girt_cache_release(cache, &cached);
        }
        girt_cache_destroy(cache);
    }
}

static void pinned_stay_and_do_not_count(void **state)
{
    (void)state;
    enum { PINS = 100, SIZE = 1000, MAX = 200000 };
    failing f;
    failing_init(&f);
    girt_cache *const cache = cache_of(
        &(girt_cache_options){.bytes_max = MAX, .allocator = &f.allocator});
    const size_t fixed = f.live_bytes;
    static girt_cached pins[PINS];
    for (uint32_t i = 0; i < PINS; i++) {
        check_status(put_number(cache, i, i, SIZE), GIRT_OK);
        check_status(girt_cache_get(cache, &i, sizeof i, &pins[i]), GIRT_OK);
    }
    /* More than fits: those pinned leave too. */
    for (uint32_t i = PINS; i < 2000; i++)
        check_status(put_number(cache, i, i, SIZE), GIRT_OK);
    girt_cache_clear(cache);
    girt_cache_stats stats;
    girt_cache_read_stats(cache, &stats);
    assert_int_equal(stats.entries, 0);
    assert_true(f.live_bytes - fixed >= stats.bytes + PINS * SIZE);
    for (uint32_t i = 0; i < PINS; i++) {
        assert_memory_equal(pins[i].data, &i, sizeof i);
        girt_cached copy = pins[i];
        girt_cache_release(cache, &copy);
    }
    assert_int_equal(f.live_bytes - fixed, stats.bytes);
    girt_cache_destroy(cache);
    assert_int_equal(f.live_blocks, 0);
}

static void entries_expire(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_cache_options options = {.ttl_ns = 100, .stale_ns = 50};
    girt_clock_manual(&options.clock, &now);
    girt_cache *const cache = cache_of(&options);
    check_status(put(cache, "a", "1"), GIRT_OK);
    check_status(girt_cache_put(cache, "b", 1, "2", 1, 10), GIRT_OK);
    check_status(girt_cache_put(cache, "c", 1, "3", 1, INT64_MAX), GIRT_OK);
    now = 1009;
    check_has(cache, "b", "2", false);
    now = 1010; /* expired when now >= put + ttl */
    check_has(cache, "b", "2", true);
    now = 1059;
    check_has(cache, "b", "2", true);
    now = 1060;
    check_not(cache, "b");
    now = 1099;
    check_has(cache, "a", "1", false);
    now = 1100;
    check_has(cache, "a", "1", true);
    now = 1150;
    check_not(cache, "a");
    now = INT64_MAX - 1;
    check_has(cache, "c", "3", false);
    girt_cache_stats stats;
    girt_cache_read_stats(cache, &stats);
    assert_int_equal(stats.expirations, 2);
    assert_int_equal(stats.entries, 1);
    assert_int_equal(stats.stale_hits, 3);
    assert_int_equal(stats.hits, 6);
    assert_int_equal(stats.misses, 2);
    girt_cache_destroy(cache);
}

typedef struct reentry {
    girt_cache *cache;
    unsigned told, passing;
} reentry;

static void get_when_told(void *context, const void *key, size_t key_size,
                          const void *value, size_t value_size)
{
    reentry *const r = context;
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    r->told++;
    for (uint32_t i = 0; i < girt_load_relaxed(&girt__pins.records); i++)
        r->passing += girt_load_relaxed(&girt__pin_records[i].passing) != 0;
    if (r->passing == 0) /* it would wait for it for ever */
        check_has(r->cache, "there", "v", false);
}

/* One who holds more than its slots and finds an expired entry must have let
 * go of what others wait for when its callback uses the cache. */
static void told_with_nothing_in_hand(void **state)
{
    (void)state;
    int64_t now = 0;
    reentry r = {.told = 0};
    girt_cache_options options = {.on_evict = get_when_told, .context = &r};
    girt_clock_manual(&options.clock, &now);
    r.cache = cache_of(&options);
    check_status(put(r.cache, "there", "v"), GIRT_OK);
    check_status(girt_cache_put(r.cache, "gone", 4, "v", 1, 10), GIRT_OK);
    girt_cached held[GIRT__PIN_SLOTS];
    for (size_t i = 0; i < GIRT__PIN_SLOTS; i++)
        check_status(girt_cache_get(r.cache, "there", 5, &held[i]), GIRT_OK);
    now = 10;
    check_not(r.cache, "gone");
    assert_int_equal(r.told, 1);
    assert_int_equal(r.passing, 0);
    for (size_t i = 0; i < GIRT__PIN_SLOTS; i++)
        girt_cache_release(r.cache, &held[i]);
    girt_cache_destroy(r.cache);
}

static void jitter_only_shortens(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_cache_options options = {.ttl_ns = 1000};
    girt_clock_manual(&options.clock, &now);
    girt_cache *const cache = cache_of(&options);
    check_status(girt_cache_set_jitter(cache, 0.5), GIRT_OK);
    for (uint32_t i = 0; i < 1000; i++)
        check_status(put_number(cache, i, i, 4), GIRT_OK);
    size_t before = 1000;
    for (now = 0; now <= 1000; now += 100) {
        size_t there = 0;
        for (uint32_t i = 0; i < 1000; i++) {
            girt_cached cached;
            if (girt_cache_get(cache, &i, sizeof i, &cached) != GIRT_OK)
                continue;
            girt_cache_release(cache, &cached);
            there++;
        }
        if (now < 500)
            assert_int_equal(there, 1000);
        else if (now > 500 && now < 1000)
            assert_in_range(before - there, 120, 280);
        before = there;
    }
    assert_int_equal(before, 0);
    girt_cache_destroy(cache);
}

static void entries_max_holds(void **state)
{
    (void)state;
    for (int p = 0; p < 5; p++) {
        for (size_t max = 1; max <= 3000; max = max * 3 + 1) {
            girt_cache *const cache = cache_of(&(girt_cache_options){
                .entries_max = max, .policy = (girt_cache_policy)p});
            for (uint32_t i = 0; i < KEYS; i++) {
                check_status(put_number(cache, i, i, 4), GIRT_OK);
                check_status(put_number(cache, i, i, 8), GIRT_OK);
                girt_cached cached;
                check_status(girt_cache_get(cache, &i, 4, &cached), GIRT_OK);
                girt_cache_release(cache, &cached);
                if (i % 64 != 0)
                    continue;
                girt_cache_stats stats;
                girt_cache_read_stats(cache, &stats);
                assert_int_equal(stats.entries, i < max ? i + 1 : max);
            }
            assert_true(girt__cache_is_valid(cache));
            girt_cache_destroy(cache);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_out_of_range),
        cmocka_unit_test(options_in_range),
        cmocka_unit_test(arguments_out_of_range),
        cmocka_unit_test(empty_keys_and_values),
        cmocka_unit_test(who_leaves_is_told_once),
        cmocka_unit_test(replaced_and_removed_are_told),
        cmocka_unit_test(bytes_stay_within_the_bound),
        cmocka_unit_test(small_entries_are_never_refused),
        cmocka_unit_test(a_sixty_fourth_is_accepted),
        cmocka_unit_test(pinned_stay_and_do_not_count),
        cmocka_unit_test(entries_expire),
        cmocka_unit_test(told_with_nothing_in_hand),
        cmocka_unit_test(jitter_only_shortens),
        cmocka_unit_test(entries_max_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
