/* SPDX-License-Identifier: MIT */
/* map_node.c - making and freeing the entries of a byte-string map.
 *
 * A change frees one node and needs another of the same size a moment later,
 * often one that another thread allocated, which is where allocators contend:
 * so each stripe keeps some small ones.  At two threads and 3e5 entries of 64
 * bytes, with glibc's malloc: 50/50 from 4.7 to 7.7, churn from 4.7 to 8.4
 * million/s. */
#include "map/map_node.h"

#include "core/alloc_internal.h"
#include "map/map_bytes.h"

/* Nodes have multiples of this, and half of it, so that a spare fits more keys
 * and glibc's malloc, whose blocks end in 8, wastes nothing. */
#define NODE_UNIT       ((size_t)16)
/* Larger nodes are not kept. */
#define SPARE_BYTES_MAX ((size_t)512)
#define SPARE_CLASSES   (SPARE_BYTES_MAX / NODE_UNIT + 1)
/* Epochs release some hundred nodes at a time. */
#define SPARES_MAX      128u

/* AddressSanitizer shall see every free. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEP_SPARES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEP_SPARES 0
#endif
#endif
#ifndef KEEP_SPARES
#define KEEP_SPARES 1
#endif

struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__spares {
    uint32_t lock;  /* only ever tried: who fails uses the allocator */
    uint32_t count; /* under the lock; read without it as a hint */
    girt__node *classes[SPARE_CLASSES]; /* by size, under the lock */
};

girt_status girt__heap_init(girt__heap *heap, size_t value_size,
                            girt__stripes *stripes,
                            const girt_allocator *allocator)
{
    *heap = (girt__heap){
        .allocator = *allocator, .stripes = stripes, .value_size = value_size};
    heap->spares = girt__allocate_zeroed(allocator, girt__heap_bytes(heap),
                                         GIRT_DESTRUCTIVE);
    return heap->spares == NULL ? GIRT_E_NOMEM : GIRT_OK;
}

size_t girt__heap_bytes(const girt__heap *heap)
{
    return ((size_t)heap->stripes->mask + 1) * sizeof(girt__spares);
}

/* Cannot overflow: value and key are 65536 bytes at most. */
static size_t node_bytes(const girt__heap *heap, size_t key_size)
{
    const size_t bytes = sizeof(girt__node) + heap->value_size + key_size;
    return (bytes + NODE_UNIT / 2 - 1) / NODE_UNIT * NODE_UNIT + NODE_UNIT / 2;
}

static girt__spares *own_spares(girt__heap *heap)
{
    return &heap->spares[girt__thread_index() & heap->stripes->mask];
}

/* S1: what the last holder did is visible. */
static bool spares_trylock(girt__spares *spares)
{
    uint32_t unlocked = 0;
    return girt_load_relaxed(&spares->lock) == 0 &&
           girt_cas_acquire(&spares->lock, &unlocked, 1u);
}

static void spares_unlock(girt__spares *spares)
{
    girt_store_release(&spares->lock, 0u); /* -> S1 */
}

static girt__node *take_spare(girt__heap *heap, size_t bytes)
{
    girt__spares *const spares = own_spares(heap);
    if (bytes > SPARE_BYTES_MAX || girt_load_relaxed(&spares->count) == 0 ||
        !spares_trylock(spares))
        return NULL;
    girt__node **const first = &spares->classes[bytes / NODE_UNIT];
    girt__node *const node = *first;
    if (node != NULL) {
        *first = node->retired.words[0];
        girt_store_relaxed(&spares->count, spares->count - 1);
    }
    spares_unlock(spares);
    return node;
}

/* false: not kept. */
static bool keep_spare(girt__heap *heap, girt__node *node, size_t bytes)
{
    girt__spares *const spares = own_spares(heap);
    if (!KEEP_SPARES || bytes > SPARE_BYTES_MAX ||
        girt_load_relaxed(&spares->count) >= SPARES_MAX ||
        !spares_trylock(spares))
        return false;
    girt__node **const first = &spares->classes[bytes / NODE_UNIT];
    node->retired.words[0] = *first;
    *first = node;
    girt_store_relaxed(&spares->count, spares->count + 1);
    spares_unlock(spares);
    return true;
}

static void release_node(girt__heap *heap, girt__node *node, size_t bytes)
{
    girt__stripes_add(heap->stripes, GIRT__STRIPE_BYTES, -(int64_t)bytes);
    girt__release(&heap->allocator, node, bytes);
}

void girt__heap_destroy(girt__heap *heap)
{
    for (uint32_t i = 0; i <= heap->stripes->mask; i++) {
        for (size_t c = 0; c < SPARE_CLASSES; c++) {
            girt__node *node = heap->spares[i].classes[c];
            while (node != NULL) {
                girt__node *const next = node->retired.words[0];
                release_node(heap, node, c * NODE_UNIT + NODE_UNIT / 2);
                node = next;
            }
        }
    }
    girt__release(&heap->allocator, heap->spares, girt__heap_bytes(heap));
}

girt__node *girt__node_create(girt__heap *heap, uint64_t hash, const void *key,
                              size_t key_size)
{
    const size_t bytes = node_bytes(heap, key_size);
    girt__node *node = take_spare(heap, bytes);
    if (node == NULL) {
        node = girt__allocate(&heap->allocator, bytes, 0);
        if (node == NULL)
            return NULL;
        girt__stripes_add(heap->stripes, GIRT__STRIPE_BYTES, (int64_t)bytes);
    }
    node->hash = hash;
    node->heap = heap;
    node->key_size = key_size;
    girt__bytes_copy(girt__node_key(node, heap->value_size), key, key_size);
    return node;
}

void girt__node_free(girt__node *node)
{
    if (node == NULL)
        return;
    girt__heap *const heap = node->heap;
    const size_t bytes = node_bytes(heap, node->key_size);
    if (!keep_spare(heap, node, bytes))
        release_node(heap, node, bytes);
}

static void release(girt__epoch_node *retired)
{
    girt__node_free(girt_container_of(retired, girt__node, retired));
}

void girt__node_retire(girt__node *node)
{
    girt__epoch_retire_node(&node->retired, release);
}
