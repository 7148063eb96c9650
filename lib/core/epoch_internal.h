/* SPDX-License-Identifier: MIT */
/* epoch_internal.h - deferred free for the library's own objects. */
#ifndef GIRT_CORE_EPOCH_INTERNAL_H
#define GIRT_CORE_EPOCH_INTERNAL_H

#include <stddef.h>

#include <girt/alloc.h>
#include <girt/epoch.h>

/* Embedded in what is retired, so that retiring allocates nothing. */
typedef struct girt__epoch_node {
    void *words[2];
} girt__epoch_node;

/* Like girt_epoch_retire, by an embedded node; cannot fail.
 *
 * Call it inside the section that unlinked the block: it then neither waits
 * nor releases.  Outside a section it may run release functions, and with 4096
 * blocks pending it waits for readers: hold no lock that a section takes. */
void girt__epoch_retire_node(girt__epoch_node *node,
                             void (*release)(girt__epoch_node *node));

/* Blocks of the whole process that wait for readers, any thread's; of those
 * that change hands meanwhile some may count twice, or not. */
size_t girt__epoch_backlog(void);

/* For tests: where records and nodes come from from now on. */
void girt__epoch_set_memory(const girt_allocator *allocator);

#endif /* GIRT_CORE_EPOCH_INTERNAL_H */
