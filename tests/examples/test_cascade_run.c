/* SPDX-License-Identifier: MIT */
/* Goal: without guards one slow service fails everything, for good; with
 * girt's it fails what needs it, for as long as it is slow.
 * Method: the whole simulation: one seed number by number, others by shape,
 * each guard alone, and a back that is not slow. */
#include "cascade_run.h"

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static cascade_result result;

static void run(uint64_t seed, unsigned slow, unsigned guards)
{
    cascade_config const config = {seed, slow, guards};
    assert_true(cascade_run(&config, &result));
}

/* Of 1. */
static double good(unsigned phase, unsigned needs)
{
    const tally *const t = &result.phase[phase][needs];
    assert_true(t->came > 0);
    return (double)t->good / (double)t->came;
}

/* What does not need back has not noticed anything. */
static void check_healthy(void)
{
    for (unsigned second = 0; second < CASCADE_SECONDS; second++)
        for (unsigned needs = FRONT; needs < BACK; needs++)
            assert_true(result.second[second][needs].good ==
                        result.second[second][needs].came);
    for (unsigned phase = 0; phase < PHASES; phase++) {
        assert_true(result.p99_ns[phase][FRONT] < 5 * MS_NS);
        assert_true(result.p99_ns[phase][MIDDLE] < 15 * MS_NS);
    }
}

/* What holds whatever the guards. */
static void check_sums(void)
{
    for (unsigned needs = 0; needs < SERVICES; needs++) {
        uint64_t came = 0, in_good = 0;
        for (unsigned second = 0; second < CASCADE_SECONDS; second++) {
            const tally *const t = &result.second[second][needs];
            assert_true(t->good <= t->came);
            came += t->came;
            in_good += t->good;
        }
        for (unsigned phase = 0; phase < PHASES; phase++) {
            came -= result.phase[phase][needs].came;
            in_good -= result.phase[phase][needs].good;
        }
        assert_true(came == 0 && in_good == 0);
        assert_true(good(BEFORE, needs) > 0.99);
        assert_true(result.wasted[needs] >= 0 && result.wasted[needs] <= 1);
    }
    for (unsigned second = 0; second < CASCADE_SECONDS; second++) {
        const tally *const t = result.second[second];
        assert_true(result.tries[second][FRONT] ==
                    t[FRONT].came + t[MIDDLE].came + t[BACK].came);
    }
}

typedef struct known {
    tally phase[PHASES][SERVICES];
    uint64_t tries_of_back[PHASES];
    int recovery_s;
} known;

static void check_known(const known *k)
{
    for (unsigned phase = 0; phase < PHASES; phase++) {
        for (unsigned needs = 0; needs < SERVICES; needs++) {
            const tally *const t = &result.phase[phase][needs];
            assert_int_equal(t->came, k->phase[phase][needs].came);
            assert_int_equal(t->good, k->phase[phase][needs].good);
        }
        assert_int_equal(result.tries_in[phase][BACK], k->tries_of_back[phase]);
    }
    assert_int_equal(result.recovery_s, k->recovery_s);
}

static void test_one_seed(void **state)
{
    (void)state;
    static const known without = {{{{4037, 4037}, {3027, 3027}, {2965, 2965}},
                                   {{7877, 1922}, {5945, 637}, {5983, 21}},
                                   {{12135, 0}, {8995, 0}, {8891, 0}}},
                                  {2964, 19436, 29955},
                                  -1};
    static const known guarded = {
        {{{4037, 4037}, {3027, 3027}, {2965, 2965}},
         {{7787, 7787}, {5979, 5979}, {6104, 616}},
         {{12033, 12033}, {8971, 8971}, {8902, 8864}}},
        {2964, 945, 8933},
        1};
    run(1, 10, 0);
    check_known(&without);
    run(1, 10, GUARDS_ALL);
    check_known(&guarded);
}

/* Again is the same, to the last bit: also where breakers open at random. */
static void test_repeats(void **state)
{
    (void)state;
    static const unsigned guards[] = {0, GUARDS_ALL, GUARD_BREAKER};
    for (size_t i = 0; i < 3; i++) {
        uint64_t const seed = test_seed();
        run(seed, 10, guards[i]);
        static cascade_result first;
        first = result;
        run(seed, 10, guards[i]);
        assert_memory_equal(&first, &result, sizeof first);
    }
}

static void test_shape(void **state)
{
    (void)state;
    uint64_t const seed = test_seed();
    for (size_t i = 0; i < scaled(6); i++) {
        run(seed + i, 10, 0);
        check_sums();
        assert_true(good(DURING, FRONT) < 0.5);
        assert_true(good(DURING, MIDDLE) < 0.3);
        assert_true(good(DURING, BACK) < 0.02);
        for (unsigned needs = 0; needs < SERVICES; needs++)
            assert_true(result.phase[AFTER][needs].good == 0);
        assert_true(result.tries_in[DURING][BACK] >
                    result.phase[DURING][BACK].came * 5 / 2);
        assert_true(result.wasted[BACK] > 0.9);
        assert_int_equal(result.recovery_s, -1);

        run(seed + i, 10, GUARDS_ALL);
        check_sums();
        check_healthy();
        /* Back can do one in six. */
        assert_true(good(DURING, BACK) > 0.07);
        assert_true(good(AFTER, BACK) > 0.93);
        assert_true(result.tries_in[DURING][BACK] <
                    result.phase[DURING][BACK].came / 3);
        assert_true(result.wasted[BACK] < 0.2);
        assert_in_range(result.recovery_s, 0, 4);
    }
}

/* Guards cost nothing where nothing is slow. */
static void test_not_slow(void **state)
{
    (void)state;
    static cascade_result bare;
    uint64_t const seed = test_seed();
    run(seed, 1, 0);
    bare = result;
    run(seed, 1, GUARDS_ALL);
    check_healthy();
    assert_memory_equal(bare.phase, result.phase, sizeof bare.phase);
    assert_memory_equal(bare.p99_ns, result.p99_ns, sizeof bare.p99_ns);
    assert_int_equal(result.recovery_s, 0);
}

/* As the guide says of each guard by itself. */
static void test_each_alone(void **state)
{
    (void)state;
    static const struct {
        unsigned guard;
        bool heals; /* back comes back by itself */
    } alone[] = {
        {GUARD_DEADLINE, true},  {GUARD_BUDGET, false},
        {GUARD_BULKHEAD, false}, {GUARD_CONCURRENCY, true},
        {GUARD_BREAKER, true},   {GUARD_SHED, true},
    };
    uint64_t const seed = test_seed();
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        run(seed, 10, alone[i].guard);
        check_sums();
        assert_true(good(DURING, FRONT) == 1);
        assert_true(good(DURING, MIDDLE) > 0.8);
        assert_true((result.recovery_s >= 0) == alone[i].heals);
        if (!alone[i].heals)
            assert_true(good(AFTER, BACK) < 0.05);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_seed),   cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_shape),      cmocka_unit_test(test_not_slow),
        cmocka_unit_test(test_each_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
