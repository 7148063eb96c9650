/* SPDX-License-Identifier: MIT */
/* mpmc_internal.h - what tests see of an mpmc. */
#ifndef GIRT_QUEUE_MPMC_INTERNAL_H
#define GIRT_QUEUE_MPMC_INTERNAL_H

#include <girt/mpmc.h>

/* girt_mpmc_create with tickets counted from `first`. */
girt_status girt__mpmc_create_at(girt_mpmc **out, size_t capacity,
                                 const girt_allocator *allocator,
                                 uint64_t first);

/* The invariants of mpmc.c, while nobody pushes or pops. */
bool girt__mpmc_is_valid(const girt_mpmc *queue);

#endif /* GIRT_QUEUE_MPMC_INTERNAL_H */
