/* SPDX-License-Identifier: MIT */
/* Goal: any sequence of calls on a map answers like the simplest map there
 * is.  Method: random calls on a small space of keys of many sizes against an
 * array, in phases that fill, churn and drain. */
#include <girt/map.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { SPACE = 12000, KEY_MAX = 300, VALUE = 20 };

typedef struct value {
    unsigned char bytes[VALUE];
} value;

typedef struct twin {
    bool there[SPACE];
    value values[SPACE];
    size_t count;
    girt_map *map;
} twin;

static twin t; /* large: not on the stack */

/* Key n has its number in the first bytes and as many more as n says; key 0
 * is empty, keys 1..255 are one byte long. */
static size_t make_key(unsigned char key[KEY_MAX], uint32_t n)
{
    memset(key, 'k', KEY_MAX);
    if (n == 0)
        return 0;
    if (n < 256) {
        key[0] = (unsigned char)n;
        return 1;
    }
    memcpy(key, &n, sizeof n);
    return sizeof n + n % 290;
}

static value random_value(rng *r)
{
    value v;
    for (size_t i = 0; i < VALUE; i++)
        v.bytes[i] = (unsigned char)rng_next(r);
    return v;
}

static bool same(const value *a, const value *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void set(uint32_t n, const value *v)
{
    t.count += !t.there[n];
    t.there[n] = true;
    t.values[n] = *v;
}

static void unset(uint32_t n)
{
    t.count -= t.there[n];
    t.there[n] = false;
}

static void see_value(void *context, const void *seen)
{
    memcpy(context, seen, VALUE);
}

static void try_read(uint32_t n, bool view)
{
    unsigned char key[KEY_MAX];
    const size_t size = make_key(key, n);
    value v = {{0}};
    const girt_status want = t.there[n] ? GIRT_OK : GIRT_MISSING;
    if (view)
        check_status(girt_map_view(t.map, key, size, see_value, &v), want);
    else
        check_status(girt_map_get(t.map, key, size, &v), want);
    if (t.there[n])
        assert_true(same(&v, &t.values[n]));
}

static void try_store(uint32_t n, const value *v, bool add)
{
    unsigned char key[KEY_MAX];
    const size_t size = make_key(key, n);
    if (!add) {
        check_status(girt_map_put(t.map, key, size, v), GIRT_OK);
        set(n, v);
        return;
    }
    check_status(girt_map_add(t.map, key, size, v),
                 t.there[n] ? GIRT_EXISTS : GIRT_OK);
    if (!t.there[n])
        set(n, v);
}

static void try_remove(uint32_t n)
{
    unsigned char key[KEY_MAX];
    value v = {{0}};
    check_status(girt_map_remove(t.map, key, make_key(key, n), &v),
                 t.there[n] ? GIRT_OK : GIRT_MISSING);
    if (t.there[n])
        assert_true(same(&v, &t.values[n]));
    unset(n);
}

typedef struct wish {
    uint32_t n;
    girt_map_action action;
    value v;
} wish;

static girt_map_action grant(void *context, void *v, bool present)
{
    const wish *const w = context;
    const value zeros = {{0}};
    assert_int_equal(present, t.there[w->n]);
    assert_true(same(v, present ? &t.values[w->n] : &zeros));
    memcpy(v, &w->v, VALUE);
    return w->action;
}

static void try_update(rng *r, uint32_t n, const value *v)
{
    unsigned char key[KEY_MAX];
    wish w = {n, (girt_map_action)rng_below(r, 3), *v};
    const bool ok = t.there[n] || w.action == GIRT_MAP_STORE;
    check_status(girt_map_update(t.map, key, make_key(key, n), grant, &w),
                 ok ? GIRT_OK : GIRT_MISSING);
    if (w.action == GIRT_MAP_STORE)
        set(n, v);
    else if (w.action == GIRT_MAP_REMOVE)
        unset(n);
}

static bool see_entry(void *context, const void *key, size_t key_size,
                      const void *v)
{
    bool *const seen = context;
    unsigned char again[KEY_MAX];
    uint32_t n = 0;
    if (key_size == 1)
        n = *(const unsigned char *)key;
    else if (key_size != 0)
        memcpy(&n, key, sizeof n);
    assert_true(n < SPACE && t.there[n] && !seen[n]);
    assert_int_equal(make_key(again, n), key_size);
    assert_memory_equal(again, key, key_size);
    assert_true(same(v, &t.values[n]));
    seen[n] = true;
    return true;
}

static void check_whole(void)
{
    static bool seen[SPACE];
    memset(seen, 0, sizeof seen);
    check_status(girt_map_each(t.map, see_entry, seen), GIRT_OK);
    assert_memory_equal(seen, t.there, sizeof seen);
    assert_int_equal(girt_map_count(t.map), t.count);
}

static void run_phase(rng *r, size_t steps, uint64_t fill, uint64_t range)
{
    for (size_t i = 0; i < steps; i++) {
        const uint32_t n = (uint32_t)rng_below(r, range);
        const value v = random_value(r);
        const uint64_t dice = rng_below(r, 100);
        if (dice < 50)
            rng_below(r, 100) < fill ? try_store(n, &v, v.bytes[0] & 1)
                                     : try_remove(n);
        else if (dice < 65)
            try_update(r, n, &v);
        else
            try_read(n, dice & 1);
    }
    check_whole();
}

static void any_sequence_answers_like_an_array(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int round = 0; round < 4; round++) {
        memset(&t, 0, sizeof t);
        const girt_map_options options = {
            .value_size = VALUE,
            .expected = round % 2 == 0 ? 0 : rng_below(&r, SPACE),
            .shards = (size_t)round * 2,
            .seed = rng_next(&r)};
        check_status(girt_map_create(&t.map, &options), GIRT_OK);
        run_phase(&r, scaled(2000), 60, 50);
        run_phase(&r, scaled(200000), 90, SPACE);
        run_phase(&r, scaled(150000), 50, SPACE);
        run_phase(&r, scaled(200000), 5, SPACE);
        run_phase(&r, scaled(150000), 95, SPACE);
        girt_map_destroy(t.map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_answers_like_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
