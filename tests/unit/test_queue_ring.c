/* SPDX-License-Identifier: MIT */
/* Goal: the ring's arithmetic holds for any capacity and across the wrap of
 * its tickets.  Method: whole laps by one thread, singly and in batches, from
 * laps just before 2^32 items and before 2^64, against two plain counters. */
#include "queue/queue_internal.h"
#include "support/check.h"

static girt_allocator allocator;

static void *number(size_t n)
{
    return (void *)n;
}

static void laps_from(size_t capacity, uint64_t first_lap)
{
    girt__ring ring;
    check_status(girt__ring_init(&ring, capacity, &allocator), GIRT_OK);
    girt__ring_start(&ring, first_lap);
    uint64_t seen;
    void *items[16], *out[16];
    size_t in_total = 0, out_total = 0, done = 0;
    for (size_t round = 0; round < 40 * capacity + 40; round++) {
        size_t const want = 1 + round % 16;
        for (size_t i = 0; i < want; i++)
            items[i] = number(in_total + i);
        girt_status status =
            girt__ring_push(&ring, items, want, false, &done, &seen);
        size_t const inside = in_total - out_total;
        if (inside == capacity) {
            check_status(status, GIRT_FULL);
        } else {
            check_status(status, GIRT_OK);
            size_t const room = capacity - inside;
            assert_int_equal(done, want < room ? want : room);
            in_total += done;
        }
        assert_int_equal(girt__ring_count(&ring), in_total - out_total);
        size_t const wish = 1 + round * 7 % 16;
        status = girt__ring_pop(&ring, out, wish, &done, &seen);
        if (in_total == out_total) {
            check_status(status, GIRT_EMPTY);
            continue;
        }
        check_status(status, GIRT_OK);
        size_t const there = in_total - out_total;
        assert_int_equal(done, wish < there ? wish : there);
        for (size_t i = 0; i < done; i++)
            assert_ptr_equal(out[i], number(out_total + i));
        out_total += done;
        assert_int_equal(girt__ring_count(&ring), in_total - out_total);
    }
    girt__ring_release(&ring, &allocator);
}

static void every_capacity_wraps_well(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 100};
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        size_t const capacity = capacities[c];
        laps_from(capacity, 0);
        laps_from(capacity, ((uint64_t)1 << 32) / capacity);
        /* The last laps before tickets wrap: -1, -2, ... in laps. */
        laps_from(capacity, UINT64_MAX);
        laps_from(capacity, UINT64_MAX - 3);
        laps_from(capacity, (UINT64_MAX >> 1) - 1);
    }
}

static void distance_counts_across_laps(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity < 20; capacity++) {
        girt__ring ring;
        check_status(girt__ring_init(&ring, capacity, &allocator), GIRT_OK);
        uint64_t from = 0 - girt__ring_lap(&ring);
        for (size_t i = 0; i < capacity; i++) {
            uint64_t to = from;
            for (size_t d = 0; d <= capacity; d++) {
                assert_int_equal(girt__ring_distance(&ring, from, to), d);
                to = girt__ring_next(&ring, to);
            }
            from = girt__ring_next(&ring, from);
        }
        girt__ring_release(&ring, &allocator);
    }
}

static void flags_and_grants_stay_apart_from_tickets(void **state)
{
    (void)state;
    girt__ring ring;
    check_status(girt__ring_init(&ring, 3, &allocator), GIRT_OK);
    girt__ring_start(&ring, UINT64_MAX);
    void *item = number(1), *out = NULL;
    size_t done = 0;
    uint64_t seen = 0;
    check_status(girt__ring_push(&ring, &item, 1, true, &done, &seen),
                 GIRT_LIMITED);
    ring.tail |= 2 * RING_GRANT | RING_WATCHED | RING_SLEEPERS;
    check_status(girt__ring_push(&ring, &item, 1, true, &done, &seen), GIRT_OK);
    assert_int_equal(seen & RING_SLEEPERS, RING_SLEEPERS);
    assert_int_equal(seen & RING_WATCHED, RING_WATCHED);
    assert_int_equal(ring.tail & ~RING_TICKET, RING_GRANT | RING_WATCHED);
    void *const three[3] = {number(2), number(3), number(4)};
    check_status(girt__ring_push(&ring, three, 3, true, &done, &seen), GIRT_OK);
    assert_int_equal(done, 1);
    check_status(girt__ring_push(&ring, three, 3, true, &done, &seen),
                 GIRT_LIMITED);
    ring.tail |= RING_CLOSED;
    check_status(girt__ring_push(&ring, three, 3, true, &done, &seen),
                 GIRT_CLOSED);
    ring.head |= RING_SLEEPERS;
    check_status(girt__ring_pop(&ring, &out, 1, &done, &seen), GIRT_OK);
    assert_int_equal(seen & RING_SLEEPERS, RING_SLEEPERS);
    assert_int_equal(ring.head & RING_SLEEPERS, 0);
    check_status(girt__ring_pop(&ring, &out, 1, &done, &seen), GIRT_OK);
    assert_ptr_equal(out, number(2));
    check_status(girt__ring_pop(&ring, &out, 1, &done, &seen), GIRT_CLOSED);
    girt__ring_release(&ring, &allocator);
}

/* A pop of an empty ring, and how long its next lull will be. */
static uint32_t lull_after_empty(girt__ring *ring)
{
    void *out = NULL;
    size_t done = 0;
    uint64_t seen = 0;
    check_status(girt__ring_pop(ring, &out, 1, &done, &seen), GIRT_EMPTY);
    return ring->pop_lull.pauses;
}

static void pass_an_item(girt__ring *ring)
{
    void *item = number(1);
    size_t done = 0;
    uint64_t seen = 0;
    check_status(girt__ring_push(ring, &item, 1, false, &done, &seen), GIRT_OK);
    check_status(girt__ring_pop(ring, &item, 1, &done, &seen), GIRT_OK);
}

static void lulls_in_vain_come_once_a_ticket_and_end(void **state)
{
    (void)state;
    static const uint32_t expected[] = {16, 8, 0, 0, 0, 0, 0, 0, 0, 0};
    girt__ring ring;
    check_status(girt__ring_init(&ring, 1024, &allocator), GIRT_OK);
    assert_int_equal(lull_after_empty(&ring), 0);
    ring.pop_lull.pauses = 32;
    assert_int_equal(lull_after_empty(&ring), 32); /* had its lull */
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        pass_an_item(&ring);
        assert_int_equal(lull_after_empty(&ring), expected[i]);
        assert_int_equal(lull_after_empty(&ring), expected[i]);
    }
    girt__ring_release(&ring, &allocator);
}

int main(void)
{
    if (girt__allocator_resolve(&allocator, NULL) != GIRT_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_capacity_wraps_well),
        cmocka_unit_test(distance_counts_across_laps),
        cmocka_unit_test(flags_and_grants_stay_apart_from_tickets),
        cmocka_unit_test(lulls_in_vain_come_once_a_ticket_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
