/* SPDX-License-Identifier: MIT */
/* fifo.h - what spsc and mpmc have in common, for tests that do both. */
#ifndef GIRT_TESTS_FIFO_H
#define GIRT_TESTS_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

typedef struct fifo_kind {
    /* The public create where first is 0. */
    girt_status (*create)(void **out, size_t capacity,
                          const girt_allocator *allocator, uint64_t first);
    void (*destroy)(void *queue);
    bool (*push)(void *queue, void *item);
    bool (*pop)(void *queue, void **item);
    size_t (*push_n)(void *queue, void *const items[], size_t count);
    size_t (*pop_n)(void *queue, void *items[], size_t count);
    size_t (*count)(const void *queue);
    size_t (*capacity)(const void *queue);
    bool (*is_valid)(const void *queue);
} fifo_kind;

extern const fifo_kind fifo_spsc, fifo_mpmc;

/* Item number n, never NULL. */
static inline void *fifo_item(uint64_t n)
{
    return (void *)(uintptr_t)(n + 1);
}

/* A queue that is there, or the test fails. */
void *fifo_made(const fifo_kind *kind, size_t capacity, uint64_t first);

/* Unit checks, each on one thread. */
void fifo_check_capacity_is_exact(const fifo_kind *kind);
void fifo_check_any_pointer_is_an_item(const fifo_kind *kind);
void fifo_check_batches(const fifo_kind *kind);
void fifo_check_late_tickets(const fifo_kind *kind);
void fifo_check_create_rejects(const fifo_kind *kind);
/* Every allocation of create fails in turn. */
void fifo_check_out_of_memory(const fifo_kind *kind);
/* `operations` random calls, compared with an array. */
void fifo_check_against_model(const fifo_kind *kind, uint64_t seed,
                              size_t operations);

#endif /* GIRT_TESTS_FIFO_H */
