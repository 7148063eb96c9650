/* SPDX-License-Identifier: MIT */
/* Goal: out of memory at any allocation is GIRT_E_NOMEM, leaks nothing and
 * leaves the ring as it was.  Method: one life of a ring on every kind, with
 * and without a bound; for every k its k-th allocation fails, alone or with all
 * after it; the failed call is compared with a look at the ring before, then
 * made again with memory. */
#include <girt/epoch.h>
#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/failing.h"

enum { KINDS = GIRT_RING_JUMP + 1, STEPS = 8 };

/* What can be seen of a ring. */
typedef struct view {
    size_t count;
    uint32_t owners[64];
    char names[8][16];
    double shares[4];
} view;

static void look(girt_ring *ring, view *v)
{
    memset(v, 0, sizeof *v);
    v->count = girt_ring_count(ring);
    for (uint32_t k = 0; k < 64; k++)
        (void)girt_ring_find(ring, &k, sizeof k, &v->owners[k]);
    for (uint32_t id = 0; id < 8; id++)
        (void)girt_ring_name(ring, id, v->names[id], sizeof v->names[id]);
    static const char *const names[4] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        v->shares[i] = girt_ring_share(ring, names[i]);
}

static girt_status change(girt_ring *ring, int step)
{
    static const girt_node first[] = {{"a", 1}, {"b", 2}, {"c", 1}};
    static const girt_node second[] = {{"b", 2}, {"a", 3}, {"e", 1}, {"f", 1}};
    switch (step) {
    case 0:
        return girt_ring_set(ring, first, 3);
    case 1:
        return girt_ring_add(ring, "d", 2);
    case 2:
        return girt_ring_add(ring, "d", 5);
    case 3:
        return girt_ring_remove(ring, "d");
    case 4:
        return girt_ring_set(ring, second, 4);
    case 5:
        return girt_ring_add(ring, "f", 2);
    case 6:
        return girt_ring_set(ring, NULL, 0);
    default:
        return girt_ring_add(ring, "g", 1);
    }
}

/* Returns whether an allocation failed. */
static bool one_life(failing *f, const girt_ring_options *options)
{
    girt_ring *ring = NULL;
    bool failed = false;
    girt_status status = girt_ring_create(&ring, options);
    if (status != GIRT_OK) {
        check_status(status, GIRT_E_NOMEM);
        assert_null(ring);
        assert_int_equal(f->live_blocks, 0);
        failed = true;
        f->fail_at = 0;
        check_status(girt_ring_create(&ring, options), GIRT_OK);
    }
    for (int step = 0; step < STEPS; step++) {
        view before, after;
        look(ring, &before);
        size_t const live = f->live_blocks;
        size_t const retired =
            __atomic_load_n(&ring->retired_count, __ATOMIC_ACQUIRE);
        status = change(ring, step);
        if (status == GIRT_E_NOMEM) {
            failed = true;
            look(ring, &after);
            assert_memory_equal(&before, &after, sizeof before);
            /* Nothing of the failed change is left; a snapshot of an earlier
             * one may have been freed meanwhile: two blocks. */
            size_t const still =
                __atomic_load_n(&ring->retired_count, __ATOMIC_ACQUIRE);
            assert_true(f->live_blocks <= live);
            assert_true(retired != still || f->live_blocks == live);
            f->fail_at = 0;
            status = change(ring, step);
        }
        assert_true(status == GIRT_OK || status == GIRT_EXISTS);
        uint32_t id;
        if (girt_ring_acquire(ring, "k", 1, &id) == GIRT_OK && step % 2 == 0)
            girt_ring_release(ring, id);
    }
    girt_ring_destroy(ring);
    assert_int_equal(f->live_blocks, 0);
    assert_int_equal(f->live_bytes, 0);
    return failed;
}

static void out_of_memory_everywhere(void **state)
{
    (void)state;
    size_t failures = 0;
    for (int variant = 0; variant < KINDS * 4; variant++) {
        failing f;
        failing_init(&f);
        girt_ring_options const options = {
            .kind = (girt_ring_kind)(variant % KINDS),
            .points_per_weight = 20,
            .maglev_size = 101,
            .bound = variant / KINDS % 2 == 0 ? 0 : 1.25,
            .allocator = &f.allocator,
        };
        for (size_t k = 1;; k++) {
            f.calls = 0;
            f.fail_at = k;
            f.fail_all_after = variant / KINDS >= 2;
            if (!one_life(&f, &options))
                break;
            failures++;
        }
        assert_true(f.calls > STEPS);
    }
    assert_true(failures > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
