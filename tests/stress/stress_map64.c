/* SPDX-License-Identifier: MIT */
/* Goal: no key is ever lost, doubled or given another key's value while
 * threads change, grow and walk one map64.  Method: each thread owns keys and
 * knows at every moment what they must answer, to itself and, as far as it
 * has published, to others; values name their key; sums and locks must come
 * out exact. */
#include <girt/map64.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "map/map_index.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { WRITERS = 3, READERS = 2, THREADS = WRITERS + READERS };

typedef struct GIRT_ALIGNED(128) progress {
    uint64_t done; /* keys that this writer has inserted */
} progress;

typedef struct field {
    girt_map64 *map;
    uint64_t spread; /* odd: number -> key */
    uint64_t seed;
    size_t steps;
    progress writers[WRITERS];
    uint64_t running; /* writers that have not ended */
    uint64_t counter; /* plain: under the lock that a key is */
} field;

static field f;

static void begin(size_t expected, size_t steps)
{
    memset(&f, 0, sizeof f);
    f.seed = test_seed();
    rng r = {f.seed};
    f.spread = rng_next(&r) | 1;
    f.steps = scaled(steps);
    f.running = WRITERS;
    check_status(girt_map64_create(&f.map, expected, NULL), GIRT_OK);
}

static void end(void)
{
    girt_map64_destroy(f.map);
}

/* Writer w's key number i. */
static uint64_t key_of(uint64_t w, uint64_t i)
{
    return (i * WRITERS + w) * f.spread;
}

static uint64_t value_of(uint64_t key)
{
    return ~key * 31;
}

static bool writers_run(void)
{
    return girt_load_acquire(&f.running) != 0;
}

static void writer_ends(void)
{
    (void)girt_sub_release(&f.running, 1);
}

static void must_hold(uint64_t key)
{
    uint64_t value = 0;
    check_status(girt_map64_get(f.map, key, &value), GIRT_OK);
    assert_true(value == value_of(key));
}

static void insert_and_publish(uint64_t w)
{
    for (uint64_t i = 0; i < f.steps; i++) {
        const uint64_t key = key_of(w, i);
        check_status(girt_map64_add(f.map, key, value_of(key)), GIRT_OK);
        girt_store_release(&f.writers[w].done, i + 1);
    }
    writer_ends();
}

static void find_all_published(rng *r)
{
    while (writers_run()) {
        const uint64_t w = rng_below(r, WRITERS);
        const uint64_t done = girt_load_acquire(&f.writers[w].done);
        if (done == 0)
            continue;
        must_hold(key_of(w, done - 1));
        must_hold(key_of(w, rng_below(r, done)));
        uint64_t keys[40], values[40];
        bool found[40];
        for (size_t i = 0; i < 40; i++)
            keys[i] = key_of(w, rng_below(r, done));
        assert_int_equal(girt_map64_get_n(f.map, keys, values, found, 40), 40);
        for (size_t i = 0; i < 40; i++)
            assert_true(values[i] == value_of(keys[i]));
    }
}

static void grow_thread(void *context, size_t index)
{
    (void)context;
    rng r = {f.seed + index};
    if (index < WRITERS)
        insert_and_publish(index);
    else
        find_all_published(&r);
}

static void no_key_is_lost_in_growth(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        begin(0, 100000);
        threads_run(THREADS, grow_thread, NULL);
        assert_int_equal(girt_map64_count(f.map), f.steps * WRITERS);
        for (uint64_t w = 0; w < WRITERS; w++)
            for (uint64_t i = 0; i < f.steps; i++)
                must_hold(key_of(w, i));
        end();
    }
}

/* Each writer changes its own keys and checks each answer; a value says which
 * key it belongs to. */
enum { OWN = 6000 };

static uint64_t churn_value(uint64_t number, uint64_t w, uint64_t version)
{
    return version << 32 | number << 8 | w;
}

static void check_own(uint64_t w, uint64_t n, bool there, uint64_t value)
{
    uint64_t got = 1;
    check_status(girt_map64_get(f.map, key_of(w, n), &got),
                 there ? GIRT_OK : GIRT_MISSING);
    assert_true(got == (there ? value : 1));
}

static void churn_own(uint64_t w, rng *r)
{
    bool there[OWN] = {false};
    uint64_t values[OWN] = {0};
    uint64_t range = 64; /* grows, so that tables split all the while */
    for (size_t i = 0; i < f.steps; i++) {
        range += i % 16 == 0 && range < OWN;
        const uint64_t n = rng_below(r, range);
        const uint64_t key = key_of(w, n);
        const uint64_t value = churn_value(n, w, i);
        uint64_t old = 0;
        switch (rng_below(r, 5)) {
        case 0:
        case 1:
            check_status(girt_map64_put(f.map, key, value), GIRT_OK);
            there[n] = true;
            values[n] = value;
            break;
        case 2:
            check_status(girt_map64_exchange(f.map, key, values[n], value),
                         there[n] ? GIRT_OK : GIRT_MISSING);
            values[n] = value;
            break;
        case 3:
            check_status(girt_map64_remove(f.map, key, &old),
                         there[n] ? GIRT_OK : GIRT_MISSING);
            assert_true(!there[n] || old == values[n]);
            there[n] = false;
            break;
        default:
            break;
        }
        check_own(w, n, there[n], values[n]);
        const uint64_t other = rng_below(r, range);
        check_own(w, other, there[other], values[other]);
    }
    for (uint64_t n = 0; n < OWN; n++)
        check_own(w, n, there[n], values[n]);
    for (uint64_t n = 0; n < OWN; n++)
        if (there[n])
            check_status(girt_map64_remove(f.map, key_of(w, n), NULL), GIRT_OK);
    writer_ends();
}

static void look_at_others(rng *r)
{
    while (writers_run()) {
        uint64_t keys[33], values[33], names[33];
        bool found[33];
        for (size_t i = 0; i < 33; i++) {
            const uint64_t w = rng_below(r, WRITERS);
            const uint64_t n = rng_below(r, OWN);
            keys[i] = key_of(w, n);
            names[i] = n << 8 | w;
        }
        (void)girt_map64_get_n(f.map, keys, values, found, 33);
        for (size_t i = 0; i < 33; i++) {
            if (found[i])
                assert_true((values[i] & 0xffffffff) == names[i]);
            if (girt_map64_get(f.map, keys[i], &values[i]) == GIRT_OK)
                assert_true((values[i] & 0xffffffff) == names[i]);
        }
    }
}

static void churn_thread(void *context, size_t index)
{
    (void)context;
    rng r = {f.seed + index};
    if (index < WRITERS)
        churn_own(index, &r);
    else
        look_at_others(&r);
}

static void values_never_change_keys(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        begin(0, 250000);
        threads_run(THREADS, churn_thread, NULL);
        assert_int_equal(girt_map64_count(f.map), 0);
        end();
    }
}

/* Few keys, all in the first table's few groups: every conflict there is. */
enum { HOT = 60 };

static void hot_thread(void *context, size_t index)
{
    uint64_t *const balance = context; /* adds less removes, by key */
    rng r = {f.seed + index};
    for (size_t i = 0; i < f.steps; i++) {
        const uint64_t n = rng_below(&r, HOT);
        uint64_t value;
        if (girt_map64_get(f.map, n, &value) == GIRT_OK)
            assert_true(value % HOT == n);
        if (rng_below(&r, 2) == 0) {
            if (girt_map64_add(f.map, n, n + HOT * (i % 1000)) == GIRT_OK)
                (void)girt_add_relaxed(&balance[n], 1);
        } else if (girt_map64_remove(f.map, n, &value) == GIRT_OK) {
            assert_true(value % HOT == n);
            (void)girt_sub_relaxed(&balance[n], 1);
        }
    }
}

static void adds_and_removes_balance(void **state)
{
    (void)state;
    uint64_t balance[HOT] = {0};
    uint64_t value;
    size_t count = 0;
    begin(0, 500000);
    threads_run(THREADS, hot_thread, balance);
    for (uint64_t n = 0; n < HOT; n++) {
        assert_true(balance[n] <= 1);
        check_status(girt_map64_get(f.map, n, &value),
                     balance[n] == 1 ? GIRT_OK : GIRT_MISSING);
        count += balance[n];
    }
    assert_int_equal(girt_map64_count(f.map), count);
    end();
}

static void sum_thread(void *context, size_t index)
{
    (void)context;
    rng r = {f.seed + index};
    uint64_t last[8] = {0};
    for (size_t i = 0; i < f.steps; i++) {
        const uint64_t n = rng_below(&r, 8);
        uint64_t sum;
        check_status(girt_map64_increase(f.map, n, 1, &sum), GIRT_OK);
        assert_true(sum > last[n]);
        last[n] = sum;
        /* Others that make the table grow. */
        check_status(girt_map64_put(f.map, 100 + i * THREADS + index, 0),
                     GIRT_OK);
    }
}

static void increases_sum_exactly(void **state)
{
    (void)state;
    begin(0, 40000);
    threads_run(THREADS, sum_thread, NULL);
    uint64_t total = 0;
    for (uint64_t n = 0; n < 8; n++) {
        uint64_t value;
        check_status(girt_map64_get(f.map, n, &value), GIRT_OK);
        total += value;
    }
    assert_int_equal(total, f.steps * THREADS);
    end();
}

static void lock_thread(void *context, size_t index)
{
    (void)context;
    for (size_t i = 0; i < f.steps; i++) {
        while (girt_map64_exchange(f.map, 1, 0, index + 1) != GIRT_OK)
            girt_pause();
        f.counter++; /* a plain word: the order promised makes it safe */
        check_status(girt_map64_exchange(f.map, 1, index + 1, 0), GIRT_OK);
    }
}

static void exchange_makes_a_lock(void **state)
{
    (void)state;
    begin(0, 20000);
    check_status(girt_map64_put(f.map, 1, 0), GIRT_OK);
    threads_run(2, lock_thread, NULL);
    assert_int_equal(f.counter, 2 * f.steps);
    end();
}

/* Walks while others insert: keys that stay are seen once. */
enum { STAYING = 5000 };

typedef struct walk {
    uint8_t staying[STAYING];
    uint8_t *moving; /* by number */
} walk;

static bool see(void *context, uint64_t key, uint64_t value)
{
    walk *const w = context;
    if (key < STAYING) {
        assert_true(value == value_of(key));
        assert_int_equal(w->staying[key]++, 0);
        return true;
    }
    assert_true(value < f.steps * WRITERS);
    assert_int_equal(w->moving[value]++, 0);
    return true;
}

static void walk_thread(void *context, size_t index)
{
    (void)context;
    if (index < WRITERS) {
        rng r = {f.seed + index};
        for (uint64_t i = 0; i < f.steps; i++) {
            const uint64_t number = i * WRITERS + index;
            check_status(
                girt_map64_put(f.map, STAYING + number * f.spread, number),
                GIRT_OK);
            /* Come and go, elsewhere in the table each time. */
            const uint64_t back = rng_below(&r, i + 1) * WRITERS + index;
            const uint64_t key = STAYING + back * f.spread;
            check_status(girt_map64_remove(f.map, key, NULL), GIRT_OK);
            check_status(girt_map64_put(f.map, key, back), GIRT_OK);
        }
        writer_ends();
        return;
    }
    walk w;
    w.moving = malloc(f.steps * WRITERS);
    while (writers_run()) {
        memset(w.staying, 0, sizeof w.staying);
        memset(w.moving, 0, f.steps * WRITERS);
        check_status(girt_map64_each(f.map, see, &w), GIRT_OK);
        for (size_t i = 0; i < STAYING; i++)
            assert_int_equal(w.staying[i], 1);
    }
    free(w.moving);
}

static void each_sees_what_stays_once(void **state)
{
    (void)state;
    begin(0, 60000);
    f.spread |= (uint64_t)1 << 40; /* moving keys are not staying ones */
    for (uint64_t key = 0; key < STAYING; key++)
        check_status(girt_map64_put(f.map, key, value_of(key)), GIRT_OK);
    threads_run(THREADS, walk_thread, NULL);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_key_is_lost_in_growth),
        cmocka_unit_test(values_never_change_keys),
        cmocka_unit_test(adds_and_removes_balance),
        cmocka_unit_test(increases_sum_exactly),
        cmocka_unit_test(exchange_makes_a_lock),
        cmocka_unit_test(each_sees_what_stays_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
