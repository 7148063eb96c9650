/* SPDX-License-Identifier: MIT */
/* Goal: each key of a map is a linearizable register, values come whole, no
 * node is released while somebody may hold it, a stopped writer stops no
 * reader. Method: random calls on a few keys of a map that is about to grow,
 * with a thread that waits for epochs so that nodes are released at once,
 * under many schedules; each key's history is checked. */
#include <stdlib.h>

#include <girt/epoch.h>
#include <girt/map.h>

#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

#define SHARED_KEYS 3
#define FIRST_STAYS 1000
#define CALLS_MAX   24
#define WRITER      1

typedef struct wide {
    uint64_t part[4]; /* all the same */
} wide;

typedef struct game {
    girt_map *map;
    size_t stays, calls;
    bool grows;
    bool barriers; /* by the last thread */
    size_t threads;
    bool only_reads[SCHEDULE_THREADS_MAX];
    uint32_t seen[128];
    history h;
} game;

static wide wide_of(uint64_t value)
{
    return (wide){{value, value, value, value}};
}

static uint64_t narrow(const wide *w)
{
    for (size_t i = 1; i < 4; i++)
        schedule_check(w->part[i] == w->part[0], "torn");
    return w->part[0];
}

static girt_map *make_map(size_t keys)
{
    girt_map *map;
    girt_map_options const options = {.value_size = sizeof(wide), .shards = 1};
    if (girt_map_create(&map, &options) != GIRT_OK)
        abort();
    for (uint64_t i = 0; i < keys; i++) {
        uint64_t const key = FIRST_STAYS + i;
        wide const value = wide_of(key);
        schedule_check(girt_map_put(map, &key, sizeof key, &value) == GIRT_OK,
                       "put");
    }
    return map;
}

/* As in schedule_map64.c; a put takes at least so much of bytes for its node,
 * a growth more than that. */
static size_t keys_before_growth(uint64_t n)
{
    girt_map *const map = make_map(0);
    uint64_t key = FIRST_STAYS;
    while (n != 0) {
        size_t const bytes = girt_map_bytes(map);
        wide const value = wide_of(key);
        (void)girt_map_put(map, &key, sizeof key, &value);
        key++;
        n -= girt_map_bytes(map) > bytes + 200;
    }
    girt_map_destroy(map);
    return (size_t)(key - FIRST_STAYS) - 1;
}

static void setup(void *context)
{
    game *const g = context;
    history_clear(&g->h);
    g->grows = schedule_random(2) != 0;
    g->stays = g->grows ? keys_before_growth(1 + schedule_random(3))
                        : (size_t)schedule_random(4);
    memset(g->seen, 0, sizeof g->seen);
    g->map = make_map(g->stays);
}

typedef struct increase {
    uint64_t by, sum;
} increase;

static girt_map_action increase_it(void *context, void *value, bool present)
{
    increase *const i = context;
    wide w;
    memcpy(&w, value, sizeof w);
    schedule_check(present || narrow(&w) == 0, "not zeros");
    i->sum = narrow(&w) + i->by;
    w = wide_of(i->sum);
    memcpy(value, &w, sizeof w);
    return GIRT_MAP_STORE;
}

typedef struct exchange {
    uint64_t expected, desired;
    bool differs;
} exchange;

static girt_map_action exchange_it(void *context, void *value, bool present)
{
    exchange *const e = context;
    wide w;
    memcpy(&w, value, sizeof w);
    e->differs = present && narrow(&w) != e->expected;
    if (!present || e->differs)
        return GIRT_MAP_KEEP;
    w = wide_of(e->desired);
    memcpy(value, &w, sizeof w);
    return GIRT_MAP_STORE;
}

static void view_it(void *context, const void *value)
{
    wide w;
    memcpy(&w, value, sizeof w);
    schedule_yield();
    *(uint64_t *)context = narrow(&w);
    schedule_check(memcmp(&w, value, sizeof w) == 0, "changed while viewed");
}

static void call(game *g, size_t thread, uint32_t kind, uint64_t key)
{
    operation *const o =
        history_begin(&g->h, thread, kind, 1 + schedule_random(3));
    o->key = key;
    o->second = 1 + schedule_random(3);
    wide w = wide_of(o->argument);
    uint64_t value = 0;
    girt_status status;
    increase i = {.by = o->argument};
    exchange e = {.expected = o->argument, .desired = o->second};
    switch (kind) {
    case MAP_GET:
        if (schedule_random(2) == 0) {
            status = girt_map_view(g->map, &key, sizeof key, view_it, &value);
            break;
        }
        status = girt_map_get(g->map, &key, sizeof key, &w);
        value = narrow(&w);
        break;
    case MAP_PUT:
        status = girt_map_put(g->map, &key, sizeof key, &w);
        break;
    case MAP_ADD:
        status = girt_map_add(g->map, &key, sizeof key, &w);
        break;
    case MAP_REMOVE:
        status = girt_map_remove(g->map, &key, sizeof key, &w);
        value = narrow(&w);
        break;
    case MAP_EXCHANGE:
        status = girt_map_update(g->map, &key, sizeof key, exchange_it, &e);
        if (status == GIRT_OK && e.differs)
            status = GIRT_EXISTS;
        break;
    default:
        status = girt_map_update(g->map, &key, sizeof key, increase_it, &i);
        value = i.sum;
    }
    history_end(&g->h, o, (uint64_t)status, value);
}

static void read_some(game *g, size_t thread)
{
    wide w;
    if (schedule_random(2) == 0) {
        call(g, thread, MAP_GET, schedule_random(SHARED_KEYS));
    } else if (g->stays != 0) {
        uint64_t const key = FIRST_STAYS + schedule_random(g->stays);
        schedule_check(girt_map_get(g->map, &key, sizeof key, &w) == GIRT_OK,
                       "a key that stays is missing");
        schedule_check(narrow(&w) == key, "of another");
    }
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    /* A thread's first call takes locks. */
    girt_epoch_enter();
    girt_epoch_exit();
    schedule_stop_from_here();
    if (g->barriers && thread == g->threads - 1) {
        for (int i = 0; i < 2; i++)
            girt_epoch_barrier();
        return;
    }
    if (thread == WRITER && g->grows) {
        uint64_t const key = FIRST_STAYS + g->stays;
        wide const value = wide_of(key);
        schedule_check(girt_map_add(g->map, &key, sizeof key, &value) ==
                           GIRT_OK,
                       "add of a new key");
    }
    for (size_t i = 0; i < g->calls; i++)
        if (g->only_reads[thread] || schedule_random(4) == 0)
            read_some(g, thread);
        else
            call(g, thread, (uint32_t)(MAP_PUT + schedule_random(5)),
                 schedule_random(SHARED_KEYS));
}

static bool count_one(void *context, const void *bytes, size_t size,
                      const void *value)
{
    game *const g = context;
    uint64_t key;
    wide w;
    schedule_check(size == sizeof key, "size of a key");
    memcpy(&key, bytes, sizeof key);
    memcpy(&w, value, sizeof w);
    uint64_t const whole = narrow(&w);
    if (key < FIRST_STAYS)
        return true;
    schedule_check(whole == key, "of another");
    schedule_check(key - FIRST_STAYS < g->stays + g->grows, "no such key");
    g->seen[key - FIRST_STAYS]++;
    return true;
}

static void each_stays_once(game *g)
{
    memset(g->seen, 0, sizeof g->seen);
    schedule_check(girt_map_each(g->map, count_one, g) == GIRT_OK, "each");
    for (uint64_t i = 0; i < g->stays; i++)
        schedule_check(g->seen[i] == 1, "a key that stays: seen %u times",
                       g->seen[i]);
}

static void check(void *context)
{
    game *const g = context;
    uint64_t key = 0, present = 0;
    wide w;
    for (uint64_t i = 0; i < SHARED_KEYS; i++) {
        call(g, SCHEDULE_THREADS_MAX - 1, MAP_GET, i);
        present += girt_map_get(g->map, &i, sizeof i, &w) == GIRT_OK;
    }
    each_stays_once(g);
    schedule_check(girt_map_count(g->map) == g->stays + g->grows + present,
                   "count");
    girt_map_destroy(g->map);
    specification const s = specification_register();
    linearize_answer const answer = linearize_by_key(&s, &g->h, &key);
    if (answer == NOT_LINEARIZABLE && !schedule_failed())
        history_print(&g->h);
    schedule_check(answer == LINEARIZABLE, "key %llu is not linearizable",
                   (unsigned long long)key);
}

static void play(const char *name, size_t runs, size_t stopped, game g)
{
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = name,
                        .threads = g.threads,
                        .runs = runs,
                        .stopped_threads = stopped,
                        .context = &g,
                        .flags = SCHEDULE_STOPS_LATER,
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
    play("two", 6000, 0, (game){.threads = 2, .calls = 6});
    play("three", 6000, 0, (game){.threads = 3, .calls = 5});
}

static void nodes_outlive_their_readers(void **state)
{
    (void)state;
    play("barriers", 10000, 0,
         (game){.threads = 3, .calls = 5, .barriers = true});
    play("barriers_four", 6000, 0,
         (game){.threads = 4, .calls = 4, .barriers = true});
}

static void stopped_writer_stops_no_reader(void **state)
{
    (void)state;
    play("readers", 3000, 2,
         (game){.threads = 3, .calls = 5, .only_reads = {true, false, true}});
}

static void walk_body(void *context, size_t thread)
{
    if (thread != 0)
        body(context, thread);
    else
        each_stays_once(context);
}

static void walk_sees_what_stays_once(void **state)
{
    (void)state;
    game g = {.threads = 4, .calls = 4, .barriers = true};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = "walk",
                        .threads = 4,
                        .runs = 3000,
                        .context = &g,
                        .setup = setup,
                        .body = walk_body,
                        .check = check,
                        .steps_max = 60000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_registers),
        cmocka_unit_test(nodes_outlive_their_readers),
        cmocka_unit_test(stopped_writer_stops_no_reader),
        cmocka_unit_test(walk_sees_what_stays_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
