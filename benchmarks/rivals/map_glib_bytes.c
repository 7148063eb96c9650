/* SPDX-License-Identifier: MIT */
/* map_glib_bytes.c - GHashTable behind a reader-writer lock, byte keys. */
#define MAP_NAME glib_bytes
#define MAP_BYTE_KEYS
#include <glib.h>
#include <string.h>

#include "bench_map.h"

typedef map_bytes_key map_key;
typedef map_bytes_value map_value;

typedef struct locked {
    GRWLock lock;
    GHashTable *table;
} locked;

static void *map_make(size_t expected)
{
    (void)expected;
    locked *const m = g_new0(locked, 1);
    g_rw_lock_init(&m->lock);
    m->table = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                     (GDestroyNotify)g_bytes_unref, g_free);
    return m;
}

static void map_free(void *map)
{
    locked *const m = map;
    g_hash_table_destroy(m->table);
    g_rw_lock_clear(&m->lock);
    g_free(m);
}

static inline bool map_get(void *map, map_key key, map_value *value)
{
    locked *const m = map;
    GBytes *const name = g_bytes_new_static(key.data, key.size);
    g_rw_lock_reader_lock(&m->lock);
    const map_value *const found = g_hash_table_lookup(m->table, name);
    if (found != NULL)
        *value = *found;
    g_rw_lock_reader_unlock(&m->lock);
    g_bytes_unref(name);
    return found != NULL;
}

static inline void map_put(void *map, map_key key, const map_value *value)
{
    locked *const m = map;
    GBytes *const name = g_bytes_new(key.data, key.size);
    map_value *const copy = g_new(map_value, 1);
    *copy = *value;
    g_rw_lock_writer_lock(&m->lock);
    g_hash_table_replace(m->table, name, copy);
    g_rw_lock_writer_unlock(&m->lock);
}

static inline void map_remove(void *map, map_key key)
{
    locked *const m = map;
    GBytes *const name = g_bytes_new_static(key.data, key.size);
    g_rw_lock_writer_lock(&m->lock);
    g_hash_table_remove(m->table, name);
    g_rw_lock_writer_unlock(&m->lock);
    g_bytes_unref(name);
}

#include "map_driver.h"
