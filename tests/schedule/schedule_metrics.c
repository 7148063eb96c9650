/* SPDX-License-Identifier: MIT */
/* Goal: processes that make series in one block at once make each one once,
 * within the limit, lose no count, and none waits for one that was killed.
 * Method: threads as processes, each with a registry of its own over the block,
 * make and count random series under many schedules, and each is stopped at
 * each of its steps while the others finish; then the lists are walked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/atomic.h"
#include "metrics/metrics_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

enum { THREADS = 3, CALLS = 3, BLOCK = 96 << 10, SERIES_MAX = 2 };

static char block[BLOCK] __attribute__((aligned(128)));

typedef struct play {
    girt_metrics *metrics[THREADS];
    uint64_t added;
    bool shared;
} play;

static void setup(void *context)
{
    play *const p = context;
    memset(block, 0, sizeof block);
    p->added = 0;
    for (size_t i = 0; i < THREADS; i++) {
        if (p->shared) {
            if (girt__metrics_attach(&p->metrics[i], block, BLOCK, NULL, NULL,
                                     NULL) != GIRT_OK)
                abort();
        } else if (i == 0) {
            if (girt_metrics_create(&p->metrics[0], NULL) != GIRT_OK)
                abort();
        } else {
            p->metrics[i] = p->metrics[0];
        }
    }
    if (girt_metrics_set_series_max(p->metrics[0], SERIES_MAX) != GIRT_OK)
        abort();
}

static void body(void *context, size_t thread)
{
    play *const p = context;
    (void)girt__thread_index();
    schedule_stop_from_here();
    for (int i = 0; i < CALLS; i++) {
        char name[] = "m0", value[] = "0";
        name[1] = (char)('0' + schedule_random(2));
        value[0] = (char)('0' + schedule_random(3));
        const char *const labels[] = {"i", value, NULL};
        girt_counter *counter;
        const girt_status status = girt_counter_create(
            &counter, p->metrics[thread], name, "h", labels);
        schedule_check(status == GIRT_OK, "%s", girt_status_name(status));
        girt_counter_add(counter, 1);
        girt_add_relaxed(&p->added, 1);
    }
}

/* Each name and each set of labels once; the limit held; all counts there. */
static void check(void *context)
{
    play *const p = context;
    const girt__arena *const arena = &p->metrics[0]->arena;
    uint64_t sum = 0;
    const char *names[4];
    size_t families = 0;
    girt__family_view family;
    for (const uint64_t *link = &girt__arena_head(arena)->families;
         girt__family_at(arena, link, &family) == GIRT_OK;
         link = &family.node->next) {
        schedule_check(families < 2, "more metrics than names");
        names[families++] = family.name;
        schedule_check(families < 2 || memcmp(names[0], names[1], 2) != 0,
                       "a metric twice");
        const char *labels[8];
        size_t count = 0;
        girt__series_view series;
        for (const uint64_t *at = &family.node->series;
             girt__series_at(arena, family.kind, at, &series) == GIRT_OK;
             at = &series.node->next) {
            schedule_check(count <= SERIES_MAX, "more series than allowed");
            for (size_t i = 0; i < count; i++)
                schedule_check(
                    strncmp(labels[i], series.labels, series.labels_size) != 0,
                    "a series twice");
            labels[count++] = series.labels;
            sum += girt__tally_sum(&(girt__tally){.words = series.cells,
                                                  .stride = GIRT__TALLY_STEP},
                                   0);
        }
        schedule_check(count > 0, "a metric without series");
    }
    schedule_check(sum == p->added, "%d counted of %d", (int)sum,
                   (int)p->added);
    for (size_t i = 0; i < (p->shared ? THREADS : 1); i++)
        girt_metrics_destroy(p->metrics[i]);
}

static void processes(void **state)
{
    (void)state;
    play p = {.shared = true};
    const schedule s = {.name = "processes",
                        .threads = THREADS,
                        .runs = 6000,
                        .steps_max = 20000,
                        .flags = SCHEDULE_STOPS_LATER,
                        .stopped_threads = 2,
                        .context = &p,
                        .setup = setup,
                        .body = body,
                        .check = check};
    schedule_must_pass(&s);
}

static void threads(void **state)
{
    (void)state;
    play p = {.shared = false};
    const schedule s = {.name = "threads",
                        .threads = THREADS,
                        .runs = 2000,
                        .steps_max = 20000,
                        .context = &p,
                        .setup = setup,
                        .body = body,
                        .check = check};
    schedule_must_pass(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
