/* SPDX-License-Identifier: MIT */
/* metrics.c - the registry: handles by name and labels.
 *
 * What a series is, is in the arena (metrics_series.c); a handle says where
 * its words are in this process. Handles are found by a hash table, so that
 * asking again costs no walk.
 *
 * I1: a series has at most one handle in a process.
 * I2: a call that fails leaves the arena, the table and *out as they were.
 *
 * The mutex is never held while something of the caller's runs, the allocator
 * and the collect functions of objects excepted. A thread has its index before
 * it takes the mutex: a fork takes the mutex of thread indices first. */
#include <girt/metrics.h>

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "metrics/metrics_internal.h"

_Static_assert(offsetof(struct girt_metrics, reporter) == 0,
               "a registry is cast to what objects know of it");

/* ---- create and destroy ------------------------------------------------- */

static girt_metrics *registry_of(girt__thread_observer *observer)
{
    return girt_container_of(observer, girt_metrics, observer);
}

static void thread_ended(girt__thread_observer *self, uint32_t thread_index)
{
    (void)self;
    (void)thread_index;
}

static void before_fork(girt__thread_observer *self)
{
    (void)pthread_mutex_lock(&registry_of(self)->mutex);
}

static void after_fork(girt__thread_observer *self, bool in_child)
{
    (void)in_child;
    (void)pthread_mutex_unlock(&registry_of(self)->mutex);
}

/* All but the arena. */
static void set_up(girt_metrics *metrics, const girt_allocator *allocator)
{
    metrics->reporter.ops = &girt__metrics_reporter;
    metrics->allocator = *allocator;
    metrics->buckets = metrics->few;
    metrics->bucket_count = GIRT__FEW_BUCKETS;
    (void)pthread_mutex_init(&metrics->mutex, NULL);
    girt__process_source(&metrics->process);
    metrics->observer = (girt__thread_observer){.ended = thread_ended,
                                                .before_fork = before_fork,
                                                .after_fork = after_fork};
    girt__thread_observe(&metrics->observer);
}

girt_status girt_metrics_create(girt_metrics **out,
                                const girt_allocator *allocator)
{
    girt_allocator own;
    if (out == NULL)
        return GIRT_E_INVALID;
    girt_status status = girt__allocator_resolve(&own, allocator);
    if (status != GIRT_OK)
        return status;
    girt_metrics *const metrics =
        girt__allocate_zeroed(&own, sizeof *metrics, 0);
    if (metrics == NULL)
        return GIRT_E_NOMEM;
    status = girt__arena_init(&metrics->arena, &own);
    if (status != GIRT_OK) {
        girt__release(&own, metrics, sizeof *metrics);
        return status;
    }
    set_up(metrics, &own);
    *out = metrics;
    return GIRT_OK;
}

girt_status girt__metrics_attach(girt_metrics **out, void *block, size_t size,
                                 const girt_allocator *allocator,
                                 void (*closed)(void *context), void *context)
{
    enum { STRIDE = 7 }; /* odd: processes spread over all cells */
    girt_allocator own;
    girt_status status = girt__allocator_resolve(&own, allocator);
    if (status != GIRT_OK)
        return status;
    girt_metrics *const metrics =
        girt__allocate_zeroed(&own, sizeof *metrics, 0);
    if (metrics == NULL)
        return GIRT_E_NOMEM;
    status = girt__arena_attach(&metrics->arena, block, size);
    if (status != GIRT_OK) {
        girt__release(&own, metrics, sizeof *metrics);
        return status;
    }
    metrics->turn = STRIDE * (uint32_t)girt_add_relaxed(
                                 &girt__arena_head(&metrics->arena)->processes,
                                 (uint64_t)1);
    metrics->closed = closed;
    metrics->closed_context = context;
    set_up(metrics, &own);
    *out = metrics;
    return GIRT_OK;
}

static size_t handle_bytes(girt__metric_kind kind)
{
    return kind == GIRT__METRIC_COUNTER ? sizeof(girt_counter)
           : kind == GIRT__METRIC_GAUGE ? sizeof(girt_gauge)
                                        : sizeof(girt_histogram);
}

/* The object that a handle is the last member of. */
static void *object_of(girt__handle *handle)
{
    switch (handle->kind) {
    case GIRT__METRIC_COUNTER:
        return girt_container_of(handle, girt_counter, handle);
    case GIRT__METRIC_GAUGE:
        return girt_container_of(handle, girt_gauge, handle);
    default:
        return girt_container_of(handle, girt_histogram, handle);
    }
}

static void release_buckets(girt_metrics *metrics)
{
    if (metrics->buckets != metrics->few)
        girt__release(&metrics->allocator, metrics->buckets,
                      metrics->bucket_count * sizeof *metrics->buckets);
}

void girt_metrics_destroy(girt_metrics *metrics)
{
    if (metrics == NULL)
        return;
    girt_require(metrics->first_source == NULL);
    /* What processes share may be anything. */
    girt_audit(metrics->arena.shared || girt__metrics_is_valid(metrics));
    girt__thread_unobserve(&metrics->observer);
    girt_allocator const own = metrics->allocator;
    for (size_t i = 0; i < metrics->bucket_count; i++) {
        for (girt__handle *h = metrics->buckets[i]; h != NULL;) {
            girt__handle *const next = h->next;
            girt__release(&own, object_of(h), handle_bytes(h->kind));
            h = next;
        }
    }
    release_buckets(metrics);
    girt__arena_destroy(&metrics->arena);
    (void)pthread_mutex_destroy(&metrics->mutex);
    if (metrics->closed != NULL)
        metrics->closed(metrics->closed_context);
    girt__release(&own, metrics, sizeof *metrics);
}

girt_status girt_metrics_set_series_max(girt_metrics *metrics, size_t count)
{
    if (metrics == NULL || count == 0)
        return GIRT_E_INVALID;
    if (count > GIRT_METRICS_SERIES_MAX)
        return GIRT_E_TOO_LARGE;
    /* Relaxed: a number that orders nothing. */
    girt_store_relaxed(&girt__arena_head(&metrics->arena)->series_max,
                       (uint64_t)count);
    return GIRT_OK;
}

uint64_t girt__metrics_series_max(const girt_metrics *metrics)
{
    uint64_t const max =
        girt_load_relaxed(&girt__arena_head(&metrics->arena)->series_max);
    return max == 0                        ? GIRT_METRICS_SERIES_DEFAULT
           : max > GIRT_METRICS_SERIES_MAX ? GIRT_METRICS_SERIES_MAX
                                           : max;
}

/* ---- handles ------------------------------------------------------------ */

static size_t bucket_of(size_t count, const char *name, size_t name_size,
                        uint64_t labels_hash)
{
    return (size_t)(girt__labels_hash(name, name_size) ^ labels_hash) &
           (count - 1);
}

static girt__handle *find_handle(const girt_metrics *metrics,
                                 const girt__series_key *key)
{
    size_t const bucket =
        bucket_of(metrics->bucket_count, key->name, key->name_size, key->hash);
    for (girt__handle *h = metrics->buckets[bucket]; h != NULL; h = h->next) {
        if (h->series.hash == key->hash && h->kind == key->kind &&
            h->family.name_size == key->name_size &&
            h->series.labels_size == key->labels_size &&
            memcmp(h->family.name, key->name, key->name_size) == 0 &&
            memcmp(h->series.labels, key->labels, key->labels_size) == 0)
            return h;
    }
    return NULL;
}

/* Twice the buckets; without memory for them the chains grow longer. */
static void grow_buckets(girt_metrics *metrics)
{
    size_t count, bytes;
    if (!girt__size_multiply(metrics->bucket_count, 2, &count) ||
        !girt__size_multiply(count, sizeof(girt__handle *), &bytes))
        return;
    girt__handle **const buckets =
        girt__allocate_zeroed(&metrics->allocator, bytes, 0);
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < metrics->bucket_count; i++) {
        for (girt__handle *h = metrics->buckets[i]; h != NULL;) {
            girt__handle *const next = h->next;
            size_t const bucket = bucket_of(
                count, h->family.name, h->family.name_size, h->series.hash);
            h->next = buckets[bucket];
            buckets[bucket] = h;
            h = next;
        }
    }
    release_buckets(metrics);
    metrics->buckets = buckets;
    metrics->bucket_count = count;
}

static void keep_handle(girt_metrics *metrics, girt__handle *handle)
{
    if (metrics->handle_count >= metrics->bucket_count)
        grow_buckets(metrics);
    size_t const bucket =
        bucket_of(metrics->bucket_count, handle->family.name,
                  handle->family.name_size, handle->series.hash);
    handle->next = metrics->buckets[bucket];
    metrics->buckets[bucket] = handle;
    metrics->handle_count++;
}

/* The handle of an object that is not made yet. */
static girt__handle *handle_in(void *object, girt__metric_kind kind)
{
    return kind == GIRT__METRIC_COUNTER ? &((girt_counter *)object)->handle
           : kind == GIRT__METRIC_GAUGE ? &((girt_gauge *)object)->handle
                                        : &((girt_histogram *)object)->handle;
}

static void bind(const girt_metrics *metrics, girt__handle *handle)
{
    uint64_t *const cells = handle->series.cells;
    if (handle->kind == GIRT__METRIC_COUNTER) {
        girt_counter *const counter = object_of(handle);
        counter->tally =
            (girt__tally){.words = cells, .stride = GIRT__TALLY_STEP};
        counter->shared = metrics->arena.shared;
        counter->turn = metrics->turn;
    } else if (handle->kind == GIRT__METRIC_GAUGE) {
        ((girt_gauge *)object_of(handle))->bits = cells;
    } else {
        girt__histogram_bind(object_of(handle), metrics);
    }
}

/* Under the mutex. */
static girt_status make_handle(girt_metrics *metrics,
                               const girt__series_key *key, girt__handle **out)
{
    girt_status status =
        girt__sources_clash(metrics, key->kind, key->name, key->name_size);
    if (status != GIRT_OK)
        return status;
    size_t const bytes = handle_bytes(key->kind);
    void *const object = girt__allocate_zeroed(&metrics->allocator, bytes, 0);
    if (object == NULL)
        return GIRT_E_NOMEM;
    girt__handle *const handle = handle_in(object, key->kind);
    handle->kind = key->kind;
    status = girt__series_find_or_add(&metrics->arena, key,
                                      girt__metrics_series_max(metrics),
                                      &handle->family, &handle->series);
    if (status != GIRT_OK)
        goto release;
    /* Beyond the limit it is another series than the one asked for. */
    girt__series_key found = *key;
    found.labels = handle->series.labels;
    found.labels_size = handle->series.labels_size;
    found.hash = handle->series.hash;
    *out = find_handle(metrics, &found);
    if (*out != NULL)
        goto release;
    bind(metrics, handle);
    keep_handle(metrics, handle);
    *out = handle;
    return GIRT_OK;

release:
    girt__release(&metrics->allocator, object, bytes);
    return status;
}

girt_status girt__metrics_find_or_make(girt_metrics *metrics,
                                       girt__metric_kind kind, const char *name,
                                       const char *help,
                                       const char *const pairs[], void **out)
{
    if (metrics == NULL)
        return GIRT_E_INVALID;
    girt__series_key key = {.kind = kind, .name = name, .help = help};
    girt_status status = girt__metric_name_check(name, &key.name_size);
    if (status != GIRT_OK)
        return status;
    key.name_size = girt__metric_base(kind, name, key.name_size);
    if (key.name_size == 0)
        return GIRT_E_INVALID;
    status = girt__help_check(help, &key.help_size);
    if (status != GIRT_OK)
        return status;
    girt__labels labels;
    status = girt__labels_init(&labels, pairs, &metrics->allocator);
    if (status != GIRT_OK)
        return status;
    key.labels = labels.text;
    key.labels_size = labels.size;
    key.hash = girt__labels_hash(labels.text, labels.size);

    (void)girt__thread_index();
    (void)pthread_mutex_lock(&metrics->mutex);
    girt__handle *handle = find_handle(metrics, &key);
    if (handle == NULL)
        status = make_handle(metrics, &key, &handle);
    (void)pthread_mutex_unlock(&metrics->mutex);
    girt__labels_destroy(&labels, &metrics->allocator);
    if (status == GIRT_OK)
        *out = object_of(handle);
    return status;
}
