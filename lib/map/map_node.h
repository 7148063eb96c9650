/* SPDX-License-Identifier: MIT */
/* map_node.h - one entry of a byte-string map: immutable once it is published.
 *
 *   [ heap | epoch words | hash | key_size | value ... | key ... ]
 *                            ^ what the index names
 *
 * What readers need stands together, behind what they do not.
 *
 * A change makes a new node and stores its address over the old one's: readers
 * copy or view without a retry, and a writer that stops halfway stops nobody.
 * The old node waits in the epoch for the readers that may hold it. */
#ifndef GIRT_MAP_NODE_H
#define GIRT_MAP_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <girt/alloc.h>

#include "core/epoch_internal.h"
#include "map/map_stripes.h"

typedef struct girt__spares girt__spares;

/* Where the nodes of one map come from and go to; outlives them all. */
typedef struct girt__heap {
    girt_allocator allocator;
    girt__stripes *stripes; /* GIRT__STRIPE_BYTES counts nodes, spares too */
    girt__spares *spares;   /* one a stripe */
    size_t value_size;
} girt__heap;

girt_status girt__heap_init(girt__heap *heap, size_t value_size,
                            girt__stripes *stripes,
                            const girt_allocator *allocator);
/* After every node was freed. */
void girt__heap_destroy(girt__heap *heap);
/* Of what is not a node. */
size_t girt__heap_bytes(const girt__heap *heap);

typedef struct girt__node {
    girt__heap *heap;
    /* Unused until then; near the hash, which who retires it has read. */
    _Alignas(max_align_t) girt__epoch_node retired;
    /* What readers need: these two, and the value and the key after it. */
    _Alignas(max_align_t) uint64_t hash;
    uint64_t key_size;
    /* The value, aligned for any type, and the key after it. */
    _Alignas(max_align_t) unsigned char bytes[];
} girt__node;

_Static_assert(offsetof(girt__node, bytes) ==
                   offsetof(girt__node, hash) + 2 * sizeof(uint64_t),
               "readers touch no gap");

/* How the index names a node: by its hash, which it looks for there. */
static inline uint64_t girt__node_word(girt__node *node)
{
    return (uint64_t)(uintptr_t)&node->hash;
}

static inline girt__node *girt__node_at(uint64_t word)
{
    return girt_container_of((uint64_t *)(uintptr_t)word, girt__node, hash);
}

static inline unsigned char *girt__node_value(girt__node *node)
{
    return node->bytes;
}

/* By a value size that the caller knows: its load and the key's overlap. */
static inline unsigned char *girt__node_key(girt__node *node, size_t value_size)
{
    return node->bytes + value_size;
}

/* The value is left for the caller to fill in; NULL: out of memory. */
girt__node *girt__node_create(girt__heap *heap, uint64_t hash, const void *key,
                              size_t key_size);
/* One that no reader ever saw, or will see; NULL does nothing. */
void girt__node_free(girt__node *node);
/* One that readers may hold: freed once they left. */
void girt__node_retire(girt__node *node);

#endif /* GIRT_MAP_NODE_H */
