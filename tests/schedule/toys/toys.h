/* SPDX-License-Identifier: MIT */
/* toys.h - small objects with one known mistake each, to test the tests with.
 *
 * They are read by machines only; nothing here is an example to follow. */
#ifndef GIRT_TESTS_TOYS_H
#define GIRT_TESTS_TOYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOY_CAPACITY 4 /* at most, a power of two */

/* Sequence slots (Vyukov's bounded queue), correct as published: but its
 * "empty" is not linearizable, and a stopped producer stops the consumers. */
typedef struct toy_slots {
    uint64_t head, tail, capacity;
    struct {
        uint64_t sequence;
        uint64_t item;
    } slots[TOY_CAPACITY];
    bool publish_first; /* mistake: the sequence moves before the item */
} toy_slots;
void toy_slots_init(toy_slots *q, uint64_t capacity);
bool toy_slots_push(toy_slots *q, uint64_t item);
bool toy_slots_pop(toy_slots *q, uint64_t *item);

/* A queue under one lock. mistake: "full" is looked at before the lock. */
typedef struct toy_locked {
    uint32_t lock;
    uint64_t count, capacity;
    uint64_t items[2 * TOY_CAPACITY];
    bool check_early;
} toy_locked;
void toy_locked_init(toy_locked *q, uint64_t capacity);
bool toy_locked_push(toy_locked *q, uint64_t item);
bool toy_locked_pop(toy_locked *q, uint64_t *item);

/* A stack of three nodes. mistake: no tag against ABA unless `tagged`. */
typedef struct toy_stack {
    uint64_t top; /* index + 1, and a tag above 32 bits */
    uint64_t next[4];
    bool tagged;
} toy_stack;
void toy_stack_init(toy_stack *s); /* holds nodes 0, 1 and 2 */
bool toy_stack_pop(toy_stack *s, uint32_t *node);
void toy_stack_push(toy_stack *s, uint32_t node);

/* Work stealing. mistakes: the last item is taken without a race for it; the
 * owner's store of bottom may wait while it reads top. */
typedef struct toy_deque {
    int64_t top, bottom;
    uint64_t items[TOY_CAPACITY];
    bool no_race, no_fence;
} toy_deque;
void toy_deque_push(toy_deque *d, uint64_t item);
bool toy_deque_pop(toy_deque *d, uint64_t *item);
bool toy_deque_steal(toy_deque *d, uint64_t *item);

/* One flag that a thread sleeps for. mistakes as named. */
typedef struct toy_event {
    uint32_t flag, waiters, epoch;
    bool key_late; /* the key is read after the last look at the flag */
    bool no_fence; /* nothing keeps "I wait" before the last look */
} toy_event;
void toy_event_wait(toy_event *e);
void toy_event_set(toy_event *e);

/* A box whose content is replaced and released. mistake: readers may still
 * hold the old one, unless they count themselves. */
typedef struct toy_box {
    uint64_t *content;
    uint32_t readers;
    bool counted;
} toy_box;
uint64_t toy_box_read(toy_box *b);
void toy_box_replace(toy_box *b, uint64_t value);

/* Two words that belong together. mistakes: no second look at the sequence; no
 * fence between the sequence and the words. */
typedef struct toy_pair {
    uint32_t sequence;
    uint64_t a, b;
    bool no_second_look, no_release;
} toy_pair;
void toy_pair_write(toy_pair *p, uint64_t value);
void toy_pair_read(toy_pair *p, uint64_t *a, uint64_t *b);

#endif /* GIRT_TESTS_TOYS_H */
