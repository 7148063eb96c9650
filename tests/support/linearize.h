/* SPDX-License-Identifier: MIT */
/* linearize.h - is there an order of the operations that explains a history?
 *
 * A history is linearizable if each operation can be given an instant between
 * its begin and its end so that, taken in the order of these instants, a
 * sequential object gives the same answers [Herlihy and Wing 1990]. The search
 * is Wing and Gong's [1993] with Lowe's memory of where it was [2017]: the
 * next operation of some thread is tried wherever no other one ended before it
 * began. Operations of one thread stay in order even where their times are the
 * same, so that a batch is recorded as single operations of one interval.
 *
 * An operation without an end may have happened or not. */
#ifndef GIRT_TESTS_LINEARIZE_H
#define GIRT_TESTS_LINEARIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/history.h"

typedef struct specification {
    uint64_t capacity; /* queues and deques: of items, at most 64 */
    /* Kinds below 64, one bit each, that count as under way: see step. */
    uint64_t under_way_kinds;
    size_t state_size; /* a multiple of 8; starts as zeros */
    /* Does `o` to the state; false: it cannot be answered like this here.
     * known: false when o never ended, so that its answers mean nothing.
     * under_way: operations of the kinds above that already had their instant
     * but have not ended at that of o. */
    bool (*step)(const struct specification *s, void *state, const operation *o,
                 bool known, size_t under_way);
} specification;

typedef enum linearize_answer {
    LINEARIZABLE,
    NOT_LINEARIZABLE,
    UNDECIDED /* the search took too long */
} linearize_answer;

linearize_answer linearize(const specification *s, const history *h);
/* For maps: each key by itself, which is enough [Herlihy and Wing, locality].
 * The worst answer; *key: the key it is of. */
linearize_answer linearize_by_key(const specification *s, const history *h,
                                  uint64_t *key);

/* ---- sequential specifications ----------------------------------------- */

/* Bounded FIFO. result: 1 done, 0 full or empty; a pop's item in `value`. A
 * push may say full when items plus pops under way fill it; `second` counts as
 * so many items more. */
enum { QUEUE_PUSH, QUEUE_POP };
specification specification_queue(uint64_t capacity);
/* The same, but a push may say full only when the items alone fill it. */
specification specification_strict_queue(uint64_t capacity);

/* Work stealing: PUSH and POP at one end, STEAL at the other. A steal may
 * fail at any time; a push may say full as above, for steals under way. */
enum { DEQUE_PUSH, DEQUE_POP, DEQUE_STEAL };
specification specification_deque(uint64_t capacity);

/* One key of a map64. result: a girt_status. */
enum { MAP_GET, MAP_PUT, MAP_ADD, MAP_REMOVE, MAP_EXCHANGE, MAP_INCREASE };
specification specification_register(void);

/* Writes the history to stderr in the order of begins. */
void history_print(const history *h);

#endif /* GIRT_TESTS_LINEARIZE_H */
