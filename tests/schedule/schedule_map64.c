/* SPDX-License-Identifier: MIT */
/* Goal: each key of a map64 is a linearizable register, also while tables are
 * replaced and split; nothing is lost or seen twice; a stopped writer stops no
 * reader. Method: random calls on a few keys beside ones that make a small,
 * nearly full table grow, under many schedules; each key's history is
 * checked. */
#include <stdlib.h>

#include <girt/map64.h>

#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

#define SHARED_KEYS 3
#define WRITER      1    /* the thread that makes it grow first */
#define FIRST_NEW   100  /* keys that only one thread adds */
#define FIRST_STAYS 1000 /* keys that stay throughout */
#define CALLS_MAX   24

typedef struct game {
    girt_map64 *map;
    size_t stays, calls;
    bool grows; /* the key after those that stay makes it grow */
    bool only_reads[SCHEDULE_THREADS_MAX];
    uint64_t added; /* new keys */
    uint32_t seen[256];
    history h;
} game;

static uint64_t value_of(uint64_t key)
{
    return key * 0x9e3779b97f4a7c15u;
}

static girt_map64 *make_map(size_t keys)
{
    girt_map64 *map;
    if (girt_map64_create(&map, 0, NULL) != GIRT_OK)
        abort();
    for (uint64_t i = 0; i < keys; i++)
        schedule_check(girt_map64_put(map, FIRST_STAYS + i,
                                      value_of(FIRST_STAYS + i)) == GIRT_OK,
                       "put");
    return map;
}

/* How many keys go in before the one that makes it grow the n-th time. A table
 * here holds 11 keys at first, then 44, then it is split. */
static size_t keys_before_growth(uint64_t n)
{
    girt_map64 *const map = make_map(0);
    uint64_t key = FIRST_STAYS;
    for (; n != 0; n--) {
        size_t const bytes = girt_map64_bytes(map);
        for (; girt_map64_bytes(map) == bytes; key++)
            (void)girt_map64_put(map, key, 0);
    }
    girt_map64_destroy(map);
    return (size_t)(key - FIRST_STAYS) - 1;
}

static void setup(void *context)
{
    game *const g = context;
    history_clear(&g->h);
    /* The hash is seeded alike in both maps of a run. */
    g->grows = schedule_random(4) != 0;
    g->stays = g->grows ? keys_before_growth(1 + schedule_random(5))
                        : (size_t)schedule_random(8);
    g->added = 0;
    memset(g->seen, 0, sizeof g->seen);
    g->map = make_map(g->stays);
}

static void call(game *g, size_t thread, uint32_t kind, uint64_t key)
{
    operation *const o =
        history_begin(&g->h, thread, kind, 1 + schedule_random(3));
    o->key = key;
    o->second = 1 + schedule_random(3);
    uint64_t value = 0;
    girt_status status;
    switch (kind) {
    case MAP_GET:
        status = girt_map64_get(g->map, key, &value);
        break;
    case MAP_PUT:
        status = girt_map64_put(g->map, key, o->argument);
        break;
    case MAP_ADD:
        status = girt_map64_add(g->map, key, o->argument);
        break;
    case MAP_REMOVE:
        status = girt_map64_remove(g->map, key, &value);
        break;
    case MAP_EXCHANGE:
        status = girt_map64_exchange(g->map, key, o->argument, o->second);
        break;
    default:
        status = girt_map64_increase(g->map, key, o->argument, &value);
    }
    history_end(&g->h, o, (uint64_t)status, value);
}

static void read_some(game *g, size_t thread)
{
    uint64_t value;
    if (schedule_random(2) == 0) {
        call(g, thread, MAP_GET, schedule_random(SHARED_KEYS));
    } else if (g->stays != 0) {
        uint64_t const key = FIRST_STAYS + schedule_random(g->stays);
        schedule_check(girt_map64_get(g->map, key, &value) == GIRT_OK,
                       "a key that stays is missing");
        schedule_check(value == value_of(key), "of another");
    }
}

static void add_new(game *g, uint64_t key)
{
    schedule_check(girt_map64_add(g->map, key, value_of(key)) == GIRT_OK,
                   "add of a new key");
    (void)__atomic_add_fetch(&g->added, 1, __ATOMIC_RELAXED);
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    if (thread == WRITER && g->grows)
        add_new(g, FIRST_STAYS + g->stays);
    for (size_t i = 0; i < g->calls; i++) {
        if (g->only_reads[thread] || schedule_random(4) == 0) {
            read_some(g, thread);
        } else if (schedule_random(3) == 0) {
            add_new(g, FIRST_NEW + 10 * thread + i);
        } else {
            call(g, thread, (uint32_t)(MAP_PUT + schedule_random(5)),
                 schedule_random(SHARED_KEYS));
        }
    }
}

static bool count_one(void *context, uint64_t key, uint64_t value)
{
    game *const g = context;
    if (key < FIRST_STAYS)
        return true;
    schedule_check(value == value_of(key), "of another");
    schedule_check(key - FIRST_STAYS < g->stays + g->grows, "no such key");
    g->seen[key - FIRST_STAYS]++;
    return true;
}

static void check(void *context)
{
    game *const g = context;
    uint64_t key = 0, value, present = 0;
    for (uint64_t i = 0; i < SHARED_KEYS; i++) {
        call(g, SCHEDULE_THREADS_MAX - 1, MAP_GET, i);
        present += girt_map64_get(g->map, i, &value) == GIRT_OK;
    }
    memset(g->seen, 0, sizeof g->seen);
    schedule_check(girt_map64_each(g->map, count_one, g) == GIRT_OK, "each");
    for (uint64_t i = 0; i < g->stays; i++)
        schedule_check(g->seen[i] == 1, "a key that stays: seen %u times",
                       g->seen[i]);
    schedule_check(girt_map64_count(g->map) == g->stays + g->added + present,
                   "count");
    girt_map64_destroy(g->map);
    specification const s = specification_register();
    linearize_answer const answer = linearize_by_key(&s, &g->h, &key);
    if (answer == NOT_LINEARIZABLE && !schedule_failed())
        history_print(&g->h);
    schedule_check(answer == LINEARIZABLE, "key %llu is not linearizable",
                   (unsigned long long)key);
}

static void play(const char *name, size_t threads, size_t runs, size_t stopped,
                 game g)
{
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = runs,
                        .stopped_threads = stopped,
                        .context = &g,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 60000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

static void keys_are_registers(void **state)
{
    (void)state;
    play("two", 2, 12000, 0, (game){.calls = 6});
    play("three", 3, 12000, 0, (game){.calls = 5});
}

static void stopped_writer_stops_no_reader(void **state)
{
    (void)state;
    play("readers", 3, 4000, 2,
         (game){.calls = 5, .only_reads = {true, false, true}});
}

/* One walks while the others make it grow. */
static void walk_body(void *context, size_t thread)
{
    game *const g = context;
    if (thread != 0) {
        body(context, thread);
        return;
    }
    for (int i = 0; i < 2; i++) {
        memset(g->seen, 0, sizeof g->seen);
        schedule_check(girt_map64_each(g->map, count_one, g) == GIRT_OK,
                       "each");
        for (uint64_t k = 0; k < g->stays; k++)
            schedule_check(g->seen[k] == 1, "a key that stays: seen %u times",
                           g->seen[k]);
    }
}

static void walk_sees_what_stays_once(void **state)
{
    (void)state;
    game g = {.calls = 6};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = "walk",
                        .threads = 3,
                        .runs = 4000,
                        .context = &g,
                        .setup = setup,
                        .body = walk_body,
                        .check = check,
                        .steps_max = 60000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

/* Batches find what single lookups find. */
static void batch_body(void *context, size_t thread)
{
    game *const g = context;
    if (thread != 0) {
        body(context, thread);
        return;
    }
    uint64_t keys[8], values[8];
    bool found[8];
    for (size_t turn = 0; turn < 3 && g->stays != 0; turn++) {
        for (size_t i = 0; i < 8; i++)
            keys[i] = FIRST_STAYS + schedule_random(g->stays);
        schedule_check(girt_map64_get_n(g->map, keys, values, found, 8) == 8,
                       "a key that stays is missing");
        for (size_t i = 0; i < 8; i++)
            schedule_check(found[i] && values[i] == value_of(keys[i]),
                           "of another");
    }
}

static void batches_find_all(void **state)
{
    (void)state;
    game g = {.calls = 6};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = "batch",
                        .threads = 3,
                        .runs = 4000,
                        .context = &g,
                        .setup = setup,
                        .body = batch_body,
                        .check = check,
                        .steps_max = 60000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_registers),
        cmocka_unit_test(stopped_writer_stops_no_reader),
        cmocka_unit_test(walk_sees_what_stays_once),
        cmocka_unit_test(batches_find_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
