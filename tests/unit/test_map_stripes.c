/* SPDX-License-Identifier: MIT */
/* Goal: there is a stripe for each CPU within bounds, a thread adds to its own
 * stripe only, and sums are exact, apart from each other, and never below
 * zero.  Method: map_stripes.c itself with a made-up number of CPUs, a counting
 * allocator, and threads whose adding and taking away does not match. */
#include <pthread.h>
#include <unistd.h>

/* What the file under test is told. */
static long told_cpus;

static long tell_cpus(int name)
{
    return name == _SC_NPROCESSORS_ONLN ? told_cpus : -1;
}

/* The archive's copy is not linked, for this one has all of its symbols. */
#define sysconf tell_cpus
#include "map/map_stripes.c"
#undef sysconf

#include "support/check.h"
#include "support/failing.h"
#include "support/threads.h"

static failing f;
static girt__stripes stripes;

static int begin(void **state)
{
    (void)state;
    failing_init(&f);
    told_cpus = 16;
    check_status(girt__stripes_init(&stripes, &f.allocator), GIRT_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    girt__stripes_destroy(&stripes, &f.allocator);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.live_bytes, 0);
    return 0;
}

static void a_stripe_for_each_cpu_within_bounds(void **state)
{
    (void)state;
    /* -1: the machine does not say. */
    static const struct {
        long cpus;
        uint32_t stripes;
    } cases[] = {{-1, 1}, {0, 1},   {1, 1},   {2, 2},   {3, 4},   {4, 4},
                 {5, 8},  {33, 64}, {64, 64}, {65, 64}, {512, 64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        failing_init(&f);
        told_cpus = cases[i].cpus;
        girt__stripes some;
        check_status(girt__stripes_init(&some, &f.allocator), GIRT_OK);
        assert_int_equal(some.mask, cases[i].stripes - 1);
        assert_int_equal(girt__stripes_bytes(&some),
                         (size_t)cases[i].stripes * GIRT_DESTRUCTIVE);
        assert_int_equal(f.live_bytes, girt__stripes_bytes(&some));
        assert_int_equal((uintptr_t)some.stripes % GIRT_DESTRUCTIVE, 0);
        for (int sum = 0; sum < GIRT__STRIPE_SUMS; sum++)
            assert_int_equal(girt__stripes_sum(&some, sum), 0);
        girt__stripes_destroy(&some, &f.allocator);
        assert_int_equal(f.live_bytes, 0);
    }
}

static void no_memory_is_said(void **state)
{
    (void)state;
    failing none;
    failing_init(&none);
    none.fail_at = 1;
    girt__stripes some;
    check_status(girt__stripes_init(&some, &none.allocator), GIRT_E_NOMEM);
    assert_int_equal(none.calls, 1);
    assert_int_equal(none.live_blocks, 0);
}

typedef struct adders {
    pthread_barrier_t all_have_an_index;
    uint32_t own[8];
} adders;

static void add_to_own(void *context, size_t me)
{
    adders *const a = context;
    a->own[me] = girt__thread_index();
    (void)pthread_barrier_wait(&a->all_have_an_index);
    for (size_t i = 0; i <= me; i++)
        girt__stripes_add(&stripes, GIRT__STRIPE_BYTES, 3);
}

static void a_thread_adds_to_its_own_stripe(void **state)
{
    (void)state;
    adders a;
    assert_int_equal(pthread_barrier_init(&a.all_have_an_index, NULL, 8), 0);
    threads_run(8, add_to_own, &a);
    (void)pthread_barrier_destroy(&a.all_have_an_index);
    uint64_t expected[16] = {0};
    for (size_t me = 0; me < 8; me++)
        expected[a.own[me] & 15] += 3 * (me + 1);
    for (size_t i = 0; i < 16; i++) {
        const girt__stripe *const stripe = &stripes.stripes[i];
        assert_int_equal(stripe->sums[GIRT__STRIPE_BYTES], expected[i]);
        assert_int_equal(stripe->sums[GIRT__STRIPE_COUNT], 0);
    }
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_BYTES), 36 * 3);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_COUNT), 0);
}

static void a_sum_is_that_of_all_stripes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16; i++)
        stripes.stripes[i].sums[GIRT__STRIPE_BYTES] = (uint64_t)1 << (2 * i);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_BYTES),
                     0x55555555);
    girt__stripes_add(&stripes, GIRT__STRIPE_BYTES, (int64_t)3 << 31);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_BYTES),
                     0x55555555 + (3ull << 31));
}

/* More threads than stripes, so that some share; the odd ones take away most
 * of what the even ones add, each in its own stripe. */
static void add_or_take_away(void *context, size_t me)
{
    (void)context;
    for (int i = 0; i < 2000; i++) {
        girt__stripes_add(&stripes, GIRT__STRIPE_COUNT, me % 2 == 0 ? 5 : -4);
        girt__stripes_add(&stripes, GIRT__STRIPE_BYTES, 1);
    }
}

static void sums_are_exact_whoever_takes_away(void **state)
{
    (void)state;
    threads_run(24, add_or_take_away, NULL);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_COUNT),
                     12 * 2000);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_BYTES),
                     24 * 2000);
}

static void a_sum_is_never_below_zero(void **state)
{
    (void)state;
    girt__stripes_add(&stripes, GIRT__STRIPE_COUNT, -5);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_COUNT), 0);
    girt__stripes_add(&stripes, GIRT__STRIPE_COUNT, 7);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_COUNT), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stripe_for_each_cpu_within_bounds),
        cmocka_unit_test(no_memory_is_said),
        cmocka_unit_test_setup_teardown(a_thread_adds_to_its_own_stripe, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_sum_is_that_of_all_stripes, begin,
                                        end),
        cmocka_unit_test_setup_teardown(sums_are_exact_whoever_takes_away,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_sum_is_never_below_zero, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
