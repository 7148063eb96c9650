/* SPDX-License-Identifier: MIT */
/* Goal: while the membership changes, every lookup answers with a node that was
 * a member at an instant within the call, and all of a set is seen or none.
 * Method: a writer announces each change before and after it makes it; readers
 * keep the range of announcements that their call overlapped and check the
 * answer against the memberships of that range. Nodes come in two generations,
 * so an answer of find_n that mixes them is torn. */
#include <girt/epoch.h>
#include <girt/ring.h>

#include "core/atomic.h"
#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4, STABLE = 4, NODES = 8 };

typedef struct stress {
    girt_ring *ring;
    uint64_t seed;
    size_t changes;
    uint64_t begun, done; /* changes, by the writer */
    uint32_t stop;
    size_t lookups;
} stress;

/* Even changes leave a0..a7, odd ones b0..b7; the same ids never mean another
 * node than these two. */
static void set_generation(stress *s, uint64_t change)
{
    girt_node nodes[NODES];
    char names[NODES][8];
    for (size_t i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "%c%zu", (int)('a' + change % 2),
                 i);
        nodes[i] = (girt_node){names[i], 1};
    }
    girt_store_release(&s->begun, change);
    check_status(girt_ring_set(s->ring, nodes, NODES), GIRT_OK);
    girt_store_release(&s->done, change);
}

static void read_generations(stress *s, rng *r)
{
    uint64_t const key = rng_next(r);
    uint32_t ids[3];
    size_t count = 3;
    uint64_t const before = girt_load_acquire(&s->done);
    check_status(girt_ring_find_n(s->ring, &key, sizeof key, ids, &count),
                 GIRT_OK);
    assert_int_equal(count, 3);
    assert_true(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
    char name[8];
    girt_status const status =
        girt_ring_name(s->ring, ids[0], name, sizeof name);
    girt_fence_acquire();
    uint64_t const after = girt_load_acquire(&s->begun);
    if (before == after) { /* no change overlapped */
        check_status(status, GIRT_OK);
        assert_int_equal(name[0], 'a' + (int)(before % 2));
    } else if (status == GIRT_OK) {
        assert_true(name[0] == 'a' || name[0] == 'b');
    }
    assert_int_equal(girt_ring_count(s->ring), NODES);
    (void)girt_add_relaxed(&s->lookups, (size_t)1);
}

static void generations_body(void *context, size_t index)
{
    stress *const s = context;
    rng r = {s->seed + index};
    if (index == 0) {
        for (uint64_t change = 1; change <= s->changes; change++)
            set_generation(s, change);
        girt_store_release(&s->stop, 1u);
        return;
    }
    do
        read_generations(s, &r);
    while (girt_load_acquire(&s->stop) == 0);
}

static void run(stress *s, girt_ring_kind kind, double bound, size_t changes,
                uint64_t seed, void (*body)(void *context, size_t index))
{
    *s = (stress){.seed = seed, .changes = changes};
    check_status(
        girt_ring_create(&s->ring, &(girt_ring_options){.kind = kind,
                                                        .points_per_weight = 32,
                                                        .maglev_size = 251,
                                                        .bound = bound}),
        GIRT_OK);
    set_generation(s, 0);
    threads_run(THREADS, body, s);
    girt_ring_destroy(s->ring);
}

static void whole_memberships(void **state)
{
    uint64_t const seed = *(const uint64_t *)*state;
    for (int kind = GIRT_RING_NATIVE; kind <= GIRT_RING_JUMP; kind++) {
        stress s;
        run(&s, (girt_ring_kind)kind, 0, scaled(400), seed, generations_body);
        assert_true(s.lookups > 0);
    }
}

/* Nodes 0..3 stay, others come and go: a stable node keeps its id, and a key
 * goes to its owner among the stable ones or to a node that came. */
static void churn_body(void *context, size_t index)
{
    stress *const s = context;
    rng r = {s->seed + index};
    if (index == 0) {
        for (size_t i = 0; i < s->changes; i++) {
            char name[8];
            snprintf(name, sizeof name, "x%d", (int)rng_below(&r, 4));
            girt_status const status =
                rng_below(&r, 2) == 0
                    ? girt_ring_add(s->ring, name, (uint32_t)rng_below(&r, 3))
                    : girt_ring_remove(s->ring, name);
            assert_true(status == GIRT_OK || status == GIRT_EXISTS ||
                        status == GIRT_MISSING);
        }
        girt_store_release(&s->stop, 1u);
        return;
    }
    do {
        uint64_t const key = rng_next(&r);
        uint32_t id;
        check_status(girt_ring_find(s->ring, &key, sizeof key, &id), GIRT_OK);
        assert_true(id < STABLE + 4);
        char name[8];
        girt_status const status =
            girt_ring_name(s->ring, id, name, sizeof name);
        if (id < STABLE) {
            check_status(status, GIRT_OK);
            assert_int_equal(name[0], 's');
            assert_int_equal(name[1], '0' + (int)id);
        } else if (status == GIRT_OK) {
            assert_int_equal(name[0], 'x');
        }
        (void)girt_ring_share(s->ring, "s0");
    } while (girt_load_acquire(&s->stop) == 0);
}

static void nodes_that_stay_keep_their_ids(void **state)
{
    uint64_t const seed = *(const uint64_t *)*state;
    static const girt_ring_kind kinds[] = {GIRT_RING_NATIVE, GIRT_RING_KETAMA,
                                           GIRT_RING_MAGLEV,
                                           GIRT_RING_RENDEZVOUS};
    for (size_t i = 0; i < 4; i++) {
        stress s = {.seed = seed, .changes = scaled(400)};
        check_status(
            girt_ring_create(&s.ring,
                             &(girt_ring_options){.kind = kinds[i],
                                                  .maglev_size = 251,
                                                  .points_per_weight = 32}),
            GIRT_OK);
        static const girt_node stable[STABLE] = {
            {"s0", 1}, {"s1", 1}, {"s2", 1}, {"s3", 1}};
        check_status(girt_ring_set(s.ring, stable, STABLE), GIRT_OK);
        threads_run(THREADS, churn_body, &s);
        girt_ring_destroy(s.ring);
    }
}

int main(void)
{
    uint64_t seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(whole_memberships, &seed),
        cmocka_unit_test_prestate(nodes_that_stay_keep_their_ids, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
