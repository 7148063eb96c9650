/* SPDX-License-Identifier: MIT */
/* Goal: bounded load is strict, lock-free, and its books balance, also while
 * members leave and come back. Method: threads acquire and release under many
 * schedules; each history must have an order of instants in which every acquire
 * keeps the formula; each thread is stopped at each of its steps while the
 * others finish; at the end floor, pending and words are added up. */
#include <stdlib.h>

#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

/* A thread's first number takes a mutex, in which it must not be stopped here:
 * that is no part of a ring. */
uint32_t __wrap_girt__thread_first_call(void);
uint32_t __wrap_girt__thread_first_call(void)
{
    return (uint32_t)schedule_self();
}

enum { NODES = 3, CALLS = 4, THREADS = 3 };
enum { ACQUIRE, RELEASE, REMOVE, ADD };

typedef struct play {
    girt_ring *ring;
    history h;
    double bound;
    bool changes; /* the last thread changes the membership */
} play;

static const girt_node nodes[NODES] = {{"a", 1}, {"b", 1}, {"c", 2}};

/* The state: loads of the nodes, and who has left. Any order of instants is
 * fine as long as each acquire keeps the promised formula at its own. */
typedef struct model {
    uint64_t loads[NODES];
    uint64_t left; /* one bit a node */
} model;

static bool step(const specification *s, void *state, const operation *o,
                 bool known, size_t under_way)
{
    (void)under_way;
    model *const m = state;
    double const bound = (double)s->capacity / 100;
    if (!known)
        return true; /* all calls end in these runs */
    if (o->kind == REMOVE || o->kind == ADD) {
        m->left ^= (uint64_t)1 << o->argument;
        return true;
    }
    if (o->kind == RELEASE) {
        m->loads[o->argument]--;
        return true;
    }
    uint64_t total = 0;
    double weights = 0;
    for (size_t i = 0; i < NODES; i++) {
        if ((m->left >> i & 1) != 0)
            continue;
        total += m->loads[i];
        weights += nodes[i].weight;
    }
    double const cap =
        bound * (double)(total + 1) * nodes[o->value].weight / weights;
    return (m->left >> o->value & 1) == 0 && (double)m->loads[o->value]++ < cap;
}

static void setup(void *context)
{
    play *const p = context;
    history_clear(&p->h);
    if (girt_ring_create(&p->ring, &(girt_ring_options){.points_per_weight = 4,
                                                        .bound = p->bound}) !=
            GIRT_OK ||
        girt_ring_set(p->ring, nodes, NODES) != GIRT_OK)
        abort();
}

/* A node that is added again at once has its old id. */
static void change(play *p)
{
    static const char *const names[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        uint64_t const id = schedule_random(2);
        operation *o = history_begin(&p->h, THREADS - 1, REMOVE, id);
        schedule_check(girt_ring_remove(p->ring, names[id]) == GIRT_OK,
                       "remove");
        history_end(&p->h, o, 1, 0);
        o = history_begin(&p->h, THREADS - 1, ADD, id);
        schedule_check(girt_ring_add(p->ring, names[id], 1) == GIRT_OK, "add");
        history_end(&p->h, o, 1, 0);
    }
}

static void body(void *context, size_t thread)
{
    play *const p = context;
    if (p->changes && thread == THREADS - 1) {
        change(p);
        return;
    }
    uint32_t held[CALLS];
    size_t count = 0;
    for (int call = 0; call < CALLS; call++) {
        if (count == 0 || schedule_random(2) == 0) {
            char const key = (char)schedule_random(2);
            operation *const o = history_begin(&p->h, thread, ACQUIRE, 0);
            uint32_t id = NODES;
            girt_status const status = girt_ring_acquire(p->ring, &key, 1, &id);
            schedule_check(status == GIRT_OK, "acquire answers %d",
                           (int)status);
            schedule_check(id < NODES, "id %u", id);
            history_end(&p->h, o, 1, id);
            held[count++] = id;
        } else {
            operation *const o =
                history_begin(&p->h, thread, RELEASE, held[--count]);
            girt_ring_release(p->ring, held[count]);
            history_end(&p->h, o, 1, 0);
        }
    }
    while (count > 0) {
        operation *const o =
            history_begin(&p->h, thread, RELEASE, held[--count]);
        girt_ring_release(p->ring, held[count]);
        history_end(&p->h, o, 1, 0);
    }
}

static void check(void *context)
{
    play *const p = context;
    specification const s = {.capacity = (uint64_t)(p->bound * 100),
                             .state_size = sizeof(model),
                             .step = step};
    schedule_check(linearize(&s, &p->h) != NOT_LINEARIZABLE,
                   "a node went over its cap");
    for (uint32_t id = 0; id < NODES; id++)
        schedule_check((uint32_t)p->ring->snapshot->cells[id]->word == 0,
                       "node %u has a load left", id);
    schedule_check(girt__load_known(p->ring) == 0, "the books are off by %d",
                   (int)girt__load_known(p->ring));
    girt_ring_destroy(p->ring);
}

static void run(const char *name, double bound, bool changes, size_t runs)
{
    play p = {.bound = bound, .changes = changes};
    history_init(&p.h, THREADS, 2 * CALLS);
    schedule const s = {
        .name = name,
        .threads = THREADS,
        .runs = runs,
        /* A change has a thousand steps, too many to stop at each. */
        .stopped_threads = changes ? THREADS - 1 : THREADS,
        .context = &p,
        .setup = setup,
        .body = body,
        .check = check,
        .steps_max = 20000,
    };
    schedule_must_pass(&s);
    history_free(&p.h);
}

static void tight(void **state)
{
    (void)state;
    run("tight", 1.0, false, 500);
}

static void loose(void **state)
{
    (void)state;
    run("loose", 1.5, false, 500);
}

static void membership(void **state)
{
    (void)state;
    run("membership", 1.25, true, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tight),
        cmocka_unit_test(loose),
        cmocka_unit_test(membership),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
