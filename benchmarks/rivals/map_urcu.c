/* SPDX-License-Identifier: MIT */
/* map_urcu.c - liburcu's lock-free resizable hash table, memb flavour. */
#define MAP_NAME urcu_lfht
#define _LGPL_SOURCE
#define RCU_MEMB
#include <pthread.h>
#include <stdlib.h>
#include <urcu.h>
#include <urcu/rculfhash.h>

#include "bench_map.h"

typedef uint64_t map_key;
typedef uint64_t map_value;

typedef struct entry {
    struct cds_lfht_node node;
    uint64_t key, value;
    struct rcu_head retired;
} entry;

/* Threads must be registered, and unregistered when they end. */
static pthread_key_t at_exit;
static __thread bool is_registered;

static void unregister_thread(void *unused)
{
    (void)unused;
    rcu_unregister_thread();
}

static inline void register_thread(void)
{
    if (is_registered)
        return;
    is_registered = true;
    rcu_register_thread();
    (void)pthread_setspecific(at_exit, &at_exit);
}

static inline unsigned long hash_of(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    return key ^ (key >> 32);
}

static int has_key(struct cds_lfht_node *node, const void *key)
{
    return caa_container_of(node, entry, node)->key == *(const uint64_t *)key;
}

static void *map_make(size_t expected)
{
    (void)pthread_key_create(&at_exit, unregister_thread);
    size_t buckets = 64;
    while (buckets < expected)
        buckets *= 2;
    /* Without accounting, chance chains make it grow without end. */
    return cds_lfht_new(buckets, 64, 0,
                        CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, NULL);
}

/* The process ends after one run: entries are left to that. */
static void map_free(void *map)
{
    (void)map;
}

static entry *find(void *map, uint64_t key)
{
    struct cds_lfht_iter found;
    cds_lfht_lookup(map, hash_of(key), has_key, &key, &found);
    struct cds_lfht_node *const node = cds_lfht_iter_get_node(&found);
    return node != NULL ? caa_container_of(node, entry, node) : NULL;
}

static inline bool map_get(void *map, map_key key, map_value *value)
{
    register_thread();
    rcu_read_lock();
    const entry *const found = find(map, key);
    if (found != NULL)
        *value = __atomic_load_n(&found->value, __ATOMIC_RELAXED);
    rcu_read_unlock();
    return found != NULL;
}

static void free_entry(struct rcu_head *retired)
{
    free(caa_container_of(retired, entry, retired));
}

static inline void map_put(void *map, map_key key, const map_value *value)
{
    register_thread();
    rcu_read_lock();
    entry *const found = find(map, key);
    if (found != NULL) {
        __atomic_store_n(&found->value, *value, __ATOMIC_RELAXED);
    } else {
        entry *const e = malloc(sizeof *e);
        cds_lfht_node_init(&e->node);
        e->key = key;
        e->value = *value;
        struct cds_lfht_node *const old =
            cds_lfht_add_replace(map, hash_of(key), has_key, &e->key, &e->node);
        if (old != NULL)
            call_rcu(&caa_container_of(old, entry, node)->retired, free_entry);
    }
    rcu_read_unlock();
}

static inline void map_remove(void *map, map_key key)
{
    register_thread();
    rcu_read_lock();
    entry *const found = find(map, key);
    if (found != NULL && cds_lfht_del(map, &found->node) == 0)
        call_rcu(&found->retired, free_entry);
    rcu_read_unlock();
}

#include "map_driver.h"
