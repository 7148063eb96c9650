/* SPDX-License-Identifier: MIT */
/* metrics_series.c - lists that grow at their end; see the header.
 *
 * Labels: R1 -> A1 a family and its first series before the link that leads to
 * it; R2 -> A2 the same of a series. The blocks of a private arena are
 * published by the same: a place is written before an offset into it.
 *
 * Progress: a lost compare-and-swap means that another one linked; the walk
 * goes on from there, over at most GIRT_METRICS_MAX families and series_max + 1
 * series. */
#include "metrics/metrics_series.h"

#include <string.h>
#include <unistd.h>

#include <girt/hash.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "metrics/histogram_buckets.h"

enum {
    SLAB_BYTES = GIRT__TALLY_CELLS * GIRT_DESTRUCTIVE,
    SLAB_COUNTERS = GIRT__TALLY_STEP,
    SLAB_SHIFT = 8 /* of an offset in the head's slab word */
};
_Static_assert(SLAB_COUNTERS < 1 << SLAB_SHIFT, "a count fits its bits");

uint64_t girt__labels_hash(const char *labels, size_t size)
{
    return girt_hash(labels, size, 0);
}

uint32_t girt__histogram_shards(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) > 2 ? 8 : 4;
}

static size_t cells_bytes(girt__metric_kind kind, uint32_t shards)
{
    switch (kind) {
    case GIRT__METRIC_COUNTER:
        return SLAB_BYTES - GIRT_DESTRUCTIVE + sizeof(uint64_t);
    case GIRT__METRIC_GAUGE:
        return sizeof(uint64_t);
    default:
        return (size_t)shards * GIRT__SHARD_WORDS * sizeof(uint64_t);
    }
}

/* ---- looking ------------------------------------------------------------ */

girt_status girt__family_at(const girt__arena *arena, const uint64_t *link,
                            girt__family_view *view)
{
    /* A1 <- R1 (find_or_add). */
    uint64_t const offset = girt_load_acquire(link);
    if (offset == 0)
        return GIRT_EMPTY;
    girt__family *const node =
        girt__arena_at(arena, offset, sizeof(girt__family));
    if (node == NULL)
        return GIRT_E_CORRUPT;
    /* Each read once: memory that others write is not asked again after it was
     * judged. */
    uint32_t const kind = girt_load_relaxed(&node->kind);
    size_t const name_size = girt_load_relaxed(&node->name_size);
    size_t const help_size = girt_load_relaxed(&node->help_size);
    if (kind > GIRT__METRIC_HISTOGRAM || name_size > GIRT_METRICS_NAME_MAX ||
        help_size > GIRT_METRICS_TEXT_MAX ||
        girt__arena_at(arena, offset, sizeof *node + name_size + help_size) ==
            NULL)
        return GIRT_E_CORRUPT;
    *view = (girt__family_view){.node = node,
                                .kind = (girt__metric_kind)kind,
                                .name = node->text,
                                .name_size = name_size,
                                .help = node->text + name_size,
                                .help_size = help_size};
    return GIRT_OK;
}

girt_status girt__series_at(const girt__arena *arena, girt__metric_kind kind,
                            const uint64_t *link, girt__series_view *view)
{
    /* A2 <- R2 (find_or_add), and A1 of a family's first. */
    uint64_t const offset = girt_load_acquire(link);
    if (offset == 0)
        return GIRT_EMPTY;
    girt__series_node *const node =
        girt__arena_at(arena, offset, sizeof(girt__series_node));
    if (node == NULL)
        return GIRT_E_CORRUPT;
    size_t const labels_size = girt_load_relaxed(&node->labels_size);
    uint32_t const shards = girt_load_relaxed(&node->shards);
    bool const shards_fit = kind != GIRT__METRIC_HISTOGRAM ||
                            (shards >= 2 && shards <= GIRT__SHARDS_MAX &&
                             (shards & (shards - 1)) == 0);
    if (!shards_fit ||
        girt__arena_at(arena, offset, sizeof *node + labels_size) == NULL)
        return GIRT_E_CORRUPT;
    uint64_t *const cells = girt__arena_at(
        arena, girt_load_relaxed(&node->cells), cells_bytes(kind, shards));
    if (cells == NULL)
        return GIRT_E_CORRUPT;
    *view = (girt__series_view){.node = node,
                                .hash = girt_load_relaxed(&node->hash),
                                .labels = node->labels,
                                .labels_size = labels_size,
                                .cells = cells,
                                .shards = shards};
    return GIRT_OK;
}

static bool is_family(const girt__family_view *view,
                      const girt__series_key *key)
{
    return view->kind == key->kind && view->name_size == key->name_size &&
           memcmp(view->name, key->name, key->name_size) == 0;
}

static bool is_series(const girt__series_view *view,
                      const girt__series_key *key)
{
    return view->hash == key->hash && view->labels_size == key->labels_size &&
           memcmp(view->labels, key->labels, key->labels_size) == 0;
}

girt_status girt__series_clash(const girt__arena *arena, girt__metric_kind kind,
                               const char *name, size_t name_size)
{
    const uint64_t *link = &girt__arena_head(arena)->families;
    for (size_t i = 0; i < GIRT_METRICS_MAX; i++) {
        girt__family_view view;
        girt_status const status = girt__family_at(arena, link, &view);
        if (status != GIRT_OK)
            return status == GIRT_EMPTY ? GIRT_OK : status;
        if (girt__metrics_clash(view.kind, view.name, view.name_size, kind,
                                name, name_size))
            return GIRT_E_INVALID;
        link = &view.node->next;
    }
    return GIRT_OK;
}

/* ---- making ------------------------------------------------------------- */

/* The next word of the slab that counters are taken from: 16 of them have the
 * same lines, 64 cells of one line each. The head's word is the slab's offset
 * and how many of its words are taken. */
static girt_status take_counter(girt__arena *arena, uint64_t *offset)
{
    girt__metrics_block *const head = girt__arena_head(arena);
    uint64_t slab = girt_load_relaxed(&head->slab);
    for (;;) {
        uint64_t const taken = slab & ((1 << SLAB_SHIFT) - 1);
        if (slab != 0 && taken < SLAB_COUNTERS) {
            /* Lost only to one that took a word. */
            if (!girt_cas_relaxed(&head->slab, &slab, slab + 1))
                continue;
            *offset = (slab >> SLAB_SHIFT) + taken * sizeof(uint64_t);
            return GIRT_OK;
        }
        uint64_t fresh;
        girt_status const status =
            girt__arena_take(arena, SLAB_BYTES, GIRT_DESTRUCTIVE, &fresh);
        if (status != GIRT_OK)
            return status;
        /* Relaxed: the words are zero from the beginning. Lost to another
         * process' slab: this one is given up. */
        if (girt_cas_relaxed(&head->slab, &slab, (fresh << SLAB_SHIFT) + 1)) {
            *offset = fresh;
            return GIRT_OK;
        }
    }
}

static girt_status make_series(girt__arena *arena, const girt__series_key *key,
                               uint64_t *offset)
{
    girt_status status = girt__arena_take(
        arena, sizeof(girt__series_node) + key->labels_size, 8, offset);
    if (status != GIRT_OK)
        return status;
    girt__series_node *const node =
        girt__arena_at(arena, *offset, sizeof *node + key->labels_size);
    uint32_t const shards = girt__histogram_shards();
    node->hash = key->hash;
    node->labels_size = (uint32_t)key->labels_size;
    node->shards = key->kind == GIRT__METRIC_HISTOGRAM ? shards : 0;
    memcpy(node->labels, key->labels, key->labels_size);
    if (key->kind == GIRT__METRIC_COUNTER)
        return take_counter(arena, &node->cells);
    /* A gauge has lines of its own: other CPUs set its neighbours. */
    size_t const bytes = cells_bytes(key->kind, shards);
    return girt__arena_take(arena,
                            bytes < GIRT_DESTRUCTIVE ? GIRT_DESTRUCTIVE : bytes,
                            GIRT_DESTRUCTIVE, &node->cells);
}

/* Its first series is there already. */
static girt_status make_family(girt__arena *arena, const girt__series_key *key,
                               uint64_t series, uint64_t *offset)
{
    size_t const text = key->name_size + key->help_size;
    girt_status const status =
        girt__arena_take(arena, sizeof(girt__family) + text, 8, offset);
    if (status != GIRT_OK)
        return status;
    girt__family *const node =
        girt__arena_at(arena, *offset, sizeof *node + text);
    node->kind = key->kind;
    node->series = series;
    node->name_size = (uint32_t)key->name_size;
    node->help_size = (uint32_t)key->help_size;
    memcpy(node->text, key->name, key->name_size);
    if (key->help_size != 0)
        memcpy(node->text + key->name_size, key->help, key->help_size);
    return GIRT_OK;
}

/* The family of the key; GIRT_EMPTY: it was made just now, with the series.
 * *link ends at its link. */
static girt_status find_family(girt__arena *arena, const girt__series_key *key,
                               uint64_t **link, girt__family_view *family)
{
    *link = &girt__arena_head(arena)->families;
    uint64_t made = 0;
    for (size_t i = 0; i < GIRT_METRICS_MAX;) {
        girt_status status = girt__family_at(arena, *link, family);
        if (status == GIRT_OK) {
            if (is_family(family, key))
                return GIRT_OK;
            if (girt__metrics_clash(family->kind, family->name,
                                    family->name_size, key->kind, key->name,
                                    key->name_size))
                return GIRT_E_INVALID;
            *link = &family->node->next;
            i++;
            continue;
        }
        if (status != GIRT_EMPTY)
            return status;
        if (made == 0) {
            uint64_t series;
            status = make_series(arena, key, &series);
            if (status == GIRT_OK)
                status = make_family(arena, key, series, &made);
            if (status != GIRT_OK)
                return status;
        }
        uint64_t none = 0;
        /* R1 -> A1 (girt__family_at). */
        if (girt_cas_release(*link, &none, made))
            return GIRT_EMPTY;
    }
    return GIRT_E_TOO_LARGE;
}

/* Finds it in the family, or adds it at the end; GIRT_LIMITED: the end is past
 * the limit. */
static girt_status find_series(girt__arena *arena, const girt__series_key *key,
                               uint64_t limit, girt__family *family,
                               girt__series_view *series)
{
    uint64_t *link = &family->series;
    uint64_t made = 0;
    for (uint64_t i = 0; i <= GIRT_METRICS_SERIES_MAX;) {
        girt_status status = girt__series_at(arena, key->kind, link, series);
        if (status == GIRT_OK) {
            if (is_series(series, key))
                return GIRT_OK;
            link = &series->node->next;
            i++;
            continue;
        }
        if (status != GIRT_EMPTY)
            return status;
        if (i >= limit)
            return GIRT_LIMITED;
        if (made == 0) {
            status = make_series(arena, key, &made);
            if (status != GIRT_OK)
                return status;
        }
        uint64_t none = 0;
        /* R2 -> A2 (girt__series_at). */
        if (girt_cas_release(link, &none, made))
            return girt__series_at(arena, key->kind, link, series);
    }
    return GIRT_E_CORRUPT;
}

static girt_status find_or_add(girt__arena *arena, const girt__series_key *key,
                               uint64_t series_max, girt__family_view *family,
                               girt__series_view *series)
{
    uint64_t *link;
    girt_status status = find_family(arena, key, &link, family);
    if (status == GIRT_EMPTY) {
        status = girt__family_at(arena, link, family);
        if (status == GIRT_OK)
            status = girt__series_at(arena, key->kind, &family->node->series,
                                     series);
        return status == GIRT_EMPTY ? GIRT_E_CORRUPT : status;
    }
    if (status != GIRT_OK)
        return status;
    status = find_series(arena, key, series_max, family->node, series);
    if (status != GIRT_LIMITED)
        return status;
    girt__series_key beyond = *key;
    beyond.labels = GIRT__OVERFLOW_LABELS;
    beyond.labels_size = sizeof GIRT__OVERFLOW_LABELS - 1;
    beyond.hash = girt__labels_hash(beyond.labels, beyond.labels_size);
    return find_series(arena, &beyond, GIRT_METRICS_SERIES_MAX + 1,
                       family->node, series);
}

girt_status girt__series_find_or_add(girt__arena *arena,
                                     const girt__series_key *key,
                                     uint64_t series_max,
                                     girt__family_view *family,
                                     girt__series_view *series)
{
    girt__arena_mark const mark = girt__arena_here(arena);
    uint64_t const slab = girt_load_relaxed(&girt__arena_head(arena)->slab);
    girt_status const status =
        find_or_add(arena, key, series_max, family, series);
    /* Nothing was linked: a private arena is as it was. */
    if (status != GIRT_OK && !arena->shared) {
        girt__arena_undo(arena, mark);
        girt_store_relaxed(&girt__arena_head(arena)->slab, slab);
    }
    return status;
}
