/* SPDX-License-Identifier: MIT */
/* Goal: no key ever has two buckets, no bucket gives more than the bound, and a
 * thread stopped at any instruction stops nobody. Method: a few threads take
 * tokens of a few keys at stale times from a table that hardly holds them,
 * under many schedules; each key's windows are checked and the table is walked.
 */
#include <stdlib.h>

#include "core/alloc_internal.h"
#include "limiter/keyed_table.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

enum { KEYS_MAX = 5, CALLS_MAX = 64, COST = 10 };

typedef struct grant {
    uint64_t key;
    int64_t time;
} grant;

typedef struct game {
    girt__keyed_table table;
    girt_allocator allocator;
    uint64_t capacity, keys, calls, burst;
    int64_t time; /* what the youngest call saw */
    int64_t last; /* ... after which nothing is live */
    grant grants[SCHEDULE_THREADS_MAX][CALLS_MAX];
    size_t counts[SCHEDULE_THREADS_MAX];
} game;

static void setup(void *context)
{
    game *const g = context;
    memset(g->counts, 0, sizeof g->counts);
    g->capacity = 1 + schedule_random(4);
    g->keys = 1 + schedule_random(KEYS_MAX);
    g->burst = 1 + schedule_random(2);
    g->time = 100;
    if (girt__allocator_resolve(&g->allocator, NULL) != GIRT_OK ||
        girt__keyed_table_create(&g->table, g->capacity, &g->allocator) !=
            GIRT_OK)
        abort();
}

static girt_status take(game *g, uint64_t key, int64_t time)
{
    /* Neighbouring hashes: one home for all. */
    girt__keyed_ask const ask = {1 + key, COST, (int64_t)g->burst * COST, time,
                                 time};
    girt__keyed_answer answer;
    girt_status const status = girt__keyed_table_take(&g->table, &ask, &answer);
    if (status != GIRT_OK)
        schedule_check(answer.due > time || status == GIRT_FULL, "no wait");
    return status;
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    for (uint64_t i = 0; i < g->calls; i++) {
        g->time += 2 * (int64_t)schedule_random(8);
        int64_t const time =
            g->time - 2 * (int64_t)(schedule_random(2) * schedule_random(10));
        uint64_t const key = schedule_random(g->keys);
        if (take(g, key, time) == GIRT_OK)
            g->grants[thread][g->counts[thread]++] = (grant){key, time};
    }
}

/* All windows that begin and end at a grant of the list's key. */
static void check_windows(const game *g, const grant *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            int64_t const from = list[i].time, to = list[k].time;
            int64_t sum = 0;
            for (size_t m = 0; m < count; m++)
                sum += list[m].time >= from && list[m].time <= to;
            schedule_check(to < from || sum * COST <= (int64_t)g->burst * COST +
                                                          to - from,
                           "more than the bound");
        }
    }
}

static void check(void *context)
{
    game *const g = context;
    schedule_check(girt__keyed_table_is_valid(&g->table), "an invariant");
    for (uint64_t key = 0; key < g->keys; key++) {
        grant list[SCHEDULE_THREADS_MAX * CALLS_MAX];
        size_t count = 0;
        for (size_t t = 0; t < SCHEDULE_THREADS_MAX; t++)
            for (size_t i = 0; i < g->counts[t]; i++)
                if (g->grants[t][i].key == key)
                    list[count++] = g->grants[t][i];
        check_windows(g, list, count);
    }
    /* All idle: as many as were asked for fit, and no more. */
    int64_t const later = g->time + 1000;
    for (uint64_t key = 0; key < g->capacity; key++)
        schedule_check(take(g, 20 + key, later) == GIRT_OK, "no room");
    schedule_check(take(g, 90, later) == GIRT_FULL, "room for one more");
    girt__keyed_table_destroy(&g->table, &g->allocator);
}

static void play(const char *name, size_t threads, uint64_t calls,
                 size_t stopped)
{
    game g = {.calls = calls};
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 15000,
                        .stopped_threads = stopped,
                        .context = &g,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 20000};
    schedule_must_pass(&s);
}

static void two_threads(void **state)
{
    (void)state;
    play("two", 2, 4, 2);
}

static void three_threads(void **state)
{
    (void)state;
    play("three", 3, 3, 2);
}

static void four_threads(void **state)
{
    (void)state;
    play("four", 4, 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads),
        cmocka_unit_test(three_threads),
        cmocka_unit_test(four_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
