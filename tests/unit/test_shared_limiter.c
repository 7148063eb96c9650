/* SPDX-License-Identifier: MIT */
/* Goal: a limiter in a segment is one limiter for all processes, with every
 * call that one in a process has, and damage makes it refuse, not crash.
 * Method: handles of one process and of forked ones on one part, times given;
 * options out of range; bytes of the part that are changed. */
#include <girt/shared.h>

#include <signal.h>
#include <unistd.h>

#include "limiter/limiter_internal.h"
#include "limiter/limiter_shared.h"
#include "shared/shared_internal.h"
#include "support/check.h"
#include "support/kill_steps.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/segment.h"
#include "support/threads.h"

static girt_shared *make_segment(void)
{
    girt_shared *shared;
    check_status(girt_shared_create(&shared, NULL, 1 << 16, 0), GIRT_OK);
    return shared;
}

static girt_limiter *open_limiter(girt_shared *shared, const char *name,
                                  girt_rate rate, int64_t *now)
{
    girt_limiter *limiter;
    girt_limiter_options options = {.rate = rate};
    girt_clock_manual(&options.clock, now);
    check_status(girt_limiter_shared(&limiter, shared, name, &options),
                 GIRT_OK);
    return limiter;
}

static void test_one_bound(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_rate const rate = {1, 100, 10};
    girt_limiter *const a = open_limiter(shared, "l", rate, &now);
    girt_limiter *const b = open_limiter(shared, "l", rate, &now);
    girt_limiter *const other = open_limiter(shared, "m", rate, &now);
    girt_shared_close(shared);
    check_status(girt_limiter_take(a, 7, NULL), GIRT_OK);
    girt_decision d;
    check_status(girt_limiter_take(b, 4, &d), GIRT_LIMITED);
    assert_int_equal(d.remaining, 3);
    assert_int_equal(d.retry_after_ns, 100);
    check_status(girt_limiter_take(b, 3, &d), GIRT_OK);
    assert_int_equal(d.reset_after_ns, 1000);
    check_status(girt_limiter_take(a, 1, &d), GIRT_LIMITED);
    check_status(girt_limiter_peek(other, 10, &d), GIRT_OK);
    check_status(girt_limiter_take(a, 11, &d), GIRT_NEVER);
    now += 200;
    check_status(girt_limiter_take(b, 2, &d), GIRT_OK);
    /* A reservation of one is in the other's way, and can be cancelled. */
    girt_reservation turn;
    check_status(girt_limiter_reserve(a, 5, GIRT_FOREVER, &turn), GIRT_OK);
    check_status(girt_limiter_peek(b, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, 600);
    girt_limiter_cancel(a, &turn);
    check_status(girt_limiter_peek(b, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, 100);
    /* All of several. */
    girt_limiter *const both[] = {b, other};
    size_t refused_by;
    check_status(girt_limiter_take_all(both, 2, 1, &refused_by, NULL),
                 GIRT_LIMITED);
    assert_int_equal(refused_by, 0);
    girt_limiter_destroy(a);
    now += 100;
    check_status(girt_limiter_take_all(both, 2, 1, NULL, NULL), GIRT_OK);
    girt_limiter_destroy(b);
    girt_limiter_destroy(other);
}

static void test_rate_for_all(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_limiter *const a =
        open_limiter(shared, "l", (girt_rate){1, 100, 10}, &now);
    girt_limiter *const b =
        open_limiter(shared, "l", (girt_rate){5, 5, 5}, &now);
    girt_decision d;
    check_status(girt_limiter_peek(b, 10, &d), GIRT_OK); /* the segment's */
    check_status(girt_limiter_set_rate(b, (girt_rate){1, 10, 4}), GIRT_OK);
    check_status(girt_limiter_take(a, 5, NULL), GIRT_NEVER);
    check_status(girt_limiter_take(a, 4, &d), GIRT_OK);
    assert_int_equal(d.reset_after_ns, 40);
    check_status(girt_limiter_set_rate(a, (girt_rate){1, 10, 0}),
                 GIRT_E_INVALID);
    /* A rate whose base has to move after 8 seconds. */
    check_status(girt_limiter_set_rate(a, (girt_rate){999999937, 99999999, 4}),
                 GIRT_OK);
    for (int i = 0; i < 20; i++) {
        now += 5000000000;
        check_status(girt_limiter_take(i % 2 == 0 ? a : b, 4, NULL), GIRT_OK);
        check_status(girt_limiter_take(a, 4, NULL), GIRT_LIMITED);
    }
    girt_limiter_destroy(a);
    girt_limiter_destroy(b);
    girt_shared_close(shared);
}

static int take_all_there_is(void *context)
{
    girt_limiter *const limiter = context;
    int taken = 0;
    while (girt_limiter_take_at(limiter, 1, 1000, NULL) == GIRT_OK)
        taken++;
    girt_limiter_destroy(limiter);
    return taken;
}

static void test_processes(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_limiter *const limiter =
        open_limiter(shared, "l", (girt_rate){1, 1000000, 200}, &now);
    pid_t children[4];
    for (int i = 0; i < 4; i++)
        children[i] = child_start(take_all_there_is, limiter);
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += child_wait(children[i]);
    assert_int_equal(sum, 200);
    check_status(girt_limiter_take(limiter, 1, NULL), GIRT_LIMITED);
    girt_limiter_destroy(limiter);
    girt_shared_close(shared);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment();
    girt_limiter *const untouched = (girt_limiter *)(void *)shared;
    girt_limiter *out = untouched;
    girt_limiter_options good = {.rate = {1, 100, 10}}, bad;
    check_status(girt_limiter_shared(NULL, shared, "l", &good), GIRT_E_INVALID);
    check_status(girt_limiter_shared(&out, NULL, "l", &good), GIRT_E_INVALID);
    check_status(girt_limiter_shared(&out, shared, NULL, &good),
                 GIRT_E_INVALID);
    check_status(girt_limiter_shared(&out, shared, "", &good), GIRT_E_INVALID);
    check_status(girt_limiter_shared(&out, shared, "l", NULL), GIRT_E_INVALID);
    bad = good;
    bad.lease = 2;
    check_status(girt_limiter_shared(&out, shared, "l", &bad), GIRT_E_INVALID);
    bad = good;
    bad.rate.burst = 0;
    check_status(girt_limiter_shared(&out, shared, "l", &bad), GIRT_E_INVALID);
    bad = good;
    bad.reserved[3] = 1;
    check_status(girt_limiter_shared(&out, shared, "l", &bad), GIRT_E_INVALID);
    assert_ptr_equal(out, untouched);
    assert_int_equal(shared->header->parts[0].state, GIRT__SHARED_FREE);
    girt_shared_close(shared);
}

typedef struct scene {
    girt_limiter *limiter;
    girt_rate rate;
} scene;

static void change_rate(void *context)
{
    scene *const s = context;
    (void)girt_limiter_set_rate(s->limiter, (girt_rate){1, 50, 20});
}

/* The old rate or the new one, and a change of it works. Answers which. */
static bool check_after_kill(scene *s, int64_t *now)
{
    girt_decision d;
    check_status(girt_limiter_take(s->limiter, 10, &d), GIRT_OK);
    check_status(girt_limiter_take(s->limiter, 21, &d), GIRT_NEVER);
    bool const changed = girt_limiter_peek(s->limiter, 20, NULL) != GIRT_NEVER;
    check_status(girt_limiter_set_rate(s->limiter, s->rate), GIRT_OK);
    *now += 1000000;
    return changed;
}

/* Killed anywhere in a change, it was made or not, and others go on. */
static void test_killed_in_a_change(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    scene s = {open_limiter(shared, "l", (girt_rate){1, 100, 10}, &now),
               {1, 100, 10}};
    size_t kills = 0, changed = 0, last = 0;
    /* Most of it is looking up the own process: that in long strides, and then
     * what it ends with, the change. */
    size_t const stride = 16000000 / scaled(1000), fine = 1 + stride / 20;
    kill_outcome outcome = KILLED;
    for (int turn = 0; turn < 2 && outcome != CANNOT_TRACE; turn++) {
        size_t k = turn == 0       ? test_seed() % stride
                   : last > stride ? last - stride
                                   : 0;
        for (outcome = KILLED; outcome == KILLED;
             k += turn == 0 ? stride : fine) {
            outcome = kill_after(k, NULL, change_rate, &s);
            bool const made = check_after_kill(&s, &now);
            kills += outcome == KILLED;
            changed += outcome == KILLED && made;
            assert_true(outcome != ACT_RETURNED || made);
            last = k;
        }
    }
    if (outcome == CANNOT_TRACE)
        skip_because("ptrace is not allowed here");
    printf("%zu kills, %zu with the change made\n", kills, changed);
    /* Right at the beginning nothing is changed. */
    assert_true(kills > changed);
    girt_limiter_destroy(s.limiter);
    girt_shared_close(shared);
}

/* Every byte of the part may be anything, before and after it is opened. */
static void use(girt_limiter *limiter, int64_t now)
{
    girt_decision d;
    girt_reservation turn;
    for (uint64_t tokens = 0; tokens < 12; tokens += 5) {
        (void)girt_limiter_take_at(limiter, tokens, now, NULL);
        (void)girt_limiter_take_at(limiter, tokens, now + 1000, &d);
        (void)girt_limiter_take_at(limiter, tokens, INT64_MIN, &d);
        (void)girt_limiter_take_at(limiter, tokens, INT64_MAX, NULL);
        (void)girt_limiter_peek(limiter, tokens, &d);
        if (girt_limiter_reserve(limiter, tokens, 500, &turn) == GIRT_OK)
            girt_limiter_cancel(limiter, &turn);
        (void)girt_limiter_take_all(&limiter, 1, tokens, NULL, &d);
    }
    (void)girt_limiter_set_rate(limiter, (girt_rate){3, 700, 9});
    (void)girt_limiter_take_at(limiter, 1, now, &d);
}

/* Of all damage, one that chance finds once in some hundred thousand: a tick of
 * which the half is nothing. */
static void test_odd_tick(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_shared *const shared = make_segment();
    girt_limiter *const limiter =
        open_limiter(shared, "l", (girt_rate){1, 100, 10}, &now);
    use(limiter, now);
    for (size_t i = 0; i < 2; i++) {
        girt_store_relaxed(&limiter->sides[i].gcra.tick, 1);
        girt_store_relaxed(&limiter->sides[i].gcra.den, 1);
    }
    use(limiter, now);
    girt_limiter_destroy(limiter);
    girt_shared_close(shared);
}

static void test_damage(void **state)
{
    (void)state;
    rng random = {test_seed()};
    size_t corrupt = 0, opened = 0;
    int64_t now = 1000;
    for (size_t i = 0; i < scaled(4000); i++) {
        girt_shared *const shared = make_segment();
        girt_limiter_options options = {.rate = {1, 100, 10}};
        girt_clock_manual(&options.clock, &now);
        girt_limiter *first;
        check_status(girt_limiter_shared(&first, shared, "l", &options),
                     GIRT_OK);
        if (i % 3 == 0)
            use(first, now);
        unsigned char *const bytes = (unsigned char *)&first->sides;
        /* A holder that no process is: the lock is free to take. */
        size_t const changing =
            offsetof(girt_limiter, changing) - offsetof(girt_limiter, sides);
        uint64_t const changes = 1 + rng_below(&random, 4);
        for (uint64_t k = 0; k < changes; k++) {
            size_t const at = (size_t)rng_below(&random, girt__limiter_bytes());
            if (at / 8 != changing / 8)
                bytes[at] = (unsigned char)rng_next(&random);
        }
        girt_limiter *second;
        girt_status const status =
            girt_limiter_shared(&second, shared, "l", &options);
        if (status == GIRT_OK) {
            use(second, now);
            girt_limiter_destroy(second);
            opened++;
        } else {
            check_status(status, GIRT_E_CORRUPT);
            corrupt++;
        }
        if (!under_sanitizer()) /* signed sums may overflow, which is all */
            use(first, now);
        girt_limiter_destroy(first);
        girt_shared_close(shared);
    }
    printf("%zu corrupt, %zu opened\n", corrupt, opened);
    assert_true(corrupt > 0 && opened > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_bound),
        cmocka_unit_test(test_rate_for_all),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_killed_in_a_change),
        cmocka_unit_test(test_odd_tick),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
