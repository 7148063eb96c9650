/* SPDX-License-Identifier: MIT */
/* Goal: of a light and a heavy side at least one sees the other's store, and
 * the scheduler would show it if not; a kernel that refuses is told of. Method:
 * the two sides under many schedules in which stores wait in buffers and loads
 * see older values; then the same without the heavy side. */
#include "core/asym_fence.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

typedef struct sides {
    bool without_heavy;
    uint32_t said[3]; /* by the light side, and by two heavy ones */
    uint32_t light_saw[3], heavy_saw[3];
} sides;

static void setup(void *context)
{
    sides *const s = context;
    *s = (sides){.without_heavy = s->without_heavy};
}

static void body(void *context, size_t thread)
{
    sides *const s = context;
    girt_store_relaxed(&s->said[thread], 1);
    if (thread == 0) {
        girt__asym_light();
        for (size_t i = 1; i < 3; i++)
            s->light_saw[i] = girt_load_relaxed(&s->said[i]);
        return;
    }
    if (!s->without_heavy)
        girt__asym_heavy();
    s->heavy_saw[thread] = girt_load_relaxed(&s->said[0]);
}

static void check(void *context)
{
    sides *const s = context;
    for (size_t i = 1; i < 3; i++)
        schedule_check(s->light_saw[i] || s->heavy_saw[i], "both blind");
}

static void one_sees_the_other(void **state)
{
    (void)state;
    sides s = {0};
    schedule play = {.name = "membarrier",
                     .threads = 3,
                     .runs = 40000,
                     .context = &s,
                     .setup = setup,
                     .body = body,
                     .check = check};
    schedule_must_pass(&play);
    play.name = "none";
    s.without_heavy = true;
    schedule_must_fail(&play, "both blind");
}

static void refusal_is_told_of(void **state)
{
    (void)state;
    assert_true(girt__asym_available());
    schedule_without_membarrier = true;
    assert_false(girt__asym_available());
    schedule_without_membarrier = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sees_the_other),
        cmocka_unit_test(refusal_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
