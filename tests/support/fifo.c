/* SPDX-License-Identifier: MIT */
/* fifo.c - the checks that spsc and mpmc share. */
#include "support/fifo.h"

#include <girt/mpmc.h>
#include <girt/spsc.h>

#include "queue/mpmc_internal.h"
#include "queue/spsc_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"

/* One adapter for each: the compiler checks the types. */
#define FIFO_KIND(name)                                                        \
    static girt_status name##_create(void **out, size_t capacity,              \
                                     const girt_allocator *allocator,          \
                                     uint64_t first)                           \
    {                                                                          \
        girt_##name *queue = NULL;                                             \
        girt_status const status =                                             \
            first == 0 ? girt_##name##_create(out == NULL ? NULL : &queue,     \
                                              capacity, allocator)             \
                       : girt__##name##_create_at(&queue, capacity, allocator, \
                                                  first);                      \
        if (status == GIRT_OK)                                                 \
            *out = queue;                                                      \
        else                                                                   \
            assert_null(queue);                                                \
        return status;                                                         \
    }                                                                          \
    static void name##_destroy(void *queue)                                    \
    {                                                                          \
        girt_##name##_destroy(queue);                                          \
    }                                                                          \
    static bool name##_push(void *queue, void *item)                           \
    {                                                                          \
        return girt_##name##_push(queue, item);                                \
    }                                                                          \
    static bool name##_pop(void *queue, void **item)                           \
    {                                                                          \
        return girt_##name##_pop(queue, item);                                 \
    }                                                                          \
    static size_t name##_push_n(void *queue, void *const items[],              \
                                size_t count)                                  \
    {                                                                          \
        return girt_##name##_push_n(queue, items, count);                      \
    }                                                                          \
    static size_t name##_pop_n(void *queue, void *items[], size_t count)       \
    {                                                                          \
        return girt_##name##_pop_n(queue, items, count);                       \
    }                                                                          \
    static size_t name##_count(const void *queue)                              \
    {                                                                          \
        return girt_##name##_count(queue);                                     \
    }                                                                          \
    static size_t name##_capacity(const void *queue)                           \
    {                                                                          \
        return girt_##name##_capacity(queue);                                  \
    }                                                                          \
    static bool name##_is_valid(const void *queue)                             \
    {                                                                          \
        return girt__##name##_is_valid(queue);                                 \
    }                                                                          \
    const fifo_kind fifo_##name = {                                            \
        name##_create, name##_destroy,  name##_push,                           \
        name##_pop,    name##_push_n,   name##_pop_n,                          \
        name##_count,  name##_capacity, name##_is_valid,                       \
    }

FIFO_KIND(spsc);
FIFO_KIND(mpmc);

static const size_t capacities[] = {1, 2, 3, 5, 6, 7, 8, 13, 14, 15, 64, 1000};
#define CAPACITIES (sizeof capacities / sizeof *capacities)

/* 2^32, half of 2^64, where a state of twice the ticket wraps, and 2^64. */
static const uint64_t late_tickets[] = {UINT32_MAX - 3, (UINT64_C(1) << 62) - 5,
                                        (UINT64_C(1) << 63) - 7,
                                        UINT64_MAX - 9};
#define LATE_TICKETS (sizeof late_tickets / sizeof *late_tickets)

void *fifo_made(const fifo_kind *kind, size_t capacity, uint64_t first)
{
    void *queue = NULL;
    check_status(kind->create(&queue, capacity, NULL, first), GIRT_OK);
    assert_non_null(queue);
    return queue;
}

static void expect_pop(const fifo_kind *kind, void *queue, void *item)
{
    void *got = &got;
    assert_true(kind->pop(queue, &got));
    assert_ptr_equal(got, item);
}

static void expect_empty(const fifo_kind *kind, void *queue)
{
    void *untouched = &untouched;
    assert_false(kind->pop(queue, &untouched));
    assert_ptr_equal(untouched, &untouched);
    assert_int_equal(kind->count(queue), 0);
}

/* Fills to the brim and drains, `rounds` times, from wherever it stands. */
static void fill_and_drain(const fifo_kind *kind, void *queue, size_t rounds)
{
    size_t const capacity = kind->capacity(queue);
    for (uint64_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < capacity; i++) {
            assert_int_equal(kind->count(queue), i);
            assert_true(kind->push(queue, fifo_item(round + i)));
        }
        assert_false(kind->push(queue, fifo_item(0)));
        assert_int_equal(kind->count(queue), capacity);
        assert_true(kind->is_valid(queue));
        for (size_t i = 0; i < capacity; i++)
            expect_pop(kind, queue, fifo_item(round + i));
        expect_empty(kind, queue);
    }
}

/* Keeps 1, 2, .. capacity items while three rounds of the slots go by. */
static void slide(const fifo_kind *kind, void *queue)
{
    size_t const capacity = kind->capacity(queue);
    size_t const stride = capacity > 64 ? 333 : 1;
    for (size_t held = 1; held <= capacity; held += stride) {
        for (size_t i = 0; i < held; i++)
            assert_true(kind->push(queue, fifo_item(i)));
        for (size_t i = 0; i < 3 * capacity; i++) {
            assert_int_equal(kind->count(queue), held);
            if (held == capacity)
                assert_false(kind->push(queue, fifo_item(0)));
            expect_pop(kind, queue, fifo_item(i));
            assert_true(kind->push(queue, fifo_item(i + held)));
        }
        for (size_t i = 0; i < held; i++)
            expect_pop(kind, queue, fifo_item(3 * capacity + i));
        expect_empty(kind, queue);
    }
}

void fifo_check_capacity_is_exact(const fifo_kind *kind)
{
    for (size_t i = 0; i < CAPACITIES; i++) {
        void *const queue = fifo_made(kind, capacities[i], 0);
        assert_int_equal(kind->capacity(queue), capacities[i]);
        expect_empty(kind, queue);
        fill_and_drain(kind, queue, 5);
        kind->destroy(queue);
    }
}

void fifo_check_any_pointer_is_an_item(const fifo_kind *kind)
{
    void *const queue = fifo_made(kind, 3, 0);
    void *const odd[] = {NULL, (void *)UINTPTR_MAX, (void *)1};
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 3; i++)
            assert_true(kind->push(queue, odd[(round + i) % 3]));
        assert_false(kind->push(queue, NULL));
        for (size_t i = 0; i < 3; i++)
            expect_pop(kind, queue, odd[(round + i) % 3]);
    }
    assert_true(kind->push(queue, NULL));
    kind->destroy(queue); /* with an item inside */
    kind->destroy(NULL);
}

void fifo_check_batches(const fifo_kind *kind)
{
    void *in[1200], *out[1200];
    for (size_t i = 0; i < 1200; i++)
        in[i] = fifo_item(i);
    for (size_t c = 0; c < CAPACITIES; c++) {
        size_t const capacity = capacities[c];
        void *const queue = fifo_made(kind, capacity, 0);
        assert_int_equal(kind->push_n(queue, NULL, 0), 0);
        assert_int_equal(kind->pop_n(queue, NULL, 0), 0);
        assert_int_equal(kind->pop_n(queue, out, 5), 0);
        for (size_t round = 0; round < 20; round++) {
            /* One by one before, so that batches start at every place. */
            assert_true(kind->push(queue, in[0]));
            assert_int_equal(kind->push_n(queue, in + 1, 1199), capacity - 1);
            assert_int_equal(kind->push_n(queue, in, 7), 0);
            memset(out, 0, sizeof out);
            size_t const some = 1 + round % capacity;
            assert_int_equal(kind->pop_n(queue, out, some), some);
            assert_null(out[some]);
            assert_int_equal(kind->count(queue), capacity - some);
            assert_int_equal(kind->pop_n(queue, out + some, 1200 - some),
                             capacity - some);
            assert_memory_equal(in, out, capacity * sizeof *in);
            assert_null(out[capacity]);
            expect_empty(kind, queue);
            assert_true(kind->is_valid(queue));
        }
        kind->destroy(queue);
    }
}

void fifo_check_late_tickets(const fifo_kind *kind)
{
    for (size_t l = 0; l < LATE_TICKETS; l++) {
        for (size_t c = 0; c < CAPACITIES; c++) {
            void *const queue = fifo_made(kind, capacities[c], late_tickets[l]);
            expect_empty(kind, queue);
            fill_and_drain(kind, queue, 20);
            slide(kind, queue);
            assert_true(kind->is_valid(queue));
            kind->destroy(queue);
        }
    }
}

static void *refuse(void *context, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    return NULL;
}

static void accept(void *context, void *block, size_t size)
{
    (void)context;
    (void)block;
    (void)size;
}

void fifo_check_create_rejects(const fifo_kind *kind)
{
    static const size_t too_large[] = {(SIZE_MAX >> 24) + 2, SIZE_MAX / 2,
                                       SIZE_MAX / 2 + 1, SIZE_MAX - 1,
                                       SIZE_MAX};
    void *queue = &queue;
    check_status(kind->create(NULL, 8, NULL, 0), GIRT_E_INVALID);
    check_status(kind->create(&queue, 0, NULL, 0), GIRT_E_INVALID);
    const girt_allocator no_release = {refuse, NULL, NULL};
    check_status(kind->create(&queue, 8, &no_release, 0), GIRT_E_INVALID);
    const girt_allocator no_allocate = {NULL, accept, NULL};
    check_status(kind->create(&queue, 8, &no_allocate, 0), GIRT_E_INVALID);
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++)
        check_status(kind->create(&queue, too_large[i], NULL, 0),
                     GIRT_E_TOO_LARGE);
    const girt_allocator nothing = {refuse, accept, NULL};
    check_status(kind->create(&queue, (size_t)1 << 40, &nothing, 0),
                 GIRT_E_NOMEM);
    assert_ptr_equal(queue, &queue);
}

void fifo_check_out_of_memory(const fifo_kind *kind)
{
    size_t allocations = 0;
    for (size_t at = 1; at <= allocations + 1; at++) {
        for (size_t after = 0; after < 2; after++) {
            failing f;
            failing_init(&f);
            f.fail_at = at;
            f.fail_all_after = after == 1;
            void *queue = &queue;
            girt_status const status =
                kind->create(&queue, 100, &f.allocator, 0);
            if (status == GIRT_OK) {
                assert_true(f.calls < at);
                fill_and_drain(kind, queue, 2);
                kind->destroy(queue);
            } else {
                check_status(status, GIRT_E_NOMEM);
                assert_ptr_equal(queue, &queue);
                allocations = at;
            }
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.live_bytes, 0);
        }
    }
    assert_true(allocations >= 1);
}

/* --- the naive twin --- */

typedef struct twin {
    void *items[1024];
    size_t count, capacity;
} twin;

static size_t twin_push_n(twin *t, void *const items[], size_t count)
{
    size_t const room = t->capacity - t->count;
    size_t const fit = count < room ? count : room;
    memcpy(t->items + t->count, items, fit * sizeof *items);
    t->count += fit;
    return fit;
}

static size_t twin_pop_n(twin *t, void *items[], size_t count)
{
    size_t const come = count < t->count ? count : t->count;
    memcpy(items, t->items, come * sizeof *items);
    memmove(t->items, t->items + come, (t->count - come) * sizeof *items);
    t->count -= come;
    return come;
}

static void step_both(const fifo_kind *kind, void *queue, twin *t, rng *random)
{
    void *in[24], *out[24] = {0}, *expected[24] = {0};
    for (size_t i = 0; i < 24; i++)
        in[i] = (void *)(uintptr_t)rng_below(random, 1000);
    size_t const count = rng_below(random, 25);
    switch (rng_below(random, 4)) {
    case 0:
        assert_int_equal(kind->push(queue, in[0]), twin_push_n(t, in, 1));
        break;
    case 1:
        assert_int_equal(kind->pop(queue, out), twin_pop_n(t, expected, 1));
        break;
    case 2:
        assert_int_equal(kind->push_n(queue, in, count),
                         twin_push_n(t, in, count));
        break;
    default:
        assert_int_equal(kind->pop_n(queue, out, count),
                         twin_pop_n(t, expected, count));
    }
    assert_memory_equal(out, expected, sizeof out);
    assert_int_equal(kind->count(queue), t->count);
}

void fifo_check_against_model(const fifo_kind *kind, uint64_t seed,
                              size_t operations)
{
    rng random = {seed};
    twin *const t = calloc(1, sizeof *t);
    assert_non_null(t);
    size_t const each = operations / 200 + 1;
    for (size_t done = 0; done < operations; done += each) {
        t->count = 0;
        t->capacity = rng_below(&random, 3) == 0
                          ? capacities[rng_below(&random, CAPACITIES)]
                          : 1 + rng_below(&random, 40);
        void *const queue = fifo_made(
            kind, t->capacity, rng_below(&random, 2) * rng_next(&random));
        for (size_t i = 0; i < each; i++)
            step_both(kind, queue, t, &random);
        assert_true(kind->is_valid(queue));
        kind->destroy(queue);
    }
    free(t);
}
