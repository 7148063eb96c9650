/* SPDX-License-Identifier: MIT */
/* Goal: every lookup answers as some membership within the call would, with no
 * snapshot released under it; bounded load keeps its promise at an instant of
 * each acquire, loses no load when nodes come and go, and a thread stopped in
 * it stops nobody. Method: lookups against a list of memberships whose answers
 * were found alone; acquires and releases against sequential loads; all under
 * many schedules. */
#include <stdlib.h>

#include <girt/epoch.h>
#include <girt/ring.h>

#include "core/atomic.h"
#include "ring/ring_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

#define CALLS_MAX 24
#define CHANGES   4
#define KEYS      8
#define NODES     4
#define MISSING   99u

typedef struct game {
    girt_ring_options options;
    girt_ring *ring;
    size_t calls, threads;
    bool changes;          /* thread 0 changes the membership */
    uint32_t begun, ended; /* changes */
    uint32_t owners[CHANGES + 1][KEYS];
    uint64_t held[SCHEDULE_THREADS_MAX];
    history h;
} game;

static const char *const names[NODES] = {"a", "b", "c", "d"};

/* The same list of changes each time. */
static void change(girt_ring *ring, size_t i)
{
    static const girt_node other[] = {{"d", 2}, {"b", 1}, {"c", 1}};
    girt_status status;
    switch (i) {
    case 0:
        status = girt_ring_add(ring, "d", 1);
        break;
    case 1:
        status = girt_ring_remove(ring, "a");
        break;
    case 2:
        status = girt_ring_set(ring, other, 3);
        schedule_check(status == GIRT_OK, "set");
        return;
    default:
        status = girt_ring_add(ring, "a", 1);
    }
    schedule_check(status == GIRT_OK, "change %zu", i);
}

static girt_ring *make_ring(const game *g)
{
    girt_ring *ring;
    girt_node nodes[3];
    for (size_t i = 0; i < 3; i++)
        nodes[i] = (girt_node){names[i], 1};
    if (girt_ring_create(&ring, &g->options) != GIRT_OK ||
        girt_ring_set(ring, nodes, 3) != GIRT_OK)
        abort();
    return ring;
}

static uint32_t owner_of(girt_ring *ring, uint64_t key)
{
    uint32_t id = MISSING;
    girt_status const status = girt_ring_find(ring, &key, sizeof key, &id);
    schedule_check(status == GIRT_OK || status == GIRT_MISSING, "find");
    return id;
}

static void learn_owners(game *g)
{
    girt_ring *const ring = make_ring(g);
    for (size_t i = 0; i <= CHANGES; i++) {
        for (uint64_t key = 0; key < KEYS; key++)
            g->owners[i][key] = owner_of(ring, key);
        if (i < CHANGES)
            change(ring, i);
    }
    girt_ring_destroy(ring);
}

static void setup(void *context)
{
    game *const g = context;
    history_clear(&g->h);
    memset(g->held, 0, sizeof g->held);
    g->begun = g->ended = 0;
    g->ring = make_ring(g);
}

static void change_all(game *g)
{
    for (size_t i = 0; i < CHANGES; i++) {
        (void)girt_add_acq_rel(&g->begun, 1u);
        change(g->ring, i);
        (void)girt_add_acq_rel(&g->ended, 1u);
    }
}

/* ---- lookups --------------------------------------------------------------
 */

static void look_up(game *g)
{
    uint64_t const key = schedule_random(KEYS);
    uint32_t const from = girt_load_acquire(&g->ended);
    uint32_t ids[NODES];
    size_t count = 2;
    uint32_t const id = owner_of(g->ring, key);
    if (schedule_random(2) == 0) {
        girt_status const status =
            girt_ring_find_n(g->ring, &key, sizeof key, ids, &count);
        schedule_check(status == GIRT_OK && count == 2 && ids[0] != ids[1],
                       "find_n");
    }
    uint32_t const to = girt_load_acquire(&g->begun);
    bool right = false;
    for (uint32_t i = from; i <= to; i++)
        right |= g->owners[i][key] == id;
    schedule_check(right, "an owner of no membership within the call");
}

static void lookup_body(void *context, size_t thread)
{
    game *const g = context;
    girt_epoch_enter();
    girt_epoch_exit();
    schedule_stop_from_here();
    if (thread == 0)
        change_all(g);
    else if (thread == g->threads - 1)
        girt_epoch_barrier();
    for (size_t i = 0; thread != 0 && i < g->calls; i++)
        look_up(g);
}

static void lookup_check(void *context)
{
    game *const g = context;
    for (uint64_t key = 0; key < KEYS; key++)
        schedule_check(owner_of(g->ring, key) == g->owners[CHANGES][key],
                       "owner in the end");
    girt_ring_destroy(g->ring);
}

static void lookups_are_of_one_membership(void **state)
{
    (void)state;
    static const struct {
        girt_ring_kind kind;
        const char *name;
    } kinds[] = {{GIRT_RING_NATIVE, "native"},
                 {GIRT_RING_RENDEZVOUS, "rendezvous"},
                 {GIRT_RING_MAGLEV, "maglev"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        game g = {.options = {.kind = kinds[i].kind,
                              .points_per_weight = 4,
                              .maglev_size = 7},
                  .calls = 3,
                  .threads = 3};
        learn_owners(&g);
        schedule const s = {.name = kinds[i].name,
                            .threads = g.threads,
                            .runs = 1000,
                            .stopped_threads = i == 0,
                            .flags = SCHEDULE_STOPS_LATER,
                            .context = &g,
                            .setup = setup,
                            .body = lookup_body,
                            .check = lookup_check,
                            .steps_max = 60000};
        schedule_must_pass(&s);
    }
}

/* ---- bounded load ----------------------------------------------------------
 */

enum { ACQUIRE, RELEASE };

/* bound 1.25 as 5/4, three nodes of weight 1. */
static bool loads_step(const specification *s, void *state, const operation *o,
                       bool known, size_t under_way)
{
    uint64_t *const loads = state;
    (void)s;
    (void)under_way;
    uint64_t const total = loads[0] + loads[1] + loads[2];
    if (!known)
        return true; /* not in these histories */
    if (o->kind == RELEASE) {
        loads[o->value]--;
        return true;
    }
    uint64_t const cap = (5 * (total + 1) + 11) / 12;
    return ++loads[o->value] <= cap;
}

static uint64_t load_on(const girt_ring *ring, uint32_t id)
{
    return (uint32_t)ring->snapshot->cells[id]->word;
}

static void take_and_give(game *g, size_t thread)
{
    uint32_t mine[CALLS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < g->calls; i++) {
        bool const give = count != 0 && schedule_random(2) == 0;
        uint64_t const key = schedule_random(KEYS);
        operation *const o =
            history_begin(&g->h, thread, give ? RELEASE : ACQUIRE, key);
        uint32_t id = MISSING;
        if (give) {
            id = mine[--count];
            girt_ring_release(g->ring, id);
        } else {
            schedule_check(girt_ring_acquire(g->ring, &key, sizeof key, &id) ==
                               GIRT_OK,
                           "acquire");
            mine[count++] = id;
        }
        history_end(&g->h, o, 0, id);
    }
    g->held[thread] = count;
    for (size_t i = 0; g->changes && i < count; i++) {
        girt_ring_release(g->ring, mine[i]);
        g->held[thread]--;
    }
}

static void load_body(void *context, size_t thread)
{
    game *const g = context;
    girt_epoch_enter();
    girt_epoch_exit();
    schedule_stop_from_here();
    if (g->changes && thread == 0)
        change_all(g);
    else
        take_and_give(g, thread);
}

static void load_check(void *context)
{
    game *const g = context;
    uint64_t held = 0, loads = 0;
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        held += g->held[i];
    for (uint32_t id = 0; id < g->ring->snapshot->slots; id++)
        if (g->ring->snapshot->cells[id] != NULL)
            loads += load_on(g->ring, id);
    schedule_check(loads == held, "%llu loads, %llu held",
                   (unsigned long long)loads, (unsigned long long)held);
    schedule_check(
        girt__load_known(g->ring) == (int64_t)held, "%lld counted, %llu held",
        (long long)girt__load_known(g->ring), (unsigned long long)held);
    girt_ring_destroy(g->ring);
    specification const s = {.state_size = 3 * 8, .step = loads_step};
    linearize_answer const answer =
        g->changes ? LINEARIZABLE : linearize(&s, &g->h);
    if (answer != LINEARIZABLE && !schedule_failed())
        history_print(&g->h);
    schedule_check(answer == LINEARIZABLE, "over the bound");
}

static void play_loads(const char *name, size_t threads, size_t calls,
                       bool changes, size_t runs)
{
    game g = {.options = {.points_per_weight = 4, .bound = 1.25},
              .calls = calls,
              .threads = threads,
              .changes = changes};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = runs,
                        .stopped_threads = changes ? 0 : 2,
                        .flags = SCHEDULE_STOPS_LATER,
                        .context = &g,
                        .setup = setup,
                        .body = load_body,
                        .check = load_check,
                        .steps_max = 60000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

static void loads_keep_their_bound(void **state)
{
    (void)state;
    play_loads("loads_two", 2, 6, false, 3000);
    play_loads("loads_three", 3, 4, false, 3000);
    play_loads("loads_four", 4, 3, false, 3000);
}

static void loads_survive_changes(void **state)
{
    (void)state;
    play_loads("loads_change", 3, 5, true, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_are_of_one_membership),
        cmocka_unit_test(loads_keep_their_bound),
        cmocka_unit_test(loads_survive_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
