/* SPDX-License-Identifier: MIT */
/* deque_internal.h - what tests see of a deque. */
#ifndef GIRT_QUEUE_DEQUE_INTERNAL_H
#define GIRT_QUEUE_DEQUE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <girt/deque.h>

/* Test hook: the index of the first item; the deque is fresh and empty. */
void girt__deque_start(girt_deque *deque, uint64_t index);
/* Checks the invariants of a deque at rest. */
bool girt__deque_is_valid(const girt_deque *deque);

#endif /* GIRT_QUEUE_DEQUE_INTERNAL_H */
