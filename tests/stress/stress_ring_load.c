/* SPDX-License-Identifier: MIT */
/* Goal: the bound of acquire is strict under races, no load is lost or made up,
 * and acquire always finds a node.  Method: threads hold up to HELD loads each,
 * so the total never passes THREADS * HELD, and no node's load, read right
 * after an acquire, may pass the cap of that total; in acquire-only phases the
 * cap of the phase's own total; at rest all loads are what the threads hold,
 * and floor and pending add up to them. Members come and go meanwhile. */
#include <girt/ring.h>

#include <math.h>

#include "core/atomic.h"
#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4, HELD = 5, NODES = 5 };

typedef struct stress {
    girt_ring *ring;
    uint64_t seed;
    double bound;
    size_t steps;
    uint32_t running; /* threads that acquire */
    uint32_t held[THREADS][HELD];
    size_t held_count[THREADS];
} stress;

static const girt_node nodes[NODES] = {
    {"a", 1}, {"b", 2}, {"c", 1}, {"d", 1}, {"e", 3}};

static double cap(double bound, uint64_t total_before, double w, double sum)
{
    return ceil(bound * (double)(total_before + 1) * w / sum);
}

static uint64_t word_of(const girt_ring *ring, uint32_t id)
{
    return girt_load_acquire(&ring->snapshot->cells[id]->word);
}

static void stress_init(stress *s, girt_ring_kind kind, double bound,
                        uint64_t seed)
{
    *s = (stress){.seed = seed, .bound = bound};
    check_status(
        girt_ring_create(&s->ring, &(girt_ring_options){.kind = kind,
                                                        .points_per_weight = 64,
                                                        .maglev_size = 251,
                                                        .bound = bound}),
        GIRT_OK);
    check_status(girt_ring_set(s->ring, nodes, NODES), GIRT_OK);
}

/* One hot key, a few warm ones: most acquires overflow. */
static uint32_t acquire_some(stress *s, rng *r)
{
    uint64_t const key = rng_below(r, 2) == 0 ? 0 : rng_below(r, 6);
    uint32_t id = UINT32_MAX;
    check_status(girt_ring_acquire(s->ring, &key, sizeof key, &id), GIRT_OK);
    return id;
}

static void hold_some(void *context, size_t index)
{
    stress *const s = context;
    rng r = {s->seed + index};
    uint32_t *const held = s->held[index];
    size_t count = 0;
    for (size_t step = 0; step < s->steps; step++) {
        if (count < HELD && rng_below(&r, 2) == 0) {
            uint32_t const id = acquire_some(s, &r);
            assert_true(id < NODES);
            uint32_t const load = (uint32_t)word_of(s->ring, id);
            assert_true(load <=
                        cap(s->bound, THREADS * HELD - 1, nodes[id].weight, 8));
            held[count++] = id;
        } else if (count > 0) {
            size_t const i = rng_below(&r, count);
            girt_ring_release(s->ring, held[i]);
            held[i] = held[--count];
        }
    }
    s->held_count[index] = count;
}

static void the_cap_of_the_greatest_total(void **state)
{
    uint64_t const seed = *(const uint64_t *)*state;
    static const double bounds[] = {1.0, 1.25, 2.0};
    for (int kind = GIRT_RING_NATIVE; kind <= GIRT_RING_JUMP; kind++) {
        for (size_t b = 0; b < 3; b++) {
            stress s;
            stress_init(&s, (girt_ring_kind)kind, bounds[b], seed);
            s.steps = scaled(20000);
            threads_run(THREADS, hold_some, &s);
            /* Exactly what the threads hold. */
            uint32_t expected[NODES] = {0};
            for (size_t t = 0; t < THREADS; t++)
                for (size_t i = 0; i < s.held_count[t]; i++)
                    expected[s.held[t][i]]++;
            for (uint32_t id = 0; id < NODES; id++)
                assert_int_equal((uint32_t)word_of(s.ring, id), expected[id]);
            for (size_t t = 0; t < THREADS; t++)
                while (s.held_count[t] > 0)
                    girt_ring_release(s.ring, s.held[t][--s.held_count[t]]);
            for (uint32_t id = 0; id < NODES; id++)
                assert_int_equal((uint32_t)word_of(s.ring, id), 0);
            girt_ring_destroy(s.ring);
        }
    }
}

static void only_acquire(void *context, size_t index)
{
    stress *const s = context;
    rng r = {s->seed + index};
    for (size_t i = 0; i < s->steps; i++)
        (void)acquire_some(s, &r);
}

/* Without releases the total only grows, so each node's load was allowed by a
 * total of at most the last one, and with bound 1 every node is at its cap. */
static void acquires_alone(void **state)
{
    uint64_t const seed = *(const uint64_t *)*state;
    static const double bounds[] = {1.0, 1.3};
    for (size_t round = 0; round < scaled(200); round++) {
        double const bound = bounds[round % 2];
        stress s;
        stress_init(&s, (girt_ring_kind)(round % 5), bound, seed + round);
        s.steps = 1 + round;
        threads_run(THREADS, only_acquire, &s);
        uint64_t const total = THREADS * s.steps;
        uint64_t sum = 0;
        for (uint32_t id = 0; id < NODES; id++) {
            uint32_t const load = (uint32_t)word_of(s.ring, id);
            assert_true(load <= cap(bound, total - 1, nodes[id].weight, 8));
            sum += load;
        }
        assert_int_equal(sum, total);
        girt_ring_destroy(s.ring);
    }
}

/* "c", "d" and a stranger leave and come back with loads on them. */
static void change_and_hold(void *context, size_t index)
{
    stress *const s = context;
    if (index != 0) {
        rng r = {s->seed + index};
        size_t count = 0;
        uint32_t held[HELD];
        for (size_t step = 0; step < s->steps; step++) {
            if (count < HELD && rng_below(&r, 2) == 0) {
                held[count++] = acquire_some(s, &r);
            } else if (count > 0) {
                size_t const i = rng_below(&r, count);
                girt_ring_release(s->ring, held[i]);
                held[i] = held[--count];
            }
        }
        while (count > 0)
            girt_ring_release(s->ring, held[--count]);
        (void)girt_sub_acq_rel(&s->running, 1u);
        return;
    }
    rng r = {s->seed};
    static const char *const names[] = {"c", "d", "x"};
    while (girt_load_acquire(&s->running) != 0) {
        const char *const name = names[rng_below(&r, 3)];
        (void)girt_ring_remove(s->ring, name);
        check_status(
            girt_ring_add(s->ring, name, 1 + (uint32_t)rng_below(&r, 3)),
            GIRT_OK);
    }
}

static void the_books_balance_across_changes(void **state)
{
    uint64_t const seed = *(const uint64_t *)*state;
    for (size_t round = 0; round < 3; round++) {
        stress s;
        stress_init(&s, GIRT_RING_NATIVE, 1.25, seed + round);
        s.steps = scaled(60000);
        s.running = THREADS - 1;
        threads_run(THREADS, change_and_hold, &s);
        const girt__ring_snapshot *const last = s.ring->snapshot;
        for (size_t id = 0; id < last->slots; id++)
            if (last->cells[id] != NULL)
                assert_int_equal((uint32_t)last->cells[id]->word, 0);
        /* Equality in I1: else a floor that drifted would refuse or admit for
         * ever after. */
        assert_int_equal(girt__load_known(s.ring), 0);
        girt_ring_destroy(s.ring);
    }
}

int main(void)
{
    uint64_t seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_cap_of_the_greatest_total, &seed),
        cmocka_unit_test_prestate(acquires_alone, &seed),
        cmocka_unit_test_prestate(the_books_balance_across_changes, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
