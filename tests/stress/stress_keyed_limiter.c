/* SPDX-License-Identifier: MIT */
/* Goal: threads that meet over the same keys, and over the same slots, never
 * give a key two buckets, and never lose one.
 * Method: a table with hardly more slots than live keys, so that keys come and
 * go all the time; what each key was granted is checked in every window, and at
 * the end the table is walked. */
#include <girt/keyed_limiter.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"
#include "support/windows.h"

enum { THREADS = 4, KEYS = 24 };

typedef struct arena {
    girt_keyed_limiter *limiter;
    girt_rate rate;
    int64_t clock_ns;
    int64_t stale_max;
    uint64_t seed;
    size_t calls;
    uint64_t full; /* refusals of a key that was not held */
    struct {
        admission *list;
        uint8_t *keys;
        size_t count;
    } of[THREADS];
} arena;

/* With a decision, without one, and as a batch. */
static bool take(girt_keyed_limiter *limiter, const uint8_t *key,
                 int64_t now_ns, uint64_t how)
{
    girt_decision d;
    girt_keyed_request request = {key, 1, 1, GIRT_OK};
    if (how == 0)
        return girt_keyed_limiter_take_at(limiter, key, 1, 1, now_ns, NULL) ==
               GIRT_OK;
    if (how == 1)
        return girt_keyed_limiter_take_n_at(limiter, &request, 1, now_ns) == 1;
    if (girt_keyed_limiter_take_at(limiter, key, 1, 1, now_ns, &d) == GIRT_OK)
        return true;
    assert_true(d.retry_after_ns > 0);
    return false;
}

static void takes(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    for (size_t i = 0; i < a->calls; i++) {
        int64_t now_ns = __atomic_add_fetch(
            &a->clock_ns, (int64_t)rng_below(&r, 8), __ATOMIC_ACQ_REL);
        if (a->stale_max != 0 && rng_below(&r, 4) == 0)
            now_ns -= (int64_t)rng_below(&r, (uint64_t)a->stale_max);
        uint8_t const key = (uint8_t)rng_below(&r, KEYS);
        if (!take(a->limiter, &key, now_ns, rng_below(&r, 3)))
            continue;
        size_t const at = a->of[index].count++;
        a->of[index].list[at] = (admission){now_ns, 1};
        a->of[index].keys[at] = key;
    }
}

static void check_key(arena *a, uint8_t key, admission *scratch)
{
    size_t count = 0;
    for (size_t t = 0; t < THREADS; t++)
        for (size_t i = 0; i < a->of[t].count; i++)
            if (a->of[t].keys[i] == key)
                scratch[count++] = a->of[t].list[i];
    assert_true(count > 0);
    assert_true(windows_excess(scratch, count, &a->rate) == 0);
}

static void run(size_t keys, int64_t period_ns, uint64_t burst,
                int64_t stale_max)
{
    arena a = {.rate = {1, period_ns, burst},
               .clock_ns = 1000000,
               .stale_max = stale_max,
               .seed = test_seed(),
               .calls = scaled(300000)};
    girt_keyed_limiter_options const options = {
        .rate = a.rate, .keys = keys, .when_full = GIRT_LIMITED};
    check_status(girt_keyed_limiter_create(&a.limiter, &options), GIRT_OK);
    for (size_t i = 0; i < THREADS; i++) {
        a.of[i].list = calloc(a.calls, sizeof(admission));
        a.of[i].keys = calloc(a.calls, 1);
        assert_true(a.of[i].list != NULL && a.of[i].keys != NULL);
    }
    threads_run(THREADS, takes, &a);
    admission *const scratch = calloc(THREADS * a.calls, sizeof *scratch);
    assert_non_null(scratch);
    for (size_t key = 0; key < KEYS; key++)
        check_key(&a, (uint8_t)key, scratch);
    free(scratch);
    for (size_t i = 0; i < THREADS; i++) {
        free(a.of[i].list);
        free(a.of[i].keys);
    }
    girt_keyed_limiter_destroy(a.limiter);
}

static void test_room_for_all(void **state)
{
    (void)state;
    run(KEYS, 40, 2, 0);
}

static void test_stale(void **state)
{
    (void)state;
    run(KEYS, 100, 3, 500);
}

/* Keys are pushed out as soon as they are idle. */
static void test_crowded(void **state)
{
    (void)state;
    run(6, 20, 1, 0);
    run(1, 20, 1, 100);
    run(6, 20, 2, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room_for_all),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_crowded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
