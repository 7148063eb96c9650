/* SPDX-License-Identifier: MIT */
/* Goal: a ring between processes wakes a sleeper, and no sleep is longer than
 * its slice or its deadline.
 * Method: a forked sleeper that must be woken many times in less time than as
 * many slices would take; waits that nobody ends. */
#include "shared/bell.h"

#include <sys/mman.h>
#include <unistd.h>

#include <girt/clock.h>

#include "core/park.h"
#include "support/check.h"
#include "support/segment.h"

enum { TURNS = 200 };

typedef struct pair {
    girt__bell bells[2];
    uint32_t turn; /* whose: even the parent's */
} pair;

static bool take_turns(pair *p, uint32_t me)
{
    for (uint32_t turn = me; turn < TURNS; turn += 2) {
        for (;;) {
            uint32_t const key = girt__bell_prepare(&p->bells[me]);
            if (girt_load_acquire(&p->turn) == turn)
                break;
            girt__bell_wait(&p->bells[me], key, INT64_MAX);
        }
        girt_store_release(&p->turn, turn + 1);
        girt__bell_ring(&p->bells[1 - me], 1);
    }
    return true;
}

static int second(void *context)
{
    return take_turns(context, 1) ? 0 : 1;
}

static void test_turns(void **state)
{
    (void)state;
    pair *const p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    int64_t const before_ns = girt_clock_monotonic.now_ns(NULL);
    pid_t const child = child_start(second, p);
    assert_true(take_turns(p, 0));
    assert_int_equal(child_wait(child), 0);
    int64_t const took_ns = girt_clock_monotonic.now_ns(NULL) - before_ns;
    /* By rings, not by slices. */
    assert_true(took_ns < TURNS / 2 * GIRT__BELL_SLICE_NS);
    assert_int_equal(munmap(p, sizeof *p), 0);
}

static void test_alone(void **state)
{
    (void)state;
    girt__bell bell = {0, 0};
    girt__bell_ring(&bell, 1); /* nobody: nothing */
    assert_int_equal(bell.epoch, 0);
    int64_t const before_ns = girt_clock_monotonic.now_ns(NULL);
    uint32_t const key = girt__bell_prepare(&bell);
    assert_int_equal(bell.waiting, 1);
    girt__bell_wait(&bell, key, INT64_MAX); /* a slice */
    girt__bell_wait(&bell, key, before_ns); /* not at all */
    girt__bell_wait(&bell, key + 1, INT64_MAX);
    /* A ring for the dead: once. */
    girt__bell_ring(&bell, UINT64_MAX);
    assert_int_equal(bell.epoch, 1);
    assert_int_equal(bell.waiting, 0);
    girt__bell_ring(&bell, 1);
    assert_int_equal(bell.epoch, 1);
    assert_true(girt__deadline(0) > before_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
