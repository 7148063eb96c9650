/* SPDX-License-Identifier: MIT */
/* Goal: a keyed limiter in a segment is one limiter for all processes, exact in
 * tokens and keys, and damage gives answers, not crashes.
 * Method: handles of one process and of forked ones on one part, times given;
 * children killed in the first take of a key; bytes of the part changed. */
#include <girt/shared.h>

#include <unistd.h>

#include "limiter/keyed_internal.h"
#include "limiter/limiter_shared.h"
#include "shared/shared_internal.h"
#include "support/check.h"
#include "support/kill_steps.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/segment.h"
#include "support/threads.h"

enum { KEYS = 50 };

static girt_shared *make_segment(void)
{
    girt_shared *shared;
    check_status(girt_shared_create(&shared, NULL, 1 << 16, 0), GIRT_OK);
    return shared;
}

static girt_keyed_limiter_options options_of(int64_t *now)
{
    girt_keyed_limiter_options options = {.rate = {1, 100, 10}, .keys = KEYS};
    girt_clock_manual(&options.clock, now);
    return options;
}

static girt_keyed_limiter *open_keyed(girt_shared *shared, int64_t *now)
{
    girt_keyed_limiter *limiter;
    girt_keyed_limiter_options const options = options_of(now);
    check_status(girt_keyed_limiter_shared(&limiter, shared, "k", &options),
                 GIRT_OK);
    return limiter;
}

static void test_one_bound(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_keyed_limiter *const a = open_keyed(shared, &now);
    now += 5;
    girt_keyed_limiter *const b = open_keyed(shared, &now);
    girt_shared_close(shared);
    girt_decision d;
    check_status(girt_keyed_limiter_take(a, "ann", 3, 7, NULL), GIRT_OK);
    check_status(girt_keyed_limiter_take(b, "ann", 3, 4, &d), GIRT_LIMITED);
    assert_int_equal(d.remaining, 3);
    assert_int_equal(d.retry_after_ns, 100);
    check_status(girt_keyed_limiter_take(b, "bob", 3, 10, &d), GIRT_OK);
    check_status(girt_keyed_limiter_take(a, "bob", 3, 1, &d), GIRT_LIMITED);
    check_status(girt_keyed_limiter_take(b, "ann", 3, 3, &d), GIRT_OK);
    check_status(girt_keyed_limiter_take(b, "ann", 3, 11, &d), GIRT_NEVER);
    girt_keyed_limiter_destroy(a);
    now += 200;
    check_status(girt_keyed_limiter_take(b, "ann", 3, 2, NULL), GIRT_OK);
    check_status(girt_keyed_limiter_take(b, "ann", 3, 1, NULL), GIRT_LIMITED);
    girt_keyed_limiter_destroy(b);
}

static int take_from_all(void *context)
{
    girt_keyed_limiter *const limiter = context;
    int taken = 0;
    for (int key = 0; key < KEYS; key++)
        while (girt_keyed_limiter_take(limiter, &key, sizeof key, 4, NULL) ==
               GIRT_OK)
            taken++;
    girt_keyed_limiter_destroy(limiter);
    return taken;
}

static void test_processes(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_keyed_limiter *const limiter = open_keyed(shared, &now);
    pid_t children[4];
    for (int i = 0; i < 4; i++)
        children[i] = child_start(take_from_all, limiter);
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += child_wait(children[i]);
    assert_int_equal(sum, 2 * KEYS);
    /* All places are taken, and exactly so many. */
    int key = KEYS;
    girt_decision d;
    check_status(girt_keyed_limiter_take(limiter, &key, sizeof key, 1, &d),
                 GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, 800);
    now += 800;
    for (key = KEYS; key < 2 * KEYS; key++)
        check_status(
            girt_keyed_limiter_take(limiter, &key, sizeof key, 10, NULL),
            GIRT_OK);
    girt_keyed_limiter_destroy(limiter);
    girt_shared_close(shared);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_keyed_limiter *const untouched = (girt_keyed_limiter *)(void *)shared;
    girt_keyed_limiter *out = untouched;
    girt_keyed_limiter_options const good = options_of(&now);
    girt_keyed_limiter_options bad;
    check_status(girt_keyed_limiter_shared(NULL, shared, "k", &good),
                 GIRT_E_INVALID);
    check_status(girt_keyed_limiter_shared(&out, NULL, "k", &good),
                 GIRT_E_INVALID);
    check_status(girt_keyed_limiter_shared(&out, shared, NULL, &good),
                 GIRT_E_INVALID);
    check_status(girt_keyed_limiter_shared(&out, shared, "k", NULL),
                 GIRT_E_INVALID);
    bad = good;
    bad.keys = 0;
    check_status(girt_keyed_limiter_shared(&out, shared, "k", &bad),
                 GIRT_E_INVALID);
    bad.keys = SIZE_MAX;
    check_status(girt_keyed_limiter_shared(&out, shared, "k", &bad),
                 GIRT_E_TOO_LARGE);
    bad.keys = 1 << 20;
    check_status(girt_keyed_limiter_shared(&out, shared, "k", &bad),
                 GIRT_E_NOMEM);
    bad = good;
    bad.reserved[0] = 1;
    check_status(girt_keyed_limiter_shared(&out, shared, "k", &bad),
                 GIRT_E_INVALID);
    assert_ptr_equal(out, untouched);
    girt_keyed_limiter *const limiter = open_keyed(shared, &now);
    bad = good;
    bad.keys++;
    check_status(girt_keyed_limiter_shared(&out, shared, "k", &bad),
                 GIRT_E_INVALID);
    bad = good;
    bad.rate.burst++;
    check_status(girt_keyed_limiter_shared(&out, shared, "k", &bad),
                 GIRT_E_INVALID);
    girt_limiter *other;
    check_status(
        girt_limiter_shared(&other, shared, "k",
                            &(girt_limiter_options){.rate = {1, 100, 10}}),
        GIRT_E_INVALID);
    assert_ptr_equal(out, untouched);
    girt_keyed_limiter_destroy(limiter);
    girt_shared_close(shared);
}

typedef struct scene {
    girt_keyed_limiter *limiter;
    int key;
} scene;

static void take_first(void *context)
{
    scene *const s = context;
    (void)girt_keyed_limiter_take_at(s->limiter, &s->key, sizeof s->key, 4,
                                     1000 + s->key * 2000, NULL);
}

/* Killed anywhere in a first take, the key has 10 tokens or 6, and so has the
 * next. */
static void test_killed(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    scene s = {open_keyed(shared, &now), 0};
    size_t const stride = 1 + 20000 / scaled(1000);
    size_t kills = 0, taken = 0;
    kill_outcome outcome = KILLED;
    for (size_t k = test_seed() % stride; outcome == KILLED; k += stride) {
        s.key = (int)kills; /* a new one each time, all idle but few */
        outcome = kill_after(k, NULL, take_first, &s);
        girt_decision d;
        check_status(girt_keyed_limiter_take_at(s.limiter, &s.key, sizeof s.key,
                                                1, 1000 + s.key * 2000, &d),
                     GIRT_OK);
        assert_true(d.remaining == 9 || d.remaining == 5);
        taken += d.remaining == 5;
        kills++;
    }
    if (outcome == CANNOT_TRACE)
        skip_because("ptrace is not allowed here");
    printf("%zu kills, %zu after the take\n", kills, taken);
    assert_true(kills > taken && taken > 0);
    girt_keyed_limiter_destroy(s.limiter);
    girt_shared_close(shared);
}

static void use(girt_keyed_limiter *limiter)
{
    girt_decision d;
    for (int key = 0; key < 20; key++) {
        (void)girt_keyed_limiter_take_at(limiter, &key, sizeof key, 3, 2000,
                                         NULL);
        (void)girt_keyed_limiter_take_at(limiter, &key, sizeof key, 9,
                                         INT64_MAX, &d);
        (void)girt_keyed_limiter_take_at(limiter, &key, sizeof key, 0,
                                         INT64_MIN, &d);
    }
}

static void test_damage(void **state)
{
    (void)state;
    rng random = {test_seed()};
    int64_t now = 1000;
    size_t corrupt = 0, opened = 0;
    for (size_t i = 0; i < scaled(200); i++) {
        girt_shared *const shared = make_segment();
        girt_keyed_limiter_options const options = options_of(&now);
        girt_keyed_limiter *first, *second;
        check_status(girt_keyed_limiter_shared(&first, shared, "k", &options),
                     GIRT_OK);
        use(first);
        unsigned char *const bytes = (unsigned char *)&first->table.used;
        size_t all;
        check_status(girt__keyed_shared_check(&options, &all), GIRT_OK);
        for (uint64_t k = rng_below(&random, 40); k < 40; k++)
            bytes[rng_below(&random, i % 2 == 0 ? 320 : all)] =
                (unsigned char)rng_next(&random);
        girt_status const status =
            girt_keyed_limiter_shared(&second, shared, "k", &options);
        if (status == GIRT_OK) {
            /* Signed sums may overflow, which is all. */
            if (!under_sanitizer())
                use(second);
            girt_keyed_limiter_destroy(second);
            opened++;
        } else {
            assert_true(status == GIRT_E_CORRUPT);
            corrupt++;
        }
        if (!under_sanitizer())
            use(first);
        girt_keyed_limiter_destroy(first);
        girt_shared_close(shared);
    }
    printf("%zu corrupt, %zu opened\n", corrupt, opened);
    assert_true(corrupt > 0 && opened > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_bound),     cmocka_unit_test(test_processes),
        cmocka_unit_test(test_bad_arguments), cmocka_unit_test(test_killed),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
