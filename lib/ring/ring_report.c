/* SPDX-License-Identifier: MIT */
/* ring_report.c - what a ring tells a registry of metrics.
 *
 * Lookups are counted by node id, in tallies of 16 ids each: the first 1024 ids
 * have a counter, all others one together.  A tally is made before the first
 * snapshot that has one of its ids is published, and stays as long as the ring.
 *
 * An id is given again when its node has left.  So a member knows what its id
 * had counted when it joined (`before`); a lookup that is late by a change may
 * count for the node after.
 *
 * collect writes to a sink that may be slow, so it is in no section meanwhile:
 * it copies one node at a time.  A node that left and came back in between may
 * have another id, and must not come twice: it shows only if it had joined when
 * the scrape began.
 *
 * The share of keys that a change moved is that of 16384 hashes spread evenly
 * (by the golden ratio), fewer where a lookup looks at every node. */
#include "ring/ring_internal.h"

#include <string.h>

#include <girt/epoch.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/utf8.h"

enum {
    CHUNK = GIRT__TALLY_STEP, /* ids of a tally */
    CHUNKS = 64,
    COUNTED = CHUNK * CHUNKS,
    REST = 0, /* in the report's tally */
    TALLIES,
    SAMPLES = 16384,
    SAMPLES_WORK = 1 << 22, /* samples times nodes, for rendezvous */
    LABEL_SIZE = 4 * GIRT_RING_NAME_MAX + 1
};

enum { NODES, LOOKUPS, LOAD, CHANGES, MOVED };

static const girt__series ring_series[] = {
    [NODES] = {"girt_ring_nodes", GIRT__SERIES_GAUGE, NULL,
               "Nodes that are members of the ring."},
    [LOOKUPS] = {"girt_ring_lookups_total", GIRT__SERIES_COUNTER, "node",
                 "Lookups that named the node; an empty label: any node beyond "
                 "the first 1024."},
    [LOAD] = {"girt_ring_load", GIRT__SERIES_GAUGE, "node",
              "Load on the node: acquires without a release, where the ring "
              "has a bound."},
    [CHANGES] = {"girt_ring_changes_total", GIRT__SERIES_COUNTER, NULL,
                 "Changes of the membership or of a weight."},
    [MOVED] = {"girt_ring_moved_ratio", GIRT__SERIES_GAUGE, NULL,
               "Share of the keys that the last change gave another node."},
};

struct girt__ring_counts {
    girt__tally chunks[CHUNKS]; /* all zero: not needed yet */
};

/* ---- counting ---------------------------------------------------------- */

void girt__ring_count(const girt_ring *ring, const uint32_t ids[], size_t count)
{
    uint32_t const thread_index = girt__thread_index();
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= COUNTED) {
            girt__tally_add_at(&ring->report->tally, thread_index, REST, 1);
            continue;
        }
        /* Made before the snapshot that gave the id was published. */
        const girt__tally *const chunk = &ring->counts->chunks[ids[i] / CHUNK];
        girt__tally_add_at(chunk, thread_index, ids[i] % CHUNK, 1);
    }
}

static uint64_t counted(const girt_ring *ring, uint32_t id)
{
    return id >= COUNTED
               ? 0
               : girt__tally_sum(&ring->counts->chunks[id / CHUNK], id % CHUNK);
}

static girt_status make_room(girt_ring *ring, size_t slots)
{
    for (size_t i = 0; i < CHUNKS && i * CHUNK < slots; i++) {
        girt__tally *const chunk = &ring->counts->chunks[i];
        if (chunk->words == NULL &&
            girt__tally_init(chunk, CHUNK, &ring->allocator) != GIRT_OK)
            return GIRT_E_NOMEM;
    }
    return GIRT_OK;
}

/* ---- a change ---------------------------------------------------------- */

/* The member of this id; NULL: nobody's, or one that left with loads. */
static const girt__ring_member *member_at(const girt__ring_snapshot *snapshot,
                                          uint32_t id)
{
    if (id >= snapshot->slots)
        return NULL;
    uint32_t const member = snapshot->member_of_id[id];
    return member < snapshot->member_count ? &snapshot->members[member] : NULL;
}

static bool same_node(const girt__ring_member *a, const girt__ring_member *b)
{
    return a != NULL && b != NULL && girt__ring_name_compare(a, b) == 0;
}

static double moved_share(const girt_ring *ring,
                          const girt__ring_snapshot *previous,
                          const girt__ring_snapshot *next)
{
    size_t samples = SAMPLES, moved = 0;
    size_t const nodes = previous->member_count + next->member_count + 1;
    if (ring->kind == GIRT_RING_RENDEZVOUS && SAMPLES_WORK / nodes < samples)
        samples = SAMPLES_WORK / nodes + 1;
    for (size_t i = 0; i < samples; i++) {
        uint64_t const hash = i * UINT64_C(0x9e3779b97f4a7c15);
        uint32_t from = 0, to = 0;
        bool const had = girt__ring_owner(ring, previous, hash, &from);
        bool const has = girt__ring_owner(ring, next, hash, &to);
        moved += had != has || (had && !same_node(member_at(previous, from),
                                                  member_at(next, to)));
    }
    return (double)moved / (double)samples;
}

girt_status girt__ring_report_next(girt_ring *ring,
                                   const girt__ring_snapshot *previous,
                                   girt__ring_snapshot *next)
{
    girt_status const status = make_room(ring, next->slots);
    if (status != GIRT_OK)
        return status;
    next->number = previous->number + 1;
    for (size_t i = 0; i < next->member_count; i++) {
        girt__ring_member *const m = &next->members[i];
        const girt__ring_member *const was = member_at(previous, m->id);
        bool const stays = same_node(was, m);
        m->joined = stays ? was->joined : next->number;
        m->before = stays ? was->before : counted(ring, m->id);
    }
    next->moved = moved_share(ring, previous, next);
    return GIRT_OK;
}

/* ---- a scrape ---------------------------------------------------------- */

/* What is copied of a snapshot, and of a node. */
typedef struct glance {
    uint64_t number;
    size_t nodes, slots;
    double moved;
} glance;

typedef struct node_glance {
    char name[GIRT_RING_NAME_MAX + 1];
    uint64_t before;
    uint32_t load;
} node_glance;

static glance look(girt_ring *ring)
{
    girt_epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    glance const g = {s->number, s->member_count, s->slots, s->moved};
    girt_epoch_exit();
    return g;
}

/* false: no member that had joined when the snapshot `number` was there. */
static bool look_at(girt_ring *ring, uint32_t id, uint64_t number,
                    node_glance *node)
{
    girt_epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    const girt__ring_member *const m = member_at(s, id);
    bool const shows = m != NULL && m->joined <= number;
    if (shows) {
        memcpy(node->name, m->name, m->name_size);
        node->name[m->name_size] = '\0';
        node->before = m->before;
        /* Relaxed: a number of its own; its low half is the load. */
        node->load = s->cells == NULL
                         ? 0
                         : (uint32_t)girt_load_relaxed(&s->cells[id]->word);
    }
    girt_epoch_exit();
    return shows;
}

/* A name is any bytes, and a label UTF-8: what is none is written \\xff, so
 * that two names stay two. */
static void write_label(const char *name, char label[LABEL_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t const size = strlen(name);
    for (size_t at = 0; at < size;) {
        size_t const length = girt__utf8_character(name + at, size - at);
        if (length != 0) {
            memcpy(label, name + at, length);
            label += length;
            at += length;
            continue;
        }
        unsigned const byte = (unsigned char)name[at++];
        const char escape[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        memcpy(label, escape, sizeof escape);
        label += sizeof escape;
    }
    *label = '\0';
}

static void collect(void *object, girt__sink *sink)
{
    girt_ring *const ring = object;
    glance const g = look(ring);
    girt__sink_gauge(sink, &ring_series[NODES], NULL, (double)g.nodes);
    girt__sink_counter(sink, &ring_series[CHANGES], NULL, g.number);
    girt__sink_gauge(sink, &ring_series[MOVED], NULL, g.moved);
    node_glance node;
    char label[LABEL_SIZE];
    for (uint32_t id = 0; id < g.slots && id < COUNTED; id++) {
        if (!look_at(ring, id, g.number, &node))
            continue;
        write_label(node.name, label);
        girt__sink_counter(sink, &ring_series[LOOKUPS], label,
                           counted(ring, id) - node.before);
        if (ring->load != NULL)
            girt__sink_gauge(sink, &ring_series[LOAD], label, node.load);
    }
    uint64_t const rest = girt__report_sum(ring->report, REST);
    if (rest != 0)
        girt__sink_counter(sink, &ring_series[LOOKUPS], "", rest);
}

/* ---- create, destroy --------------------------------------------------- */

static void free_counts(girt_ring *ring)
{
    for (size_t i = 0; ring->counts != NULL && i < CHUNKS; i++)
        girt__tally_destroy(&ring->counts->chunks[i], &ring->allocator);
    girt__release(&ring->allocator, ring->counts, sizeof *ring->counts);
    ring->counts = NULL;
}

girt_status girt__ring_report(girt_ring *ring, const girt_ring_options *options)
{
    if (options->metrics == NULL)
        return GIRT_OK;
    /* The process's first section takes the mutex of threads, which a fork
     * holds while it waits for the registry's: so not first in a scrape. */
    girt_epoch_enter();
    girt_epoch_exit();
    ring->counts =
        girt__allocate_zeroed(&ring->allocator, sizeof *ring->counts, 0);
    if (ring->counts == NULL)
        return GIRT_E_NOMEM;
    girt_status const status =
        girt__report_create(&ring->report, &(girt__report_plan){
                                               .allocator = &ring->allocator,
                                               .metrics = options->metrics,
                                               .name = options->name,
                                               .part = "ring",
                                               GIRT__SERIES(ring_series),
                                               .counters = TALLIES,
                                               .object = ring,
                                               .collect = collect,
                                           });
    if (status != GIRT_OK)
        free_counts(ring);
    return status;
}

void girt__ring_report_end(girt_ring *ring)
{
    girt__report_destroy(ring->report);
    free_counts(ring);
}
