/* SPDX-License-Identifier: MIT */
/* Goal: every call of map.h answers as its documentation says, bad input
 * included.  Method: one small case a promise. */
#include <girt/map.h>

#include <girt/epoch.h>

#include "support/check.h"
#include "support/failing.h"

enum { KEY_MAX = 65536 };

static girt_map *make(size_t value_size)
{
    girt_map *map = NULL;
    const girt_map_options options = {.value_size = value_size};
    check_status(girt_map_create(&map, &options), GIRT_OK);
    assert_non_null(map);
    return map;
}

static void refuse(const girt_map_options *options, girt_status status)
{
    girt_map *const untouched = (girt_map *)(uintptr_t)16;
    girt_map *map = untouched;
    check_status(girt_map_create(&map, options), status);
    assert_ptr_equal(map, untouched);
}

static void create_refuses_bad_options(void **state)
{
    (void)state;
    static char long_name[10001];
    memset(long_name, 'x', 10000);
    const girt_allocator half = {.allocate =
                                     (void *(*)(void *, size_t, size_t))1};
    refuse(NULL, GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 0}, GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 65537}, GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = SIZE_MAX}, GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 1, .expected = SIZE_MAX},
           GIRT_E_TOO_LARGE);
    refuse(&(girt_map_options){.value_size = 1, .expected = (size_t)1 << 63},
           GIRT_E_TOO_LARGE);
    refuse(&(girt_map_options){.value_size = 1, .expected = (size_t)1 << 40},
           GIRT_E_NOMEM);
    refuse(&(girt_map_options){.value_size = 1, .shards = 65537},
           GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 1, .shards = SIZE_MAX},
           GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 1, .name = ""}, GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 1, .name = long_name},
           GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 1,
                               .metrics = (girt_metrics *)(uintptr_t)8},
           GIRT_E_INVALID);
    refuse(&(girt_map_options){.value_size = 1, .allocator = &half},
           GIRT_E_INVALID);
    for (size_t i = 0; i < 4; i++) {
        girt_map_options options = {.value_size = 1};
        options.reserved[i] = 1;
        refuse(&options, GIRT_E_INVALID);
    }
    const girt_map_options good = {.value_size = 1};
    check_status(girt_map_create(NULL, &good), GIRT_E_INVALID);
    girt_map_destroy(NULL);
}

static void create_takes_the_whole_range(void **state)
{
    (void)state;
    char name[256];
    memset(name, ' ', 255);
    name[255] = '\0';
    const girt_map_options options[] = {
        {.value_size = 1, .shards = 3, .name = "x"},
        {.value_size = 65536, .shards = 65536, .seed = 1},
        {.value_size = 8, .expected = 100000, .shards = 8, .name = name}};
    for (size_t i = 0; i < 3; i++) {
        girt_map *map;
        check_status(girt_map_create(&map, &options[i]), GIRT_OK);
        assert_int_equal(girt_map_count(map), 0);
        girt_map_destroy(map);
    }
}

static girt_map_action never(void *context, void *value, bool present)
{
    (void)context;
    (void)value;
    (void)present;
    fail_msg("called");
    return GIRT_MAP_KEEP;
}

static void never_view(void *context, const void *value)
{
    (void)context;
    (void)value;
    fail_msg("called");
}

static bool never_each(void *context, const void *key, size_t key_size,
                       const void *value)
{
    (void)context;
    (void)key;
    (void)key_size;
    (void)value;
    fail_msg("called");
    return false;
}

static void all_answer(girt_map *map, const void *key, size_t size,
                       girt_status status)
{
    uint64_t value = 5;
    check_status(girt_map_get(map, key, size, &value), status);
    check_status(girt_map_view(map, key, size, never_view, NULL), status);
    check_status(girt_map_put(map, key, size, &value), status);
    check_status(girt_map_add(map, key, size, &value), status);
    check_status(girt_map_remove(map, key, size, &value), status);
    check_status(girt_map_update(map, key, size, never, NULL), status);
    assert_int_equal(value, 5);
}

static void null_and_too_large_are_refused(void **state)
{
    (void)state;
    girt_map *const map = make(8);
    all_answer(NULL, "k", 1, GIRT_E_INVALID);
    all_answer(map, NULL, 1, GIRT_E_INVALID);
    all_answer(map, NULL, (size_t)1 << 32, GIRT_E_INVALID);
    all_answer(map, "k", KEY_MAX + 1, GIRT_E_TOO_LARGE);
    all_answer(map, "k", (size_t)1 << 32, GIRT_E_TOO_LARGE);
    all_answer(map, "k", SIZE_MAX, GIRT_E_TOO_LARGE);
    uint64_t value = 5;
    check_status(girt_map_put(map, "k", 1, &value), GIRT_OK);
    check_status(girt_map_get(map, "k", 1, NULL), GIRT_E_INVALID);
    check_status(girt_map_put(map, "k", 1, NULL), GIRT_E_INVALID);
    check_status(girt_map_add(map, "l", 1, NULL), GIRT_E_INVALID);
    check_status(girt_map_view(map, "k", 1, NULL, NULL), GIRT_E_INVALID);
    check_status(girt_map_update(map, "k", 1, NULL, NULL), GIRT_E_INVALID);
    check_status(girt_map_each(map, NULL, NULL), GIRT_E_INVALID);
    check_status(girt_map_each(NULL, never_each, NULL), GIRT_E_INVALID);
    assert_int_equal(girt_map_count(map), 1);
    assert_int_equal(girt_map_count(NULL), 0);
    assert_int_equal(girt_map_bytes(NULL), 0);
    girt_map_destroy(map);
}

static void keys_are_told_apart_by_size_and_bytes(void **state)
{
    (void)state;
    girt_map *const map = make(8);
    static unsigned char large[KEY_MAX];
    const struct {
        const void *key;
        size_t size;
    } keys[] = {{NULL, 0},   {"\0", 1},        {"\0\0", 2},
                {"a", 1},    {"a\0", 2},       {"ab", 2},
                {large, 17}, {large, KEY_MAX}, {large, KEY_MAX - 1}};
    enum { KEYS = sizeof keys / sizeof *keys };
    for (uint64_t i = 0; i < KEYS; i++) {
        check_status(girt_map_add(map, keys[i].key, keys[i].size, &i), GIRT_OK);
        check_status(girt_map_add(map, keys[i].key, keys[i].size, &i),
                     GIRT_EXISTS);
    }
    assert_int_equal(girt_map_count(map), KEYS);
    /* The empty key is the same whatever it points to. */
    uint64_t value;
    check_status(girt_map_get(map, "x", 0, &value), GIRT_OK);
    assert_int_equal(value, 0);
    for (uint64_t i = 0; i < KEYS; i++) {
        check_status(girt_map_get(map, keys[i].key, keys[i].size, &value),
                     GIRT_OK);
        assert_int_equal(value, i);
        check_status(girt_map_remove(map, keys[i].key, keys[i].size,
                                     i % 2 ? &value : NULL),
                     GIRT_OK);
        check_status(girt_map_remove(map, keys[i].key, keys[i].size, &value),
                     GIRT_MISSING);
        check_status(girt_map_get(map, keys[i].key, keys[i].size, &value),
                     GIRT_MISSING);
    }
    assert_int_equal(girt_map_count(map), 0);
    girt_map_destroy(map);
}

static void values_of_every_size_come_back(void **state)
{
    (void)state;
    const size_t sizes[] = {1,  7,  8,  9,  15, 16, 17,   31,
                            32, 33, 63, 64, 65, 96, 1000, 65536};
    static unsigned char in[65536], out[65537];
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        girt_map *const map = make(sizes[s]);
        for (size_t i = 0; i < sizes[s]; i++)
            in[i] = (unsigned char)(i * 7 + s);
        check_status(girt_map_put(map, "k", 1, in), GIRT_OK);
        memset(in, 0, sizeof in); /* it was copied */
        memset(out, 0xee, sizeof out);
        check_status(girt_map_get(map, "k", 1, out), GIRT_OK);
        for (size_t i = 0; i < sizes[s]; i++)
            assert_int_equal(out[i], (unsigned char)(i * 7 + s));
        assert_int_equal(out[sizes[s]], 0xee);
        memset(out, 0xee, sizeof out);
        check_status(girt_map_remove(map, "k", 1, out), GIRT_OK);
        assert_int_equal(out[sizes[s] - 1],
                         (unsigned char)((sizes[s] - 1) * 7 + s));
        assert_int_equal(out[sizes[s]], 0xee);
        girt_map_destroy(map);
    }
}

typedef struct run {
    girt_map_action action;
    uint64_t write;
    uint64_t saw;
    bool present;
    int calls;
} run;

static girt_map_action do_run(void *context, void *value, bool present)
{
    run *const r = context;
    assert_int_equal((uintptr_t)value % _Alignof(max_align_t), 0);
    r->calls++;
    r->present = present;
    memcpy(&r->saw, value, sizeof r->saw);
    memcpy(value, &r->write, sizeof r->write);
    return r->action;
}

static void update_does_what_the_function_says(void **state)
{
    (void)state;
    girt_map *const map = make(8);
    uint64_t value;
    run r = {.action = GIRT_MAP_KEEP, .write = 1};
    check_status(girt_map_update(map, "k", 1, do_run, &r), GIRT_MISSING);
    assert_true(r.calls == 1 && !r.present && r.saw == 0);
    r.action = GIRT_MAP_REMOVE;
    check_status(girt_map_update(map, "k", 1, do_run, &r), GIRT_MISSING);
    assert_int_equal(girt_map_count(map), 0);
    r.action = GIRT_MAP_STORE;
    check_status(girt_map_update(map, "k", 1, do_run, &r), GIRT_OK);
    assert_int_equal(girt_map_count(map), 1);
    r = (run){.action = GIRT_MAP_KEEP, .write = 2};
    check_status(girt_map_update(map, "k", 1, do_run, &r), GIRT_OK);
    assert_true(r.calls == 1 && r.present && r.saw == 1);
    check_status(girt_map_get(map, "k", 1, &value), GIRT_OK);
    assert_int_equal(value, 1); /* kept, whatever was written */
    r = (run){.action = GIRT_MAP_STORE, .write = 3};
    check_status(girt_map_update(map, "k", 1, do_run, &r), GIRT_OK);
    check_status(girt_map_get(map, "k", 1, &value), GIRT_OK);
    assert_int_equal(value, 3);
    r = (run){.action = GIRT_MAP_REMOVE, .write = 4};
    check_status(girt_map_update(map, "k", 1, do_run, &r), GIRT_OK);
    assert_true(r.present && r.saw == 3);
    check_status(girt_map_get(map, "k", 1, &value), GIRT_MISSING);
    assert_int_equal(girt_map_count(map), 0);
    girt_map_destroy(map);
}

typedef struct meddler {
    girt_map *map;
    int calls;
} meddler;

/* What no user may do, and a test must, to stand for another thread. */
static girt_map_action change_it_once(void *context, void *value, bool present)
{
    meddler *const m = context;
    const uint64_t other = 50;
    uint64_t mine;
    if (m->calls++ == 0)
        check_status(girt_map_put(m->map, "k", 1, &other), GIRT_OK);
    else
        assert_true(present);
    memcpy(&mine, value, sizeof mine);
    mine++;
    memcpy(value, &mine, sizeof mine);
    return GIRT_MAP_STORE;
}

static void update_runs_again_when_the_key_changed(void **state)
{
    (void)state;
    uint64_t value = 7;
    meddler m = {.map = make(8)};
    check_status(girt_map_update(m.map, "k", 1, change_it_once, &m), GIRT_OK);
    assert_int_equal(m.calls, 2);
    check_status(girt_map_get(m.map, "k", 1, &value), GIRT_OK);
    assert_int_equal(value, 51);
    m.calls = 0;
    check_status(girt_map_update(m.map, "k", 1, change_it_once, &m), GIRT_OK);
    assert_int_equal(m.calls, 2);
    assert_int_equal(girt_map_count(m.map), 1);
    girt_map_destroy(m.map);
}

static void note_value(void *context, const void *value)
{
    assert_int_equal((uintptr_t)value % _Alignof(max_align_t), 0);
    memcpy(context, value, 24);
}

static void view_shows_an_aligned_value(void **state)
{
    (void)state;
    girt_map *const map = make(24);
    char value[24] = "twenty-three characters";
    char saw[24] = {0};
    check_status(girt_map_view(map, "k", 1, never_view, NULL), GIRT_MISSING);
    check_status(girt_map_put(map, "k", 1, value), GIRT_OK);
    check_status(girt_map_view(map, "k", 1, note_value, saw), GIRT_OK);
    assert_string_equal(saw, value);
    girt_map_destroy(map);
}

enum { MANY = 20000 };

typedef struct tally {
    uint8_t seen[MANY];
    size_t calls, stop_after;
    girt_map *map;
} tally;

static bool tally_one(void *context, const void *key, size_t key_size,
                      const void *value)
{
    tally *const t = context;
    uint32_t number;
    uint64_t v, again;
    assert_int_equal(key_size, sizeof number);
    memcpy(&number, key, sizeof number);
    memcpy(&v, value, sizeof v);
    assert_true(number < MANY && v == number + 1u);
    t->seen[number]++;
    check_status(girt_map_get(t->map, key, key_size, &again), GIRT_OK);
    assert_true(again == v);
    return ++t->calls != t->stop_after;
}

static void each_shows_every_entry_once(void **state)
{
    (void)state;
    static tally t;
    memset(&t, 0, sizeof t);
    t.map = make(8);
    check_status(girt_map_each(t.map, never_each, NULL), GIRT_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        const uint64_t v = i + 1u;
        check_status(girt_map_put(t.map, &i, sizeof i, &v), GIRT_OK);
    }
    check_status(girt_map_each(t.map, tally_one, &t), GIRT_OK);
    assert_int_equal(t.calls, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(t.seen[i], 1);
    t.calls = 0;
    t.stop_after = 3000;
    check_status(girt_map_each(t.map, tally_one, &t), GIRT_OK);
    assert_int_equal(t.calls, 3000);
    girt_map_destroy(t.map);
}

static void bytes_are_what_the_allocator_gave(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_map *map;
    const girt_map_options options = {.value_size = 40,
                                      .allocator = &f.allocator};
    check_status(girt_map_create(&map, &options), GIRT_OK);
    const char value[40] = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        check_status(girt_map_put(map, &i, i % 5, value), GIRT_OK);
        check_status(girt_map_put(map, &i, sizeof i, value), GIRT_OK);
    }
    assert_int_equal(girt_map_bytes(map), f.live_bytes);
    for (uint32_t i = 0; i < 5000; i++)
        check_status(girt_map_remove(map, &i, sizeof i, NULL), GIRT_OK);
    girt_epoch_barrier();
    assert_int_equal(girt_map_bytes(map), f.live_bytes);
    girt_map_destroy(map);
    assert_int_equal(f.live_blocks, 0);
}

/* Two maps with the same seed and two without must both just work; nothing
 * else can be said of a seed from outside. */
static void a_seed_may_be_given(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        girt_map *map;
        const girt_map_options options = {.value_size = 4, .seed = seed};
        check_status(girt_map_create(&map, &options), GIRT_OK);
        for (uint32_t i = 0; i < 3000; i++)
            check_status(girt_map_add(map, &i, sizeof i, &i), GIRT_OK);
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t value;
            check_status(girt_map_get(map, &i, sizeof i, &value), GIRT_OK);
            assert_int_equal(value, i);
        }
        girt_map_destroy(map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_refuses_bad_options),
        cmocka_unit_test(create_takes_the_whole_range),
        cmocka_unit_test(null_and_too_large_are_refused),
        cmocka_unit_test(keys_are_told_apart_by_size_and_bytes),
        cmocka_unit_test(values_of_every_size_come_back),
        cmocka_unit_test(update_does_what_the_function_says),
        cmocka_unit_test(update_runs_again_when_the_key_changed),
        cmocka_unit_test(view_shows_an_aligned_value),
        cmocka_unit_test(each_shows_every_entry_once),
        cmocka_unit_test(bytes_are_what_the_allocator_gave),
        cmocka_unit_test(a_seed_may_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
