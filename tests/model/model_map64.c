/* SPDX-License-Identifier: MIT */
/* Goal: any sequence of calls on a map64 answers like the simplest map there
 * is.  Method: random calls on a small space of keys against an array, with
 * phases that fill, churn and drain, so that tables grow, split and empty. */
#include <girt/map64.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { SPACE = 30000 };

typedef struct twin {
    bool there[SPACE];
    uint64_t values[SPACE];
    size_t count;
    girt_map64 *map;
    uint64_t spread; /* key number -> key */
} twin;

static twin t; /* large: not on the stack */

static uint64_t key_of(uint64_t number)
{
    return number * t.spread;
}

static void expect(uint64_t n, girt_status actual, girt_status absent)
{
    check_status(actual, t.there[n] ? GIRT_OK : absent);
}

static void set(uint64_t n, uint64_t value)
{
    t.count += !t.there[n];
    t.there[n] = true;
    t.values[n] = value;
}

static void try_put_or_add(uint64_t n, uint64_t v, bool add)
{
    if (!add) {
        check_status(girt_map64_put(t.map, key_of(n), v), GIRT_OK);
        set(n, v);
        return;
    }
    check_status(girt_map64_add(t.map, key_of(n), v),
                 t.there[n] ? GIRT_EXISTS : GIRT_OK);
    if (!t.there[n])
        set(n, v);
}

static void try_get(uint64_t n)
{
    uint64_t value = 1;
    expect(n, girt_map64_get(t.map, key_of(n), &value), GIRT_MISSING);
    assert_true(value == (t.there[n] ? t.values[n] : 1));
}

static void try_remove(uint64_t n)
{
    uint64_t value = 1;
    expect(n, girt_map64_remove(t.map, key_of(n), &value), GIRT_MISSING);
    assert_true(value == (t.there[n] ? t.values[n] : 1));
    t.count -= t.there[n];
    t.there[n] = false;
}

static void try_exchange(uint64_t n, uint64_t v, bool right)
{
    const uint64_t expected = right ? t.values[n] : t.values[n] + 1;
    const girt_status status =
        girt_map64_exchange(t.map, key_of(n), expected, v);
    if (!t.there[n])
        check_status(status, GIRT_MISSING);
    else
        check_status(status, right ? GIRT_OK : GIRT_EXISTS);
    if (status == GIRT_OK)
        t.values[n] = v;
}

static void try_increase(uint64_t n, uint64_t v)
{
    uint64_t sum;
    check_status(girt_map64_increase(t.map, key_of(n), v, &sum), GIRT_OK);
    set(n, (t.there[n] ? t.values[n] : 0) + v);
    assert_true(sum == t.values[n]);
}

static void try_get_n(rng *r)
{
    uint64_t keys[70] = {0}, values[70], numbers[70];
    bool found[70];
    const size_t count = rng_below(r, 71);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = rng_below(r, SPACE);
        keys[i] = key_of(numbers[i]);
    }
    size_t hits = 0;
    const size_t answer = girt_map64_get_n(t.map, keys, values, found, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i], t.there[numbers[i]]);
        if (found[i])
            assert_true(values[i] == t.values[numbers[i]]);
        hits += found[i];
    }
    assert_int_equal(answer, hits);
}

static bool see(void *context, uint64_t key, uint64_t value)
{
    bool *const seen = context;
    uint64_t n = 0;
    /* spread is odd, so division is multiplication by its inverse. */
    uint64_t inverse = t.spread;
    for (int i = 0; i < 5; i++)
        inverse *= 2 - t.spread * inverse;
    n = key * inverse;
    assert_true(n < SPACE && t.there[n] && !seen[n]);
    assert_true(value == t.values[n]);
    seen[n] = true;
    return true;
}

static void check_whole(void)
{
    static bool seen[SPACE];
    memset(seen, 0, sizeof seen);
    check_status(girt_map64_each(t.map, see, seen), GIRT_OK);
    assert_memory_equal(seen, t.there, sizeof seen);
    assert_int_equal(girt_map64_count(t.map), t.count);
}

/* `fill`: how many of a hundred changes insert. */
static void run_phase(rng *r, size_t steps, uint64_t fill, uint64_t range)
{
    for (size_t i = 0; i < steps; i++) {
        const uint64_t n = rng_below(r, range);
        const uint64_t v = rng_next(r);
        const uint64_t dice = rng_below(r, 100);
        if (dice < 40)
            rng_below(r, 100) < fill ? try_put_or_add(n, v, v & 1)
                                     : try_remove(n);
        else if (dice < 50)
            rng_below(r, 100) < fill ? try_increase(n, v) : try_remove(n);
        else if (dice < 60)
            try_exchange(n, v, v & 2);
        else if (dice < 61)
            try_get_n(r);
        else
            try_get(n);
    }
    check_whole();
}

static void any_sequence_answers_like_an_array(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int round = 0; round < 4; round++) {
        memset(&t, 0, sizeof t);
        t.spread = rng_next(&r) | 1;
        const size_t expected = round % 2 == 0 ? 0 : rng_below(&r, SPACE);
        check_status(girt_map64_create(&t.map, expected, NULL), GIRT_OK);
        run_phase(&r, scaled(2000), 60, 50);
        run_phase(&r, scaled(800000), 90, SPACE);
        run_phase(&r, scaled(400000), 50, SPACE);
        run_phase(&r, scaled(800000), 5, SPACE);
        run_phase(&r, scaled(400000), 95, SPACE);
        girt_map64_destroy(t.map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_answers_like_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
