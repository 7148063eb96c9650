/* SPDX-License-Identifier: MIT */
/* reporting.c - the kinds of reporting.h, one after the other. */
#include "support/reporting.h"

#include <stdbool.h>

#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/cache.h>
#include <girt/concurrency.h>
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>
#include <girt/map.h>
#include <girt/map64.h>
#include <girt/queue.h>
#include <girt/retry.h>
#include <girt/ring.h>
#include <girt/shed.h>
#include <girt/workers.h>

/* DEFINE_KIND(type, destroy, options...): the create and destroy of a type
 * whose options and create are named after it. */
#define DEFINE_KIND(type, ...)                                                 \
    static girt_status make_##type(void **out, const char *object_name,        \
                                   girt_metrics *registry,                     \
                                   const girt_allocator *memory)               \
    {                                                                          \
        girt_##type *object = NULL;                                            \
        const girt_##type##_options options = {.name = object_name,            \
                                               .metrics = registry,            \
                                               .allocator = memory,            \
                                               __VA_ARGS__};                   \
        girt_status const status = girt_##type##_create(&object, &options);    \
        if (status == GIRT_OK)                                                 \
            *out = object;                                                     \
        return status;                                                         \
    }                                                                          \
    static void end_##type(void *object)                                       \
    {                                                                          \
        girt_##type##_destroy(object);                                         \
    }

#define KIND(type)                                                             \
    {                                                                          \
#type, make_##type, end_##type, use_##type                             \
    }

/* ---- guards ------------------------------------------------------------ */

DEFINE_KIND(breaker, .calls_min = 4, .open_ns = 1000, .window_ns = 1000000)

static void use_breaker(void *object, uint64_t turn)
{
    girt_permit permit;
    for (int i = 0; i < 8; i++)
        if (girt_breaker_enter(object, &permit) == GIRT_OK)
            girt_breaker_leave(object, &permit, (girt_outcome)(turn % 3));
    if (turn % 16 < 5)
        girt_breaker_force(object, (girt_breaker_state)(turn % 16));
}

DEFINE_KIND(bulkhead, .inside_max = 1, .waiting_max = 1)

static void use_bulkhead(void *object, uint64_t turn)
{
    if (girt_bulkhead_enter(object, (int64_t)(turn % 4 * 1000)) != GIRT_OK)
        return;
    (void)girt_bulkhead_enter(object, GIRT_NOW); /* nobody, or one in line */
    girt_bulkhead_leave(object);
}

DEFINE_KIND(concurrency, .initial = 1, .min = 1, .max = 4)

static void use_concurrency(void *object, uint64_t turn)
{
    girt_permit permits[6];
    for (int i = 0; i < 6; i++)
        (void)girt_concurrency_enter(object, &permits[i]);
    for (int i = 0; i < 6; i++)
        girt_concurrency_leave(object, &permits[i], (girt_outcome)(turn % 3));
}

DEFINE_KIND(shed, .priorities = 3, .interval_ns = 10000, .target_ns = 1000)

static void use_shed(void *object, uint64_t turn)
{
    for (unsigned priority = 0; priority < 3; priority++)
        (void)girt_shed_admit(object, priority);
    girt_shed_observe(object, turn % 8 == 0 ? 0 : 1000000);
}

DEFINE_KIND(retry_budget, .floor_per_s = 1)

static void use_retry_budget(void *object, uint64_t turn)
{
    for (uint64_t i = 0; i < turn % 8; i++)
        girt_retry_budget_call(object);
    for (int i = 0; i < 4; i++)
        (void)girt_retry_budget_take(object);
}

/* ---- limiters ---------------------------------------------------------- */

DEFINE_KIND(limiter, .rate = {1000000, 1000000000, 4})

static void use_limiter(void *object, uint64_t turn)
{
    for (uint64_t i = 0; i < 4; i++)
        (void)girt_limiter_take(object, (turn + i) % 6, NULL);
}

DEFINE_KIND(keyed_limiter, .rate = {1000, 1000000000, 2}, .keys = 4)

static void use_keyed_limiter(void *object, uint64_t turn)
{
    for (uint64_t i = 0; i < 8; i++) {
        const char key = (char)((turn + i) % 6);
        (void)girt_keyed_limiter_take(object, &key, 1, 1, NULL);
    }
}

/* ---- cache and maps ----------------------------------------------------- */

DEFINE_KIND(cache, .entries_max = 8, .ttl_ns = 100000, .stale_ns = 100000)

static girt_status load_number(void *context, const void *key, size_t key_size,
                               girt_loaded *loaded)
{
    static unsigned char number;
    (void)context;
    if (key_size != 1 || *(const unsigned char *)key % 4 == 0)
        return GIRT_E_IO;
    *loaded = (girt_loaded){.data = &number, .size = 1};
    return GIRT_OK;
}

static void use_cache(void *object, uint64_t turn)
{
    girt_cached cached;
    for (uint64_t i = 0; i < 6; i++) {
        const unsigned char key = (unsigned char)((turn * 7 + i) % 23);
        (void)girt_cache_put(object, &key, 1, &turn, sizeof turn, 0);
        if (girt_cache_get(object, &key, 1, &cached) == GIRT_OK)
            girt_cache_release(object, &cached);
        const unsigned char other = (unsigned char)(key + 100);
        if (girt_cache_load(object, &other, 1, load_number, NULL, GIRT_NOW,
                            &cached) == GIRT_OK)
            girt_cache_release(object, &cached);
    }
}

DEFINE_KIND(map, .value_size = 8)

static void use_map(void *object, uint64_t turn)
{
    for (uint64_t i = 0; i < 8; i++) {
        const uint64_t key = turn % 64 * 8 + i;
        (void)girt_map_put(object, &key, sizeof key, &turn);
        if (turn % 3 == 0)
            (void)girt_map_remove(object, &key, sizeof key, NULL);
    }
}

static girt_status make_map64(void **out, const char *name,
                              girt_metrics *metrics,
                              const girt_allocator *allocator)
{
    girt_map64 *map = NULL;
    girt_status status = girt_map64_create(&map, 0, allocator);
    if (status == GIRT_OK && metrics != NULL)
        status = girt_map64_report(map, metrics, name);
    if (status == GIRT_OK)
        *out = map;
    else
        girt_map64_destroy(map);
    return status;
}

static void end_map64(void *object)
{
    girt_map64_destroy(object);
}

static void use_map64(void *object, uint64_t turn)
{
    for (uint64_t i = 0; i < 8; i++) {
        (void)girt_map64_put(object, turn % 64 * 8 + i, turn);
        if (turn % 3 == 0)
            (void)girt_map64_remove(object, turn % 64 * 8 + i, NULL);
    }
}

/* ---- ring --------------------------------------------------------------- */

DEFINE_KIND(ring, .points_per_weight = 16, .bound = 1.5)

static void use_ring(void *object, uint64_t turn)
{
    static const char *const names[] = {"a", "b", "c", "d", "\xff\"\\\n"};
    if (turn % 8 == 0)
        (void)girt_ring_add(object, names[turn / 8 % 5], 1);
    if (turn % 40 == 36)
        (void)girt_ring_remove(object, names[turn / 40 % 5]);
    for (uint64_t i = 0; i < 8; i++) {
        const uint64_t key = turn * 8 + i;
        uint32_t id, ids[2];
        size_t count = 2;
        (void)girt_ring_find(object, &key, sizeof key, &id);
        (void)girt_ring_find_n(object, &key, sizeof key, ids, &count);
        if (girt_ring_acquire(object, &key, sizeof key, &id) == GIRT_OK)
            girt_ring_release(object, id);
    }
}

/* ---- queues ------------------------------------------------------------- */

DEFINE_KIND(queue, .capacity = 3, .per_producer_order = true, .bands = 2)

static void use_queue(void *object, uint64_t turn)
{
    void *item = NULL;
    for (unsigned i = 0; i < 3; i++)
        (void)girt_queue_push_band(object, i % 2, object,
                                   (int64_t)(turn % 3 * 1000));
    for (int i = 0; i < 3; i++)
        (void)girt_queue_pop(object, &item, (int64_t)(turn % 3 * 1000));
}

DEFINE_KIND(workers, .threads = 1, .queue_capacity = 2)

static void do_nothing(void *argument)
{
    (void)argument;
}

static void use_workers(void *object, uint64_t turn)
{
    for (int i = 0; i < 4; i++)
        (void)girt_workers_submit(object, do_nothing, NULL,
                                  turn % 2 == 0 ? GIRT_NOW : 100000);
}

const reporting_kind reporting_kinds[] = {
    KIND(breaker),      KIND(bulkhead), KIND(concurrency),   KIND(shed),
    KIND(retry_budget), KIND(limiter),  KIND(keyed_limiter), KIND(cache),
    KIND(map),          KIND(map64),    KIND(ring),          KIND(queue),
    KIND(workers),
};
const size_t reporting_count =
    sizeof reporting_kinds / sizeof reporting_kinds[0];
