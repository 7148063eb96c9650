/* SPDX-License-Identifier: MIT */
/* Goal: of a light and a heavy side at least one sees the other's store, in
 * a fork's child too. Method: the litmus test
 * of store buffers, two threads that start each round together; the schedule
 * test of the same name explores what a machine seldom shows. */
#include "core/asym_fence.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cacheline.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

typedef struct sides {
    uint32_t rounds, arrived, blind;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint32_t light_said;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint32_t heavy_said;
    uint32_t saw[2];
} sides;

static void meet(sides *s, uint32_t turn)
{
    (void)girt_add_acq_rel(&s->arrived, 1);
    while (girt_load_acquire(&s->arrived) < 2 * turn)
        sched_yield();
}

static void take_side(void *context, size_t side)
{
    sides *const s = context;
    for (uint32_t i = 1; i <= s->rounds; i++) {
        meet(s, 2 * i - 1);
        if (side == 0) {
            girt_store_relaxed(&s->light_said, i);
            girt__asym_light();
            s->saw[0] = girt_load_relaxed(&s->heavy_said);
        } else {
            girt_store_relaxed(&s->heavy_said, i);
            girt__asym_heavy();
            s->saw[1] = girt_load_relaxed(&s->light_said);
        }
        meet(s, 2 * i);
        if (side == 0 && s->saw[0] != i && s->saw[1] != i)
            s->blind++;
    }
}

static void one_sees_the_other(void **state)
{
    (void)state;
    if (!girt__asym_available())
        skip_because("no membarrier(2)");
    sides s = {.rounds = (uint32_t)scaled(8000)};
    threads_run(2, take_side, &s);
    assert_int_equal(s.blind, 0);
}

static void a_forked_child_may_fence(void **state)
{
    (void)state;
    bool const available = girt__asym_available();
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        girt__asym_heavy();
        _exit(girt__asym_available() == available ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sees_the_other),
        cmocka_unit_test(a_forked_child_may_fence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
