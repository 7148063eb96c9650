/* SPDX-License-Identifier: MIT */
/* ring.c - create, destroy, and what is in a ring. */
#include "ring/ring_internal.h"

#include <math.h>
#include <string.h>

#include <girt/epoch.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/epoch_section.h"
#include "core/options.h"

/* ---- create, destroy ---- */

static const girt_ring_options default_options;

static girt_status options_check(const girt_ring_options *o)
{
    if (!girt__options_are_valid(o->name, o->metrics, o->reserved) ||
        (unsigned)o->kind > GIRT_RING_JUMP)
        return GIRT_E_INVALID;
    if (o->bound != 0 && !(o->bound >= 1.0 && isfinite(o->bound)))
        return GIRT_E_INVALID;
    if (o->points_per_weight > GIRT__RING_POINTS_MAX ||
        o->maglev_size > GIRT__RING_POINTS_MAX)
        return GIRT_E_TOO_LARGE;
    if (o->maglev_size != 0 && !girt__is_prime(o->maglev_size))
        return GIRT_E_INVALID;
    return GIRT_OK;
}

girt_status girt_ring_create(girt_ring **out, const girt_ring_options *options)
{
    if (out == NULL)
        return GIRT_E_INVALID;
    const girt_ring_options *const o =
        options == NULL ? &default_options : options;
    girt_status status = options_check(o);
    if (status != GIRT_OK)
        return status;
    girt_allocator allocator;
    status = girt__allocator_resolve(&allocator, o->allocator);
    if (status != GIRT_OK)
        return status;

    status = GIRT_E_NOMEM;
    girt_ring *const ring =
        girt__allocate_zeroed(&allocator, sizeof *ring, GIRT_DESTRUCTIVE);
    if (ring == NULL)
        goto fail_ring;
    ring->kind = o->kind;
    ring->points_per_weight =
        o->points_per_weight == 0 ? 1024 : o->points_per_weight;
    ring->maglev_size = o->maglev_size == 0 ? 65537 : o->maglev_size;
    ring->seed = o->seed;
    ring->bound = o->bound;
    ring->allocator = allocator;
    if (ring->kind == GIRT_RING_RENDEZVOUS) {
        ring->log_table = girt__allocate(
            &allocator, GIRT__LOG_SIZE * sizeof(uint64_t), GIRT_CACHELINE);
        if (ring->log_table == NULL)
            goto fail_log_table;
        girt__log_table_fill(ring->log_table);
    }
    if (ring->bound != 0 && girt__load_create(ring) != GIRT_OK)
        goto fail_load;
    status = girt__ring_snapshot_build(ring, NULL, 0, NULL, &ring->snapshot);
    if (status != GIRT_OK)
        goto fail_snapshot;
    if (pthread_mutex_init(&ring->change, NULL) != 0) {
        status = GIRT_E_SYSTEM;
        goto fail_mutex;
    }
    status = girt__ring_report(ring, o);
    if (status != GIRT_OK)
        goto fail_report;
    *out = ring;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&ring->change);
fail_mutex:
    girt__ring_snapshot_free(ring->snapshot);
fail_snapshot:
    girt__load_destroy(ring);
fail_load:
    girt__release(&allocator, ring->log_table,
                  GIRT__LOG_SIZE * sizeof(uint64_t));
fail_log_table:
    girt__release(&allocator, ring, sizeof *ring);
fail_ring:
    return status;
}

void girt_ring_destroy(girt_ring *ring)
{
    if (ring == NULL)
        return;
    girt__ring_report_end(ring);
    /* S0: whoever frees retired snapshots still needs the ring and its
     * allocator. */
    if (girt_load_acquire(&ring->retired_count) != 0)
        girt_epoch_barrier();
    girt_require(girt_load_acquire(&ring->retired_count) == 0);
    girt__ring_snapshot *const s = ring->snapshot;
    for (size_t id = 0; s->cells != NULL && id < s->slots; id++)
        girt__release(&ring->allocator, s->cells[id], sizeof(girt__ring_cell));
    girt__ring_snapshot_free(s);
    girt__load_destroy(ring);
    girt__release(&ring->allocator, ring->log_table,
                  GIRT__LOG_SIZE * sizeof(uint64_t));
    (void)pthread_mutex_destroy(&ring->change);
    girt_allocator const allocator = ring->allocator;
    girt__release(&allocator, ring, sizeof *ring);
}

/* ---- what is in it ---- */

girt_status girt_ring_name(girt_ring *ring, uint32_t node_id, char *buffer,
                           size_t size)
{
    if (ring == NULL || buffer == NULL || size == 0)
        return GIRT_E_INVALID;
    girt_status status = GIRT_MISSING;
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    if (node_id < s->slots && s->member_of_id[node_id] < s->member_count) {
        const girt__ring_member *const m =
            &s->members[s->member_of_id[node_id]];
        status = GIRT_E_TOO_LARGE;
        if (m->name_size < size) {
            memcpy(buffer, m->name, m->name_size);
            buffer[m->name_size] = '\0';
            status = GIRT_OK;
        }
    }
    girt__epoch_exit();
    return status;
}

size_t girt_ring_count(const girt_ring *ring)
{
    if (ring == NULL)
        return 0;
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    size_t const count = girt_load_acquire(&ring->snapshot)->member_count;
    girt__epoch_exit();
    return count;
}

static double share_of(const girt_ring *ring,
                       const girt__ring_snapshot *snapshot,
                       const girt__ring_member *member)
{
    const girt__ring_table *const t = &snapshot->table;
    size_t slots = 0;
    switch (ring->kind) {
    case GIRT_RING_MAGLEV:
        for (size_t i = 0; i < t->count; i++)
            slots += t->owners[i] == member->id;
        return (double)slots / (double)t->count;
    case GIRT_RING_RENDEZVOUS:
    case GIRT_RING_JUMP:
        return (double)member->weight / (double)snapshot->weight_total;
    case GIRT_RING_NATIVE:
    case GIRT_RING_KETAMA:
    default:
        return girt__points_share(t, member->id);
    }
}

double girt_ring_share(girt_ring *ring, const char *name)
{
    if (ring == NULL || name == NULL)
        return 0.0;
    size_t const size = strnlen(name, GIRT_RING_NAME_MAX + 1);
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    const girt__ring_member *const m = girt__ring_member_named(s, name, size);
    double const share = m == NULL ? 0.0 : share_of(ring, s, m);
    girt__epoch_exit();
    return share;
}
