/* SPDX-License-Identifier: MIT */
/* Goal: what is saved comes back, with what was left of its time, and no file
 * that is torn or made up changes a cache.  Method: files in memory; every
 * length, every bit of a small one, and seeded mutations of it. */
#include <girt/cache.h>
#include <girt/hash.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static int new_file(void)
{
    const int fd = memfd_create("snapshot", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void rewind_file(int fd)
{
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static girt_cache *cache_of(girt_cache_options options, int64_t *now)
{
    girt_cache *cache = NULL;
    if (now != NULL)
        girt_clock_manual(&options.clock, now);
    check_status(girt_cache_create(&cache, &options), GIRT_OK);
    return cache;
}

static uint64_t entries_of(girt_cache *cache)
{
    girt_cache_stats stats;
    girt_cache_read_stats(cache, &stats);
    return stats.entries;
}

static bool has(girt_cache *cache, const char *key, bool *stale)
{
    girt_cached cached;
    if (girt_cache_get(cache, key, strlen(key), &cached) != GIRT_OK)
        return false;
    *stale = cached.stale;
    girt_cache_release(cache, &cached);
    return true;
}

static void arguments_out_of_range(void **state)
{
    (void)state;
    girt_cache *const cache = cache_of((girt_cache_options){0}, NULL);
    check_status(girt_cache_save(NULL, 1), GIRT_E_INVALID);
    check_status(girt_cache_save(cache, -1), GIRT_E_INVALID);
    check_status(girt_cache_restore(NULL, 1), GIRT_E_INVALID);
    check_status(girt_cache_restore(cache, -1), GIRT_E_INVALID);
    const int fd = new_file();
    close(fd);
    check_status(girt_cache_save(cache, fd), GIRT_E_SYSTEM);
    check_status(girt_cache_restore(cache, fd), GIRT_E_SYSTEM);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    check_status(girt_cache_restore(cache, pipes[0]), GIRT_E_SYSTEM);
    close(pipes[0]);
    close(pipes[1]);
    girt_cache_destroy(cache);
}

/* Sizes around the blocks of 16 KiB in which files are written. */
static void entries_come_back(void **state)
{
    (void)state;
    static unsigned char value[40000];
    for (size_t step = 16300; step < 16460; step++) {
        girt_cache *const a = cache_of((girt_cache_options){0}, NULL);
        girt_cache *const b = cache_of((girt_cache_options){.shards = 4}, NULL);
        memset(value, (int)step, sizeof value);
        const int fd = new_file();
        assert_int_equal(write(fd, "before", 6), 6);
        check_status(girt_cache_put(a, "one", 3, value, step - 16, 0), GIRT_OK);
        check_status(girt_cache_put(a, "", 0, NULL, 0, 0), GIRT_OK);
        check_status(girt_cache_save(a, fd), GIRT_OK);
        assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
        check_status(girt_cache_restore(b, fd), GIRT_OK);
        girt_cached cached;
        check_status(girt_cache_get(b, "one", 3, &cached), GIRT_OK);
        assert_int_equal(cached.size, step - 16);
        assert_memory_equal(cached.data, value, cached.size);
        girt_cache_release(b, &cached);
        assert_int_equal(entries_of(b), 2);
        close(fd);
        girt_cache_destroy(a);
        girt_cache_destroy(b);
    }
}

static void many_entries_come_back(void **state)
{
    (void)state;
    girt_cache *const a = cache_of((girt_cache_options){.seed = 1}, NULL);
    girt_cache *const b = cache_of((girt_cache_options){.seed = 2}, NULL);
    for (uint32_t i = 0; i < 20000; i++)
        check_status(girt_cache_put(a, &i, sizeof i, &i, i % 4, 0), GIRT_OK);
    const uint32_t mine = 7;
    check_status(girt_cache_put(b, &mine, sizeof mine, "mine", 4, 0), GIRT_OK);
    const int fd = new_file();
    check_status(girt_cache_save(a, fd), GIRT_OK);
    rewind_file(fd);
    check_status(girt_cache_restore(b, fd), GIRT_OK);
    for (uint32_t i = 0; i < 20000; i++) {
        girt_cached cached;
        check_status(girt_cache_get(b, &i, sizeof i, &cached), GIRT_OK);
        assert_int_equal(cached.size, i == mine ? 4 : i % 4);
        assert_memory_equal(cached.data, i == mine ? (const void *)"mine" : &i,
                            cached.size);
        girt_cache_release(b, &cached);
    }
    /* A smaller one takes what it can hold. */
    girt_cache *const c =
        cache_of((girt_cache_options){.bytes_max = 100000}, NULL);
    rewind_file(fd);
    check_status(girt_cache_restore(c, fd), GIRT_OK);
    assert_in_range(entries_of(c), 500, 1500);
    close(fd);
    girt_cache_destroy(a);
    girt_cache_destroy(b);
    girt_cache_destroy(c);
}

/* An index that may not grow has one long chain. */
static void a_long_chain_comes_back(void **state)
{
    (void)state;
    enum { ENTRIES = 170 };
    girt_cache *const a = cache_of((girt_cache_options){.shards = 1}, NULL);
    girt_cache *const b = cache_of((girt_cache_options){0}, NULL);
    a->extra_bytes = a->bytes_max / 2;
    for (uint32_t i = 0; i < ENTRIES; i++)
        check_status(girt_cache_put(a, &i, sizeof i, &i, sizeof i, 0), GIRT_OK);
    assert_int_equal(entries_of(a), ENTRIES);
    const int fd = new_file();
    check_status(girt_cache_save(a, fd), GIRT_OK);
    rewind_file(fd);
    check_status(girt_cache_restore(b, fd), GIRT_OK);
    assert_int_equal(entries_of(b), ENTRIES);
    close(fd);
    girt_cache_destroy(a);
    girt_cache_destroy(b);
}

static void time_goes_on(void **state)
{
    (void)state;
    int64_t now = 1000, later = 77;
    const girt_cache_options options = {.ttl_ns = 100, .stale_ns = 50};
    girt_cache *const a = cache_of(options, &now);
    girt_cache *const b = cache_of(options, &later);
    check_status(girt_cache_put(a, "fresh", 5, "v", 1, 0), GIRT_OK);
    check_status(girt_cache_put(a, "stale", 5, "v", 1, 20), GIRT_OK);
    check_status(girt_cache_put(a, "gone", 4, "v", 1, 5), GIRT_OK);
    check_status(girt_cache_put(a, "ever", 4, "v", 1, INT64_MAX), GIRT_OK);
    now = 1060;
    const int fd = new_file();
    check_status(girt_cache_save(a, fd), GIRT_OK);
    rewind_file(fd);
    check_status(girt_cache_restore(b, fd), GIRT_OK);
    bool stale = true;
    assert_false(has(b, "gone", &stale));
    assert_true(has(b, "fresh", &stale));
    assert_false(stale);
    assert_true(has(b, "stale", &stale));
    assert_true(stale);
    later = 77 + 40;
    assert_true(has(b, "fresh", &stale));
    assert_true(stale);
    assert_false(has(b, "stale", &stale));
    later = INT64_MAX - 1;
    assert_true(has(b, "ever", &stale));
    close(fd);
    girt_cache_destroy(a);
    girt_cache_destroy(b);
}

/* One that has expired and was not asked for since is not there. */
static void expired_do_not_stay(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_cache *const a = cache_of((girt_cache_options){0}, &now);
    girt_cache *const b = cache_of((girt_cache_options){.stale_ns = 5}, &now);
    check_status(girt_cache_put(a, "fresh", 5, "new", 3, 0), GIRT_OK);
    check_status(girt_cache_put(a, "stale", 5, "new", 3, 0), GIRT_OK);
    check_status(girt_cache_put(a, "gone", 4, "new", 3, 0), GIRT_OK);
    check_status(girt_cache_put(b, "fresh", 5, "v", 1, 11), GIRT_OK);
    check_status(girt_cache_put(b, "stale", 5, "v", 1, 10), GIRT_OK);
    check_status(girt_cache_put(b, "gone", 4, "v", 1, 5), GIRT_OK);
    now = 10;
    const int fd = new_file();
    check_status(girt_cache_save(a, fd), GIRT_OK);
    rewind_file(fd);
    check_status(girt_cache_restore(b, fd), GIRT_OK);
    girt_cached cached;
    check_status(girt_cache_get(b, "gone", 4, &cached), GIRT_OK);
    assert_int_equal(cached.size, 3);
    girt_cache_release(b, &cached);
    bool stale = true;
    assert_true(has(b, "fresh", &stale));
    assert_false(stale);
    assert_true(has(b, "stale", &stale));
    assert_true(stale);
    girt_cache_stats stats;
    girt_cache_read_stats(b, &stats);
    assert_int_equal(stats.expirations, 1);
    assert_int_equal(stats.entries, 3);
    close(fd);
    girt_cache_destroy(a);
    girt_cache_destroy(b);
}

/* ---- hostile files ------------------------------------------------------ */

static size_t make_bytes(uint32_t entries, size_t value_size,
                         unsigned char **bytes)
{
    static const unsigned char value[5000] = "value";
    girt_cache *const cache = cache_of((girt_cache_options){0}, NULL);
    for (uint32_t i = 0; i < entries; i++)
        check_status(
            girt_cache_put(cache, &i, sizeof i, value, value_size + i % 5, 0),
            GIRT_OK);
    const int fd = new_file();
    check_status(girt_cache_save(cache, fd), GIRT_OK);
    const size_t size = (size_t)lseek(fd, 0, SEEK_END);
    *bytes = malloc(size);
    assert_int_equal(pread(fd, *bytes, size, 0), size);
    close(fd);
    girt_cache_destroy(cache);
    return size;
}

static girt_status restore_bytes(girt_cache *cache, const void *bytes,
                                 size_t size)
{
    const int fd = new_file();
    assert_int_equal(write(fd, bytes, size), size);
    rewind_file(fd);
    const girt_status status = girt_cache_restore(cache, fd);
    close(fd);
    return status;
}

static void torn_and_damaged_files(void **state)
{
    (void)state;
    unsigned char *bytes;
    const size_t size = make_bytes(4, 1, &bytes);
    girt_cache *const cache = cache_of((girt_cache_options){0}, NULL);
    for (size_t end = 0; end < size; end++)
        check_status(restore_bytes(cache, bytes, end), GIRT_E_CORRUPT);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        check_status(restore_bytes(cache, bytes, size), GIRT_E_CORRUPT);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    unsigned char *const longer = calloc(1, size + 1);
    memcpy(longer, bytes, size);
    check_status(restore_bytes(cache, longer, size + 1), GIRT_E_CORRUPT);
    assert_int_equal(entries_of(cache), 0);
    check_status(restore_bytes(cache, bytes, size), GIRT_OK);
    assert_int_equal(entries_of(cache), 4);
    free(longer);
    free(bytes);
    girt_cache_destroy(cache);
}

/* A forger can compute the checksum: what it signs is then checked alone. */
static void sign(unsigned char *bytes, size_t size)
{
    enum { BLOCK = 16 << 10 };
    uint64_t sum = 0;
    size_t at = 0;
    for (; size - 8 - at >= BLOCK; at += BLOCK)
        sum = girt_hash(bytes + at, BLOCK, sum);
    sum = girt_hash(bytes + at, size - 8 - at, sum);
    for (int i = 0; i < 8; i++)
        bytes[size - 8 + (size_t)i] = (unsigned char)(sum >> 8 * i);
}

/* Sizes, kinds and times are where forgeries hurt: the heads of records. */
static size_t place_to_forge(rng *random, size_t size, size_t record)
{
    if (rng_below(random, 2) == 0)
        return rng_below(random, size);
    const size_t at =
        16 + rng_below(random, size / record) * record + rng_below(random, 24);
    return at < size ? at : size - 1;
}

static void forge(uint32_t entries, size_t value_size, size_t rounds)
{
    unsigned char *bytes;
    const size_t size = make_bytes(entries, value_size, &bytes);
    unsigned char *const forged = malloc(size + 64);
    rng random = {test_seed()};
    failing f;
    failing_init(&f);
    girt_cache *const cache = cache_of(
        (girt_cache_options){.allocator = &f.allocator, .bytes_max = 1 << 16},
        NULL);
    const size_t fixed = f.live_bytes;
    size_t accepted = 0;
    memcpy(forged, bytes, size);
    sign(forged, size);
    assert_memory_equal(forged, bytes, size);
    for (size_t i = 0; i < rounds; i++) {
        size_t forged_size = size - rng_below(&random, 3) * 8;
        memcpy(forged, bytes, size);
        for (uint64_t n = 1 + rng_below(&random, 4); n != 0; n--) {
            static const unsigned char odd[] = {0, 1, 0x7f, 0x80, 0xff};
            forged[place_to_forge(&random, forged_size, 24 + 4 + value_size)] =
                rng_below(&random, 2) != 0 ? odd[rng_below(&random, 5)]
                                           : (unsigned char)rng_next(&random);
        }
        sign(forged, forged_size);
        girt_cache_stats before, after;
        girt_cache_read_stats(cache, &before);
        const girt_status status = restore_bytes(cache, forged, forged_size);
        girt_cache_read_stats(cache, &after);
        if (status != GIRT_OK) {
            check_status(status, GIRT_E_CORRUPT);
            assert_memory_equal(&before, &after, sizeof before);
        }
        accepted += status == GIRT_OK;
        assert_true(f.live_bytes - fixed <= 1 << 16);
    }
    assert_true(accepted > 0); /* changed keys and values are no damage */
    assert_true(girt__cache_is_valid(cache));
    girt_cache_destroy(cache);
    assert_int_equal(f.live_blocks, 0);
    free(forged);
    free(bytes);
}

static void forged_files(void **state)
{
    (void)state;
    forge(4, 1, scaled(20000));
    forge(200, 200, scaled(1000)); /* three blocks */
    forge(5, 4900, scaled(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_out_of_range),
        cmocka_unit_test(entries_come_back),
        cmocka_unit_test(many_entries_come_back),
        cmocka_unit_test(a_long_chain_comes_back),
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(expired_do_not_stay),
        cmocka_unit_test(torn_and_damaged_files),
        cmocka_unit_test(forged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
