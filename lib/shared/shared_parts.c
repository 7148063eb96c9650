/* SPDX-License-Identifier: MIT */
/* shared_parts.c - the directory: parts found, or made, by name.
 *
 * Parts are looked up without a lock and made under one, `making`, that is
 * taken from a process that was killed with it.  Parts stand one after the
 * other and are never removed, so there is no list of free room to leave in
 * disorder: where the next part goes is told by those that are ready.
 *
 * I1: an entry goes from FREE to MAKING to READY, and from MAKING back to FREE;
 *     all of it by who has `making`.  READY is stored last, and for ever.
 * I2: who takes `making` and finds an entry in MAKING found what a dead one
 *     left.  It frees the entry; the room is used again and zeroed first.
 *
 * R1 -> A1: state READY; the entry and the block are whole. */
#include <string.h>
#include <sys/mman.h>

#include <girt/hash.h>

#include "core/atomic.h"
#include "core/process.h"
#include "shared/shared_internal.h"

/* A living maker needs well under a millisecond; one that is stopped in the
 * middle keeps others from making parts, but not from using those there are. */
#define PATIENCE_NS INT64_C(500000000)
#define CHECK_SEED  UINT64_C(0x6769727470617274)

size_t girt__shared_name_size(const char *name)
{
    if (name == NULL)
        return 0;
    size_t const size = strnlen(name, GIRT__SHARED_NAME_MAX + 1);
    return size > GIRT__SHARED_NAME_MAX ? 0 : size;
}

static uint64_t check_of(const girt__shared_entry *entry)
{
    uint64_t const facts[3] = {(uint64_t)entry->kind << 32 | entry->name_size,
                               entry->offset, entry->bytes};
    return girt_hash(entry->name, sizeof entry->name,
                     girt_hash(facts, sizeof facts, CHECK_SEED));
}

/* An entry's copy, checked. */
static bool read_entry(const girt_shared *shared, size_t index,
                       girt__shared_entry *entry)
{
    memcpy(entry, &shared->header->parts[index], sizeof *entry);
    return entry->check == check_of(entry) && entry->name_size != 0 &&
           entry->name_size <= GIRT__SHARED_NAME_MAX &&
           entry->offset >= shared->parts_at &&
           entry->offset % shared->page == 0 && entry->bytes != 0 &&
           entry->bytes % shared->page == 0 && entry->offset < shared->bytes &&
           entry->bytes <= shared->bytes - entry->offset;
}

static bool has_name(const girt__shared_entry *entry,
                     const girt__shared_plan *plan)
{
    return entry->name_size == plan->name_size &&
           memcmp(entry->name, plan->name, plan->name_size) == 0;
}

/* Lanes have names of their own kind; users' parts share one set of names. */
static bool is_same_set(uint32_t kind, girt__shared_kind other)
{
    return (kind == GIRT__SHARED_LANE) == (other == GIRT__SHARED_LANE);
}

/* What is known of the directory after reading it once. */
typedef struct survey {
    size_t free_entry; /* GIRT_SHARED_PARTS: none */
    size_t end;        /* where the next part goes */
} survey;

/* GIRT_OK: found; GIRT_MISSING; or what is wrong. */
static girt_status find(const girt_shared *shared,
                        const girt__shared_plan *plan, girt__shared_part *part,
                        survey *found)
{
    *found = (survey){GIRT_SHARED_PARTS, shared->parts_at};
    for (size_t i = 0; i < GIRT_SHARED_PARTS; i++) {
        /* A1 <- R1: the entry and the block. */
        uint32_t const state =
            girt_load_acquire(&shared->header->parts[i].state);
        if (state != GIRT__SHARED_READY) {
            if (state > GIRT__SHARED_READY)
                return GIRT_E_CORRUPT;
            if (found->free_entry == GIRT_SHARED_PARTS)
                found->free_entry = i;
            continue;
        }
        girt__shared_entry entry;
        if (!read_entry(shared, i, &entry))
            return GIRT_E_CORRUPT;
        size_t const end = (size_t)(entry.offset + entry.bytes);
        if (end > found->end)
            found->end = end;
        if (!is_same_set(entry.kind, plan->kind) || !has_name(&entry, plan))
            continue;
        if (entry.kind != (uint32_t)plan->kind)
            return GIRT_E_INVALID;
        *part = (girt__shared_part){(size_t)entry.offset, (size_t)entry.bytes};
        return GIRT_OK;
    }
    return GIRT_MISSING;
}

/* A part begins as zeros, whatever a dead maker left there.  Pages that nobody
 * used are not touched for it, where they may be given back: those of a named
 * segment were claimed. */
static void clear(const girt_shared *shared, void *block, size_t bytes)
{
    if (shared->named || madvise(block, bytes, MADV_REMOVE) != 0)
        memset(block, 0, bytes);
}

/* Under `making`. */
static girt_status make(girt_shared *shared, const girt__shared_plan *plan,
                        const survey *found, girt__shared_part *part)
{
    size_t const room = shared->bytes - found->end;
    if (found->free_entry == GIRT_SHARED_PARTS || plan->bytes > room)
        return GIRT_E_NOMEM; /* room is whole pages: rounding up fits too */
    girt__shared_entry *const entry = &shared->header->parts[found->free_entry];
    girt_store_relaxed(&entry->state, GIRT__SHARED_MAKING);
    entry->kind = plan->kind;
    entry->offset = found->end;
    size_t const most = plan->bytes_most < room ? plan->bytes_most : room;
    size_t const bytes = most > plan->bytes ? most : plan->bytes;
    entry->bytes = (bytes + shared->page - 1) & ~(shared->page - 1);
    entry->name_size = (uint32_t)plan->name_size;
    memset(entry->name, 0, sizeof entry->name);
    memcpy(entry->name, plan->name, plan->name_size);
    entry->check = check_of(entry);
    *part = (girt__shared_part){(size_t)entry->offset, (size_t)entry->bytes};
    void *const block = girt__shared_block(shared, part);
    clear(shared, block, part->bytes);
    plan->make(block, part->bytes, plan->context);
    girt_store_release(&entry->state, GIRT__SHARED_READY); /* R1 -> A1 */
    return GIRT_OK;
}

/* Under `making`: entries that are being made are nobody's. */
static void free_unfinished(girt_shared *shared)
{
    for (size_t i = 0; i < GIRT_SHARED_PARTS; i++) {
        uint32_t *const state = &shared->header->parts[i].state;
        if (girt_load_relaxed(state) == GIRT__SHARED_MAKING)
            girt_store_relaxed(state, GIRT__SHARED_FREE);
    }
}

girt_status girt__shared_find_or_make(girt_shared *shared,
                                      const girt__shared_plan *plan,
                                      girt__shared_part *part)
{
    survey found;
    girt_status status = find(shared, plan, part, &found);
    if (status != GIRT_MISSING)
        return status;
    if (!girt__process_lock(&shared->header->making, PATIENCE_NS))
        return GIRT_E_BUSY;
    free_unfinished(shared);
    status = find(shared, plan, part, &found);
    if (status == GIRT_MISSING)
        status = make(shared, plan, &found, part);
    girt__process_unlock(&shared->header->making);
    return status;
}
