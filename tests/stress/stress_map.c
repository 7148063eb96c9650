/* SPDX-License-Identifier: MIT */
/* Goal: no entry of a map is lost, doubled or seen half written while threads
 * change, grow and walk it, and no reader touches freed memory.  Method: each
 * thread owns keys and knows what they must answer; every value is one number
 * repeated, so that a mixed copy shows; updates must sum exactly. */
#include <girt/map.h>

#include "core/atomic.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { WRITERS = 3, READERS = 2, THREADS = WRITERS + READERS, OWN = 3000 };
enum { WORDS = 8, KEY_MAX = 40 };

typedef struct value {
    uint64_t words[WORDS]; /* all the same */
} value;

typedef struct field {
    girt_map *map;
    failing memory;
    uint64_t seed;
    size_t steps;
    uint64_t running;
} field;

static field f;

static void begin(size_t steps)
{
    memset(&f, 0, sizeof f);
    failing_init(&f.memory);
    f.seed = test_seed();
    f.steps = scaled(steps);
    f.running = WRITERS;
    const girt_map_options options = {.value_size = sizeof(value),
                                      .allocator = &f.memory.allocator};
    check_status(girt_map_create(&f.map, &options), GIRT_OK);
}

static void end(void)
{
    girt_map_destroy(f.map);
    assert_int_equal(f.memory.live_blocks, 0);
}

static bool writers_run(void)
{
    return girt_load_acquire(&f.running) != 0;
}

static void writer_ends(void)
{
    (void)girt_sub_release(&f.running, 1);
}

static value make_value(uint64_t stamp)
{
    value v;
    for (size_t i = 0; i < WORDS; i++)
        v.words[i] = stamp;
    return v;
}

static uint64_t stamp_of(const value *v)
{
    for (size_t i = 1; i < WORDS; i++)
        assert_true(v->words[i] == v->words[0]);
    return v->words[0];
}

static size_t make_key(unsigned char key[KEY_MAX], uint64_t w, uint64_t n)
{
    const uint64_t name = n << 8 | w;
    memset(key, 0xaa, KEY_MAX);
    memcpy(key, &name, sizeof name);
    return 8 + n % 25;
}

static uint64_t make_stamp(uint64_t w, uint64_t n, uint64_t version)
{
    return version << 32 | n << 8 | w;
}

static void check_own(uint64_t w, uint64_t n, uint64_t stamp)
{
    unsigned char key[KEY_MAX];
    const size_t size = make_key(key, w, n);
    value v;
    check_status(girt_map_get(f.map, key, size, &v),
                 stamp != 0 ? GIRT_OK : GIRT_MISSING);
    if (stamp != 0)
        assert_true(stamp_of(&v) == stamp);
}

typedef struct wish {
    uint64_t before; /* 0: absent */
    uint64_t after;  /* 0: remove */
} wish;

static girt_map_action grant(void *context, void *v, bool present)
{
    const wish *const w = context;
    assert_int_equal(present, w->before != 0);
    assert_true(stamp_of(v) == w->before);
    *(value *)v = make_value(w->after);
    return w->after != 0 ? GIRT_MAP_STORE : GIRT_MAP_REMOVE;
}

/* One change of an own key, whose stamp is *stamp; 0: absent. */
static void change_own(uint64_t what, uint64_t w, uint64_t n, uint64_t version,
                       uint64_t *stamp)
{
    unsigned char key[KEY_MAX];
    const size_t size = make_key(key, w, n);
    const uint64_t next = make_stamp(w, n, version);
    const value v = make_value(next);
    value old = make_value(0);
    wish wanted = {*stamp, next};
    switch (what) {
    case 0:
        check_status(girt_map_put(f.map, key, size, &v), GIRT_OK);
        *stamp = next;
        break;
    case 1:
        check_status(girt_map_add(f.map, key, size, &v),
                     *stamp != 0 ? GIRT_EXISTS : GIRT_OK);
        *stamp = *stamp != 0 ? *stamp : next;
        break;
    case 2:
        check_status(girt_map_remove(f.map, key, size, &old),
                     *stamp != 0 ? GIRT_OK : GIRT_MISSING);
        assert_true(stamp_of(&old) == *stamp);
        *stamp = 0;
        break;
    case 3:
        check_status(girt_map_update(f.map, key, size, grant, &wanted),
                     GIRT_OK);
        *stamp = next;
        break;
    default:
        wanted.after = 0;
        check_status(girt_map_update(f.map, key, size, grant, &wanted),
                     *stamp != 0 ? GIRT_OK : GIRT_MISSING);
        *stamp = 0;
        break;
    }
}

static void churn_own(uint64_t w, rng *r)
{
    uint64_t stamps[OWN] = {0};
    uint64_t range = 32;
    for (size_t i = 0; i < f.steps; i++) {
        range += i % 16 == 0 && range < OWN;
        const uint64_t n = rng_below(r, range);
        change_own(rng_below(r, 5), w, n, i + 1, &stamps[n]);
        check_own(w, n, stamps[n]);
        const uint64_t other = rng_below(r, range);
        check_own(w, other, stamps[other]);
    }
    for (uint64_t n = 0; n < OWN; n++)
        check_own(w, n, stamps[n]);
    for (uint64_t n = 0; n < OWN; n++)
        if (stamps[n] != 0)
            change_own(2, w, n, 0, &stamps[n]);
    writer_ends();
}

static void check_view(void *context, const void *v)
{
    const uint64_t *const name = context;
    assert_true((stamp_of(v) & 0xffffffff) == *name);
}

static bool check_entry(void *context, const void *key, size_t key_size,
                        const void *v)
{
    uint64_t name;
    (void)context;
    assert_true(key_size >= sizeof name);
    memcpy(&name, key, sizeof name);
    assert_true((stamp_of(v) & 0xffffffff) == name);
    return true;
}

static void look_at_others(rng *r, bool walk)
{
    while (writers_run()) {
        for (int i = 0; i < 500; i++) {
            unsigned char key[KEY_MAX];
            const uint64_t w = rng_below(r, WRITERS);
            const uint64_t n = rng_below(r, OWN);
            const size_t size = make_key(key, w, n);
            uint64_t name = n << 8 | w;
            value v;
            if (girt_map_get(f.map, key, size, &v) == GIRT_OK)
                check_view(&name, &v);
            (void)girt_map_view(f.map, key, size, check_view, &name);
        }
        if (walk)
            check_status(girt_map_each(f.map, check_entry, NULL), GIRT_OK);
    }
}

static void churn_thread(void *context, size_t index)
{
    (void)context;
    rng r = {f.seed + index};
    if (index < WRITERS)
        churn_own(index, &r);
    else
        look_at_others(&r, index == WRITERS);
}

static void every_answer_is_the_last_one_stored(void **state)
{
    (void)state;
    begin(120000);
    threads_run(THREADS, churn_thread, NULL);
    assert_int_equal(girt_map_count(f.map), 0);
    end();
}

static girt_map_action count_one(void *context, void *v, bool present)
{
    (void)context;
    assert_true(present || stamp_of(v) == 0);
    *(value *)v = make_value(stamp_of(v) + 1);
    return GIRT_MAP_STORE;
}

static void count_thread(void *context, size_t index)
{
    (void)context;
    rng r = {f.seed + index};
    for (size_t i = 0; i < f.steps; i++) {
        unsigned char key[KEY_MAX];
        check_status(girt_map_update(f.map, key,
                                     make_key(key, 0, rng_below(&r, 5)),
                                     count_one, NULL),
                     GIRT_OK);
        /* Others, that make the table grow under the counters. */
        const value v = make_value(1);
        check_status(girt_map_put(f.map, key, make_key(key, index + 1, i), &v),
                     GIRT_OK);
    }
}

static void updates_sum_exactly(void **state)
{
    (void)state;
    begin(8000);
    threads_run(THREADS, count_thread, NULL);
    uint64_t total = 0;
    for (uint64_t n = 0; n < 5; n++) {
        unsigned char key[KEY_MAX];
        value v;
        check_status(girt_map_get(f.map, key, make_key(key, 0, n), &v),
                     GIRT_OK);
        total += stamp_of(&v);
    }
    assert_int_equal(total, f.steps * THREADS);
    assert_int_equal(girt_map_count(f.map), 5 + f.steps * THREADS);
    end();
}

/* Every value goes in once and comes out once: tokens that are removed or
 * still there at the end. */
static void token_thread(void *context, size_t index)
{
    uint64_t *const sums = context; /* what went in, what came out */
    rng r = {f.seed + index};
    for (size_t i = 0; i < f.steps; i++) {
        unsigned char key[KEY_MAX];
        const size_t size = make_key(key, 0, rng_below(&r, 40));
        const uint64_t stamp = i * THREADS + index + 1;
        value v = make_value(stamp);
        if (rng_below(&r, 2) == 0) {
            if (girt_map_add(f.map, key, size, &v) == GIRT_OK)
                (void)girt_add_relaxed(&sums[0], stamp);
        } else if (girt_map_remove(f.map, key, size, &v) == GIRT_OK) {
            (void)girt_add_relaxed(&sums[1], stamp_of(&v));
        }
    }
}

static bool add_stamp(void *context, const void *key, size_t key_size,
                      const void *v)
{
    (void)key;
    (void)key_size;
    *(uint64_t *)context += stamp_of(v);
    return true;
}

static void what_goes_in_comes_out_once(void **state)
{
    (void)state;
    uint64_t sums[2] = {0};
    begin(100000);
    threads_run(THREADS, token_thread, sums);
    check_status(girt_map_each(f.map, add_stamp, &sums[1]), GIRT_OK);
    assert_true(sums[0] == sums[1]);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_is_the_last_one_stored),
        cmocka_unit_test(updates_sum_exactly),
        cmocka_unit_test(what_goes_in_comes_out_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
