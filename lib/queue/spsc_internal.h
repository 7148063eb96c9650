/* SPDX-License-Identifier: MIT */
/* spsc_internal.h - what tests see of an spsc. */
#ifndef GIRT_QUEUE_SPSC_INTERNAL_H
#define GIRT_QUEUE_SPSC_INTERNAL_H

#include <girt/spsc.h>

/* girt_spsc_create with tickets counted from `first`. */
girt_status girt__spsc_create_at(girt_spsc **out, size_t capacity,
                                 const girt_allocator *allocator,
                                 uint64_t first);

/* Counts tickets from `first`; only while fresh. */
void girt__spsc_start(girt_spsc *queue, uint64_t first);

/* The invariants of fast/spsc.h, while nobody pushes or pops. */
bool girt__spsc_is_valid(const girt_spsc *queue);

#endif /* GIRT_QUEUE_SPSC_INTERNAL_H */
