/* SPDX-License-Identifier: MIT */
/* map_node.c - making and freeing the entries of a byte-string map. */
#include "map/map_node.h"

#include "core/alloc_internal.h"

/* Cannot overflow: value and key are 65536 bytes at most. */
static size_t node_bytes(const girt__heap *heap, size_t key_size)
{
    return sizeof(girt__node) + heap->value_size + key_size;
}

girt__node *girt__node_create(girt__heap *heap, uint64_t hash, const void *key,
                              size_t key_size)
{
    const size_t bytes = node_bytes(heap, key_size);
    girt__node *const node = girt__allocate(&heap->allocator, bytes, 0);
    if (node == NULL)
        return NULL;
    node->hash = hash;
    node->heap = heap;
    node->key_size = key_size;
    if (key_size != 0)
        memcpy(girt__node_key(node, heap->value_size), key, key_size);
    girt__stripes_add(heap->stripes, GIRT__STRIPE_BYTES, (int64_t)bytes);
    return node;
}

void girt__node_free(girt__node *node)
{
    if (node == NULL)
        return;
    girt__heap *const heap = node->heap;
    const size_t bytes = node_bytes(heap, node->key_size);
    girt__stripes_add(heap->stripes, GIRT__STRIPE_BYTES, -(int64_t)bytes);
    girt__release(&heap->allocator, node, bytes);
}

static void release(girt__epoch_node *retired)
{
    girt__node_free(girt_container_of(retired, girt__node, retired));
}

void girt__node_retire(girt__node *node)
{
    girt__epoch_retire_node(&node->retired, release);
}
