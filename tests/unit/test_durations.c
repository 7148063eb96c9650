/* SPDX-License-Identifier: MIT */
/* Goal: a duration counts below its bound, and nothing is lost or seen twice.
 * Method: every bound and its neighbours against a search through the bounds
 * that the sink gets, and threads that add while others look. */
#include "core/durations.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

typedef struct seen {
    girt__sink sink;
    size_t count;
    uint64_t bounds[GIRT__DURATIONS_BOUNDS];
    uint64_t cumulative[GIRT__DURATIONS_BOUNDS];
    uint64_t total, sum;
} seen;

static void see(girt__sink *sink, const girt__series *series,
                const char *label_value, const girt__histogram_view *view)
{
    seen *const s = (seen *)(void *)sink;
    assert_null(series);
    assert_null(label_value);
    s->count = view->count;
    assert_int_equal(view->count, GIRT__DURATIONS_BOUNDS);
    memcpy(s->bounds, view->bounds, sizeof s->bounds);
    memcpy(s->cumulative, view->cumulative, sizeof s->cumulative);
    s->total = view->total;
    s->sum = view->sum;
}

static seen look(const girt__durations *d)
{
    seen s = {.sink = {.histogram = see}};
    girt__durations_write(d, &s.sink, NULL);
    return s;
}

static void bounds_rise_by_a_third_or_half(void **state)
{
    (void)state;
    static girt__durations none;
    seen const s = look(&none);
    assert_int_equal(s.bounds[0], 128);
    assert_int_equal(s.bounds[GIRT__DURATIONS_BOUNDS - 1], (uint64_t)1 << 36);
    for (size_t i = 1; i < s.count; i++) {
        assert_true(s.bounds[i] > s.bounds[i - 1]);
        assert_true(2 * s.bounds[i] <= 3 * s.bounds[i - 1]);
        assert_int_equal(s.cumulative[i], 0);
    }
    assert_int_equal(s.total, 0);
    assert_int_equal(s.sum, 0);
}

/* One value alone: in which bound is it seen first? */
static void check_value(int64_t ns)
{
    girt__durations d = {0};
    girt__durations_add(&d, ns);
    seen const s = look(&d);
    uint64_t const value = ns < 0 ? 0 : (uint64_t)ns;
    for (size_t i = 0; i < s.count; i++)
        assert_int_equal(s.cumulative[i], value <= s.bounds[i]);
    assert_int_equal(s.total, 1);
    assert_int_equal(s.sum, value);
}

static void each_value_is_below_its_bound(void **state)
{
    (void)state;
    static girt__durations none;
    seen const s = look(&none);
    for (size_t i = 0; i < s.count; i++)
        for (int64_t near = -1; near <= 1; near++)
            check_value((int64_t)s.bounds[i] + near);
    static const int64_t ends[] = {INT64_MIN, -1, 0, 1, 2, 127, INT64_MAX};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        check_value(ends[i]);
    rng random = {test_seed()};
    for (int i = 0; i < 1000; i++)
        check_value((int64_t)(rng_next(&random) >> rng_below(&random, 64)) &
                    INT64_MAX);
}

typedef struct crowd {
    girt__durations d;
    size_t each;
    bool wrong;
} crowd;

static void add_or_look(void *context, size_t index)
{
    crowd *const c = context;
    uint64_t before = 0;
    for (size_t i = 0; i < c->each; i++) {
        if (index != 0) {
            girt__durations_add(&c->d, (int64_t)(index * 1000));
            continue;
        }
        seen const s = look(&c->d);
        c->wrong = c->wrong || s.total < before ||
                   s.cumulative[GIRT__DURATIONS_BOUNDS - 1] != s.total;
        before = s.total;
    }
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    enum { THREADS = 20 };
    static crowd c;
    c = (crowd){.each = scaled(2000)};
    threads_run(THREADS, add_or_look, &c);
    assert_false(c.wrong);
    seen const s = look(&c.d);
    assert_int_equal(s.total, c.each * (THREADS - 1));
    assert_int_equal(s.sum, c.each * 1000 * (THREADS * (THREADS - 1) / 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_rise_by_a_third_or_half),
        cmocka_unit_test(each_value_is_below_its_bound),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
