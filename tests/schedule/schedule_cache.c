/* SPDX-License-Identifier: MIT */
/* Goal: whoever holds a value sees that value and no other until it is
 * released, whatever evicts, replaces, removes or clears; each entry that
 * leaves is told once; all memory comes back; a key that stays is found while
 * the index grows; one loads for all, one refreshes what is stale.
 * Method: random calls on few keys under many schedules, with two pins a
 * thread before pins are counted (as the sixteenth is elsewhere).  Values say
 * whose they are.  In half of the runs released memory is given to the next
 * who asks, so that an old address is soon another item's; in the others an
 * access to it fails the run. */
#include <stdlib.h>
#include <string.h>

#include "cache/cache_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

/* As in schedule_ring_load.c. */
uint32_t __wrap_girt__thread_first_call(void);
uint32_t __wrap_girt__thread_first_call(void)
{
    return (uint32_t)schedule_self();
}

enum { KEYS = 3, HELD = 3, NUMBERS = 128, STAYS = 1000, WORDS = 3 };
enum { BLOCKS = 64 };

typedef struct value {
    uint64_t key, number, word[WORDS]; /* words: key * 1000 + number */
} value;

typedef struct game {
    girt_cache *cache;
    /* Settings. */
    size_t calls, entries_max, stays;
    unsigned readers; /* bits: threads that only get */
    /* Of one run. */
    bool recycles;
    size_t live;
    void *spare[BLOCKS];
    size_t spare_size[BLOCKS], spares;
    uint64_t next;         /* atomic */
    uint8_t told[NUMBERS]; /* atomic */
    uint8_t made[NUMBERS]; /* atomic: stored, as its call answered */
    uint32_t runs;         /* atomic: of loaders */
    int64_t now;
} game;

/* ---- memory ------------------------------------------------------------- */

/* One step each: the scheduler sees nothing of them. */
#define AT_ONCE __attribute__((no_sanitize("thread")))

AT_ONCE static void *take_spare(game *g, size_t size)
{
    for (size_t i = 0; i < g->spares; i++) {
        if (g->spare_size[i] != size)
            continue;
        void *const block = g->spare[i];
        g->spares--;
        g->spare[i] = g->spare[g->spares];
        g->spare_size[i] = g->spare_size[g->spares];
        return block;
    }
    return NULL;
}

AT_ONCE static void *allocate(void *context, size_t size, size_t alignment)
{
    game *const g = context;
    g->live++;
    void *const spare = take_spare(g, size);
    if (spare != NULL)
        return spare;
    const size_t step = alignment < 16 ? 16 : alignment;
    void *const block = aligned_alloc(step, (size + step - 1) / step * step);
    if (block == NULL)
        abort();
    return block;
}

AT_ONCE static void release(void *context, void *block, size_t size)
{
    game *const g = context;
    g->live--;
    if (!g->recycles || g->spares == BLOCKS) {
        free(block);
        return;
    }
    memset(block, 0xdd, size);
    g->spare[g->spares] = block;
    g->spare_size[g->spares++] = size;
}

/* ---- values ------------------------------------------------------------- */

static value make_value(game *g, uint64_t key)
{
    value v = {.key = key, .number = girt_add_relaxed(&g->next, (uint64_t)1)};
    schedule_check(v.number < NUMBERS, "too many values");
    for (size_t i = 0; i < WORDS; i++)
        v.word[i] = key * 1000 + v.number;
    return v;
}

static uint64_t check_value(const void *data, size_t size, uint64_t key)
{
    value v;
    schedule_check(size == sizeof v, "size %zu", size);
    memcpy(&v, data, sizeof v);
    schedule_check(v.key == key, "of key %llu", (unsigned long long)v.key);
    for (size_t i = 0; i < WORDS; i++)
        schedule_check(v.word[i] == key * 1000 + v.number, "torn");
    return v.number;
}

static void note_leaving(void *context, const void *key, size_t key_size,
                         const void *data, size_t size)
{
    game *const g = context;
    uint64_t k;
    schedule_check(key_size == sizeof k, "size of a key");
    memcpy(&k, key, sizeof k);
    const uint64_t number = check_value(data, size, k);
    schedule_check(girt_add_relaxed(&g->told[number], (uint8_t)1) == 0,
                   "value %d told twice", (int)number);
}

/* ---- setup -------------------------------------------------------------- */

static void put(game *g, uint64_t key)
{
    const value v = make_value(g, key);
    girt_store_relaxed(&g->made[v.number], (uint8_t)1);
    schedule_check(
        girt_cache_put(g->cache, &key, sizeof key, &v, sizeof v, 0) == GIRT_OK,
        "put");
}

static void start(game *g, girt_cache_options options)
{
    const girt_allocator allocator = {allocate, release, g};
    memset(g->told, 0, sizeof g->told);
    memset(g->made, 0, sizeof g->made);
    g->next = 0;
    g->runs = 0;
    g->spares = 0;
    g->live = 0;
    g->now = 0;
    g->recycles = schedule_random(2) == 0;
    girt__pin_extend(GIRT__PIN_RECORDS); /* in every run alike */
    options.bytes_max = 1 << 20;
    options.shards = 1;
    options.seed = 5;
    options.on_evict = note_leaving;
    options.context = g;
    options.allocator = &allocator;
    if (girt_cache_create(&g->cache, &options) != GIRT_OK)
        abort();
}

static void setup(void *context)
{
    game *const g = context;
    start(g, (girt_cache_options){
                 .entries_max = g->entries_max,
                 .policy = (girt_cache_policy)(1 + schedule_random(4))});
    for (uint64_t i = 0; i < g->stays; i++)
        put(g, STAYS + i);
}

/* ---- calls -------------------------------------------------------------- */

typedef struct player {
    game *g;
    girt_cached held[HELD];
    uint64_t keys[HELD], numbers[HELD];
    size_t count;
} player;

static void let_go(player *y, size_t i)
{
    const uint64_t number =
        check_value(y->held[i].data, y->held[i].size, y->keys[i]);
    schedule_check(number == y->numbers[i], "another value");
    girt_cache_release(y->g->cache, &y->held[i]);
    y->count--;
    y->held[i] = y->held[y->count];
    y->keys[i] = y->keys[y->count];
    y->numbers[i] = y->numbers[y->count];
}

static void get(player *y, uint64_t key)
{
    if (y->count == HELD)
        let_go(y, schedule_random(HELD));
    girt_cached *const cached = &y->held[y->count];
    const girt_status status =
        girt_cache_get(y->g->cache, &key, sizeof key, cached);
    if (status != GIRT_OK) {
        schedule_check(key < STAYS, "a key that stays is missing");
        return;
    }
    y->keys[y->count] = key;
    y->numbers[y->count] = check_value(cached->data, cached->size, key);
    y->count++;
}

static girt_status bring(void *context, const void *key, size_t key_size,
                         girt_loaded *loaded)
{
    static _Thread_local value v;
    game *const g = context;
    uint64_t k;
    (void)key_size;
    memcpy(&k, key, sizeof k);
    (void)girt_add_relaxed(&g->runs, 1u);
    schedule_yield();
    v = make_value(g, k);
    loaded->data = &v;
    loaded->size = sizeof v;
    return GIRT_OK;
}

static void load(player *y, uint64_t key)
{
    if (y->count == HELD)
        let_go(y, schedule_random(HELD));
    girt_cached *const cached = &y->held[y->count];
    schedule_check(girt_cache_load(y->g->cache, &key, sizeof key, bring, y->g,
                                   GIRT_FOREVER, cached) == GIRT_OK,
                   "load");
    y->keys[y->count] = key;
    y->numbers[y->count] = check_value(cached->data, cached->size, key);
    y->count++;
}

static void one_call(player *y)
{
    game *const g = y->g;
    const uint64_t key = schedule_random(KEYS), dice = schedule_random(16);
    if ((g->readers >> schedule_self() & 1) != 0)
        get(y, key);
    else if (dice < 7)
        get(y, key);
    else if (dice < 8 && g->stays != 0)
        get(y, STAYS + schedule_random(g->stays));
    else if (dice < 11)
        put(g, key);
    else if (dice < 13)
        (void)girt_cache_remove(g->cache, &key, sizeof key);
    else if (dice < 15)
        load(y, key);
    else if (g->stays == 0)
        girt_cache_clear(g->cache);
    else if (y->count != 0)
        let_go(y, 0);
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    player y = {.g = g};
    (void)thread;
    for (size_t i = 0; i < g->calls; i++)
        one_call(&y);
    while (y.count != 0)
        let_go(&y, y.count - 1);
}

static void finish(game *g)
{
    schedule_check(girt__cache_is_valid(g->cache), "books");
    for (size_t r = 0; r < GIRT__PIN_RECORDS; r++) {
        for (size_t i = 0; i < GIRT__PIN_SLOTS; i++)
            schedule_check(girt__pin_records[r].slots[i] == 0, "a slot");
        schedule_check(girt__pin_records[r].passing == 0, "a passing slot");
    }
    girt_cache_clear(g->cache);
    for (size_t i = 0; i < NUMBERS; i++)
        schedule_check(g->told[i] != 0 || g->made[i] == 0,
                       "value %zu left untold", i);
    girt_cache_stats stats;
    girt_cache_read_stats(g->cache, &stats);
    schedule_check(stats.entries == 0, "entries");
    girt_cache_destroy(g->cache);
    schedule_check(g->live == 0, "%zu blocks are lost", g->live);
    for (size_t i = 0; i < g->spares; i++)
        free(g->spare[i]);
    g->spares = 0;
}

static void check(void *context)
{
    finish(context);
}

static void play(const char *name, size_t runs, size_t threads, size_t stopped,
                 game g)
{
    schedule_must_pass(&(schedule){.name = name,
                                   .threads = threads,
                                   .runs = runs,
                                   .stopped_threads = stopped,
                                   .context = &g,
                                   .setup = setup,
                                   .body = body,
                                   .check = check,
                                   .steps_max = 100000});
}

static void what_is_held_stays(void **state)
{
    (void)state;
    play("one_entry", 8000, 2, 0, (game){.calls = 6, .entries_max = 1});
    play("two_entries", 6000, 3, 0, (game){.calls = 5, .entries_max = 2});
    play("replaced", 4000, 3, 0, (game){.calls = 5});
}

static void what_stays_is_found_while_others_come(void **state)
{
    (void)state;
    play("grows", 3000, 3, 0, (game){.calls = 5, .stays = 3});
    play("grows_later", 3000, 3, 0, (game){.calls = 5, .stays = 7});
}

/* A writer stops, with the lock or without: who gets goes on.  A reader stops,
 * with its pins: all go on. */
static void a_stopped_thread_stops_no_reader(void **state)
{
    (void)state;
    play("stopped_writer", 300, 3, 1,
         (game){.calls = 3, .entries_max = 2, .readers = 6});
    play("stopped_reader", 300, 3, 1,
         (game){.calls = 3, .entries_max = 2, .readers = 1});
}

/* ---- loads -------------------------------------------------------------- */

static void load_setup(void *context)
{
    game *const g = context;
    girt_cache_options options = {.ttl_ns = 10, .stale_ns = 10};
    girt_clock_manual(&options.clock, &g->now);
    start(g, options);
    if (g->stays == 0)
        return;
    put(g, 0);
    g->now = 10; /* stale */
}

static void load_body(void *context, size_t thread)
{
    player y = {.g = context};
    (void)thread;
    load(&y, 0);
    load(&y, 0);
    while (y.count != 0)
        let_go(&y, y.count - 1);
}

static void load_check(void *context)
{
    game *const g = context;
    schedule_check(g->runs == 1, "%u loaded", g->runs);
    finish(g);
}

static void one_loads_for_all(void **state)
{
    (void)state;
    for (size_t stale = 0; stale < 2; stale++) {
        game g = {.stays = stale};
        schedule_must_pass(
            &(schedule){.name = stale != 0 ? "refresh" : "flight",
                        .threads = 3,
                        .runs = 2000,
                        .context = &g,
                        .setup = load_setup,
                        .body = load_body,
                        .check = load_check,
                        .steps_max = 60000});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_stays),
        cmocka_unit_test(what_stays_is_found_while_others_come),
        cmocka_unit_test(a_stopped_thread_stops_no_reader),
        cmocka_unit_test(one_loads_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
