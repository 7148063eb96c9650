/* SPDX-License-Identifier: MIT */
/* map.c - byte-string keys: an index (map_index.h) from keyed hashes to nodes
 * (map_node.h).  Keys of equal hash are told apart by the node's copy.
 *
 * I9: a word of the index is the address of a node that is not freed while a
 * section that began before the node left the index is open.  Readers and
 * writers follow words only inside a section.
 * Order: the node's bytes are written before its address is stored with
 * release (girt__group_fill, girt__place_set) and read after it was loaded
 * with acquire (girt__group_find_among). */
#include <girt/map.h>

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/epoch_section.h"
#include "core/keyed_hash.h"
#include "core/options.h"
#include "map/map_bytes.h"
#include "map/map_grow.h"
#include "map/map_node.h"
#include "map/map_report.h"

#define KEY_SIZE_MAX   65536u
#define VALUE_SIZE_MAX 65536u

struct girt_map {
    girt__index index;
    girt__heap heap;
    girt__hash_key hash_key; /* written once */
};
_Static_assert(offsetof(struct girt_map, index) == 0,
               "a report of the index is of the map");

/* A caller's key. */
typedef struct sought {
    const void *key;
    size_t size;
    size_t value_size;
    uint64_t hash;
} sought;

GIRT__INLINE bool same_key(const void *context, uint64_t word)
{
    const sought *const s = context;
    girt__node *const node = girt__node_at(word);
    return node->hash == s->hash && node->key_size == s->size &&
           girt__bytes_equal(girt__node_key(node, s->value_size), s->key,
                             s->size);
}

static girt_status options_check(const girt_map_options *options)
{
    if (!girt__options_are_valid(options->name, options->metrics,
                                 options->reserved) ||
        options->value_size == 0 || options->value_size > VALUE_SIZE_MAX ||
        options->shards > GIRT__INDEX_TABLES_MAX)
        return GIRT_E_INVALID;
    return GIRT_OK;
}

girt_status girt_map_create(girt_map **out, const girt_map_options *options)
{
    girt_allocator allocator;
    if (out == NULL || options == NULL || options_check(options) != GIRT_OK ||
        girt__allocator_resolve(&allocator, options->allocator) != GIRT_OK)
        return GIRT_E_INVALID;
    girt_map *const map =
        girt__allocate(&allocator, sizeof *map, GIRT_DESTRUCTIVE);
    if (map == NULL)
        return GIRT_E_NOMEM;
    girt_status status =
        girt__index_init(&map->index, GIRT__LINE, options->expected,
                         options->shards, &allocator);
    if (status != GIRT_OK)
        goto fail_index;
    status = girt__heap_init(&map->heap, options->value_size,
                             &map->index.stripes, &allocator);
    if (status != GIRT_OK)
        goto fail_heap;
    girt__hash_key_init(&map->hash_key, options->seed);
    status = girt__map_report(&map->index, options);
    if (status != GIRT_OK)
        goto fail_report;
    *out = map;
    return GIRT_OK;

fail_report:
    girt__heap_destroy(&map->heap);
fail_heap:
    girt__index_destroy(&map->index);
fail_index:
    girt__release(&allocator, map, sizeof *map);
    return status;
}

/* Nobody else uses the map any more, so its nodes need no waiting for. */
static void free_nodes(girt_map *map)
{
    uint64_t prefix = 0;
    do {
        girt__table *const table =
            girt__entry_table(girt__index_entry(&map->index, prefix));
        girt__walk walk = girt__walk_begin(table);
        while (girt__walk_next(&walk))
            girt__node_free(girt__node_at(*walk.slot));
        prefix = girt__table_next_prefix(table, prefix);
    } while (prefix != 0);
}

void girt_map_destroy(girt_map *map)
{
    if (map == NULL)
        return;
    girt__report_destroy(map->index.report);
    /* Nodes that were retired still point here. */
    girt_epoch_barrier();
    girt_audit(girt__index_is_valid(&map->index));
    free_nodes(map);
    const girt_allocator allocator = map->heap.allocator;
    girt__heap_destroy(&map->heap);
    girt__index_destroy(&map->index);
    girt__release(&allocator, map, sizeof *map);
}

/* The checks that every keyed call begins with. */
GIRT__INLINE girt_status seek(const girt_map *map, const void *key,
                              size_t key_size, sought *s)
{
    if (girt_unlikely(map == NULL || (key == NULL && key_size != 0)))
        return GIRT_E_INVALID;
    if (girt_unlikely(key_size > KEY_SIZE_MAX))
        return GIRT_E_TOO_LARGE;
    *s = (sought){key, key_size, map->heap.value_size,
                  girt__keyed_hash(&map->hash_key, key, key_size)};
    return GIRT_OK;
}

/* What find does not inline: a key away from home, or a group that changed
 * meanwhile.  Its own copy of the key lets find keep the caller's in
 * registers. */
__attribute__((noinline)) static girt__node *find_anywhere(girt_map *map,
                                                           const void *key,
                                                           size_t size,
                                                           uint64_t hash)
{
    const sought s = {key, size, map->heap.value_size, hash};
    uint64_t word;
    return girt__index_find(&map->index, GIRT__LINE, hash, same_key, &s, &word)
               ? girt__node_at(word)
               : NULL;
}

/* Inside a section; NULL: missing. */
GIRT__INLINE girt__node *find(girt_map *map, const sought *s)
{
    uint64_t word;
    bool done;
    const bool found = girt__index_find_home(&map->index, GIRT__LINE, s->hash,
                                             same_key, s, &word, &done);
    if (girt_unlikely(!done))
        return find_anywhere(map, s->key, s->size, s->hash);
    return found ? girt__node_at(word) : NULL;
}

GIRT__INLINE void copy_value(const girt_map *map, void *to, const void *from)
{
    girt__bytes_copy(to, from, map->heap.value_size);
}

girt_status girt_map_get(girt_map *map, const void *key, size_t key_size,
                         void *value)
{
    sought s;
    const girt_status status = seek(map, key, key_size, &s);
    if (status != GIRT_OK)
        return status;
    if (value == NULL)
        return GIRT_E_INVALID;
    girt__epoch_enter();
    girt__node *const node = find(map, &s);
    if (node != NULL)
        copy_value(map, value, girt__node_value(node));
    girt__epoch_exit();
    return node != NULL ? GIRT_OK : GIRT_MISSING;
}

girt_status girt_map_view(girt_map *map, const void *key, size_t key_size,
                          void (*see)(void *context, const void *value),
                          void *context)
{
    sought s;
    const girt_status status = seek(map, key, key_size, &s);
    if (status != GIRT_OK)
        return status;
    if (see == NULL)
        return GIRT_E_INVALID;
    girt__epoch_enter();
    girt__node *const node = find(map, &s);
    if (node != NULL)
        see(context, girt__node_value(node));
    girt__epoch_exit();
    return node != NULL ? GIRT_OK : GIRT_MISSING;
}

/* What replaces a key's node, and under which condition. */
typedef struct change {
    girt__node *node; /* the new one; NULL: remove */
    bool any;         /* whatever is there */
    girt__node *seen; /* else: only if this is there, NULL: nothing */
} change;

/* Makes the change if its condition holds, in one step; inside a section.
 * GIRT_OK: made, *old is what left the index, NULL if nothing did.
 * GIRT_E_BUSY: the condition does not hold.  GIRT_E_NOMEM: nothing changed. */
static girt_status apply(girt_map *map, const sought *s, const change *c,
                         girt__node **old)
{
    const uint64_t word = c->node != NULL ? girt__node_word(c->node) : 0;
    girt__index_prefetch(&map->index, GIRT__LINE, s->hash);
    for (;;) {
        girt__place place = girt__index_lock(&map->index, GIRT__LINE, s->hash);
        const bool present = girt__place_find(&place, same_key, s);
        *old = present ? girt__node_at(girt__place_word(&place)) : NULL;
        girt_status status = GIRT_OK;
        if (!c->any && *old != c->seen)
            status = GIRT_E_BUSY;
        else if (present && c->node != NULL)
            girt__place_set(&place, word);
        else if (present)
            girt__place_remove(&place);
        else if (c->node != NULL &&
                 (status = girt__place_insert(&place, word)) != GIRT_OK) {
            /* Each turn makes room, or another writer got in. */
            status = girt__index_make_room(&map->index, &place, status);
            if (status != GIRT_OK)
                return status;
            continue;
        }
        girt__place_unlock(&place);
        return status;
    }
}

/* What follows a change that was made: counts, and lets the old node go. */
static void settle(girt_map *map, const change *c, girt__node *old)
{
    if ((old != NULL) != (c->node != NULL))
        girt__index_count_add(&map->index, old == NULL ? 1 : -1);
    if (old != NULL)
        girt__node_retire(old);
}

/* put: any; add: only where there is none. */
static girt_status store(girt_map *map, const sought *s, const void *value,
                         bool any)
{
    const change c = {
        .node = girt__node_create(&map->heap, s->hash, s->key, s->size),
        .any = any};
    if (c.node == NULL)
        return GIRT_E_NOMEM;
    copy_value(map, girt__node_value(c.node), value);
    girt__node *old;
    girt__epoch_enter();
    girt_status status = apply(map, s, &c, &old);
    if (status == GIRT_OK)
        settle(map, &c, old);
    girt__epoch_exit();
    if (status != GIRT_OK)
        girt__node_free(c.node);
    return status == GIRT_E_BUSY ? GIRT_EXISTS : status;
}

girt_status girt_map_put(girt_map *map, const void *key, size_t key_size,
                         const void *value)
{
    sought s;
    const girt_status status = seek(map, key, key_size, &s);
    if (status != GIRT_OK)
        return status;
    return value == NULL ? GIRT_E_INVALID : store(map, &s, value, true);
}

girt_status girt_map_add(girt_map *map, const void *key, size_t key_size,
                         const void *value)
{
    sought s;
    const girt_status status = seek(map, key, key_size, &s);
    if (status != GIRT_OK)
        return status;
    if (value == NULL)
        return GIRT_E_INVALID;
    /* One that is there costs no node. */
    girt__epoch_enter();
    const bool present = find(map, &s) != NULL;
    girt__epoch_exit();
    return present ? GIRT_EXISTS : store(map, &s, value, false);
}

girt_status girt_map_remove(girt_map *map, const void *key, size_t key_size,
                            void *old_value)
{
    sought s;
    const girt_status status = seek(map, key, key_size, &s);
    if (status != GIRT_OK)
        return status;
    const change c = {.node = NULL, .any = true};
    girt__node *old;
    girt__epoch_enter();
    (void)apply(map, &s, &c, &old); /* a removal cannot fail */
    if (old != NULL && old_value != NULL)
        copy_value(map, old_value, girt__node_value(old));
    if (old != NULL)
        settle(map, &c, old);
    girt__epoch_exit();
    return old != NULL ? GIRT_OK : GIRT_MISSING;
}

/* One run of the caller's function and the change that it asks for; inside a
 * section, so that the node seen is not another one at the same address.
 * GIRT_E_BUSY: the key changed meanwhile.  *node is NULL once it was used. */
static girt_status update_once(girt_map *map, const sought *s,
                               girt_map_update_fn update, void *context,
                               girt__node **node)
{
    girt__node *const seen = find(map, s);
    if (seen != NULL)
        copy_value(map, girt__node_value(*node), girt__node_value(seen));
    else
        memset(girt__node_value(*node), 0, map->heap.value_size);
    const girt_map_action action =
        update(context, girt__node_value(*node), seen != NULL);
    girt_require(action == GIRT_MAP_KEEP || action == GIRT_MAP_STORE ||
                 action == GIRT_MAP_REMOVE);
    if (action != GIRT_MAP_STORE && seen == NULL)
        return GIRT_MISSING;
    if (action == GIRT_MAP_KEEP)
        return GIRT_OK;
    const change c = {.node = action == GIRT_MAP_STORE ? *node : NULL,
                      .seen = seen};
    girt__node *old;
    const girt_status status = apply(map, s, &c, &old);
    if (status != GIRT_OK)
        return status;
    settle(map, &c, old);
    if (c.node != NULL)
        *node = NULL;
    return GIRT_OK;
}

girt_status girt_map_update(girt_map *map, const void *key, size_t key_size,
                            girt_map_update_fn update, void *context)
{
    sought s;
    girt_status status = seek(map, key, key_size, &s);
    if (status != GIRT_OK)
        return status;
    if (update == NULL)
        return GIRT_E_INVALID;
    girt__node *node = girt__node_create(&map->heap, s.hash, key, key_size);
    if (node == NULL)
        return GIRT_E_NOMEM;
    do { /* Again only when another change of this key went through. */
        girt__epoch_enter();
        status = update_once(map, &s, update, context, &node);
        girt__epoch_exit();
    } while (status == GIRT_E_BUSY);
    girt__node_free(node);
    return status;
}

size_t girt_map_count(const girt_map *map)
{
    return map == NULL ? 0 : girt__index_count(&map->index);
}

size_t girt_map_bytes(const girt_map *map)
{
    if (map == NULL)
        return 0;
    return sizeof *map + girt__heap_bytes(&map->heap) +
           girt__index_bytes(&map->index);
}

/* The next table's entries; *more: none said stop. */
static girt_status each_table(girt_map *map, girt__snapshot *snapshot,
                              bool (*see)(void *context, const void *key,
                                          size_t key_size, const void *value),
                              void *context, bool *more)
{
    const girt_status status = girt__snapshot_next(&map->index, snapshot);
    if (status != GIRT_OK)
        return status;
    for (size_t i = 0; *more && i < snapshot->count; i++) {
        girt__node *const node = girt__node_at(snapshot->elements[i].word);
        *more = see(context, girt__node_key(node, map->heap.value_size),
                    node->key_size, girt__node_value(node));
    }
    return GIRT_OK;
}

girt_status girt_map_each(girt_map *map,
                          bool (*see)(void *context, const void *key,
                                      size_t key_size, const void *value),
                          void *context)
{
    if (map == NULL || see == NULL)
        return GIRT_E_INVALID;
    girt__snapshot snapshot = {.last = false};
    girt_status status = GIRT_OK;
    bool more = true;
    while (more && !snapshot.last && status == GIRT_OK) {
        girt__epoch_enter(); /* the nodes stay for as long as they are seen */
        status = each_table(map, &snapshot, see, context, &more);
        girt__epoch_exit();
    }
    girt__snapshot_free(&map->index, &snapshot);
    return status;
}
