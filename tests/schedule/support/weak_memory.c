/* SPDX-License-Identifier: MIT */
/* weak_memory.c - loads that see older values, as C11 allows and arm64 does.
 *
 * Each word that is stored to atomically has a short list of versions, oldest
 * first, with who stored each, when by its own clock, and what an acquiring
 * reader of it learns. Threads have vector clocks of what happened before. A
 * load may take any version from the newest on that the thread must know of:
 * one that it has read or that happened before. Read-modify-writes take the
 * newest. Memory itself always holds the newest.
 *
 * Releases and acquires are as x86 and arm64 (stlr and ldar) have them: when a
 * releasing store is seen by one thread it is there for all, and an acquiring
 * load comes after the thread's own releasing stores. So a load that acquires
 * takes nothing that was overwritten by a releasing store before the latest
 * one that the thread knows of (`horizon`). C11 alone would let two threads see
 * two such stores in different orders.
 *
 * Elsewhere this is stronger than C11, so that what fails here may fail in
 * truth: words are 8 bytes, of which all pieces are stored in one order; a
 * failed compare-and-swap sees the newest; sequentially consistent accesses
 * and fences share one clock; so do locks, system calls and sections. */
#include "schedule/support/scheduler_internal.h"

#include <string.h>

#define VERSIONS_MAX 6
#define CELLS        4096 /* a power of two */

typedef struct vector {
    uint32_t at[SCHEDULE_THREADS_MAX];
} vector;

typedef struct version {
    uint64_t value;
    vector read; /* by each thread's clock, when it first read this or a newer
                    one; 0: not yet */
    uint32_t thread, at;  /* at 0: before all */
    uint32_t first, last; /* which bytes were stored */
    bool ordered;         /* sequentially consistent */
    uint64_t stamp;       /* of a releasing store, else 0 */
    vector release;       /* what an acquiring reader learns: of these bytes */
    vector others;        /* ... and of the others */
} version;

typedef struct cell {
    uintptr_t word; /* 0: free */
    uint64_t run;   /* of an older run: free */
    uint32_t count;
    uint64_t oldest; /* number of versions[0]: how many were dropped */
    uint64_t seen[SCHEDULE_THREADS_MAX]; /* numbers: no older one any more */
    version versions[VERSIONS_MAX];
} cell;

static cell cells[CELLS];
static uint64_t run;
static vector clocks[SCHEDULE_THREADS_MAX];
static vector released[SCHEDULE_THREADS_MAX];   /* by the last release fence */
static vector unacquired[SCHEDULE_THREADS_MAX]; /* for an acquire fence */
static uint64_t stamps;                         /* of releasing stores so far */
static uint64_t horizon[SCHEDULE_THREADS_MAX];
static uint64_t horizon_unacquired[SCHEDULE_THREADS_MAX];
static vector common; /* of everything sequentially consistent */

static void join(vector *to, const vector *from)
{
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        if (to->at[i] < from->at[i])
            to->at[i] = from->at[i];
}

static bool acquires(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME ||
           order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

void weak_reset(void)
{
    run++;
    memset(clocks, 0, sizeof clocks);
    memset(released, 0, sizeof released);
    memset(unacquired, 0, sizeof unacquired);
    memset(&common, 0, sizeof common);
    memset(horizon, 0, sizeof horizon);
    memset(horizon_unacquired, 0, sizeof horizon_unacquired);
    stamps = 0;
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        clocks[i].at[i] = 1;
}

static bool is_free(const cell *c)
{
    return c->word == 0 || c->run != run;
}

/* NULL: none, or, when it is to be made, no room. */
static cell *cell_of(const volatile void *address, bool make)
{
    uintptr_t const word = (uintptr_t)address & ~(uintptr_t)7;
    size_t place = (size_t)(word * 0x9e3779b97f4a7c15u >> 52);
    size_t steps = 0;
    while (!is_free(&cells[place]) && cells[place].word != word) {
        if (++steps == 64)
            return NULL;
        place = (place + 1) % CELLS;
    }
    cell *const c = &cells[place];
    if (!is_free(c))
        return c;
    if (!make)
        return NULL;
    memset(c, 0, sizeof *c);
    c->word = word;
    c->run = run;
    return c;
}

/* The versions begin with what memory held before the first store. */
static void begin_versions(cell *c)
{
    if (c->count != 0)
        return;
    c->versions[0] = (version){.first = 0, .last = 8};
    memcpy(&c->versions[0].value, (const void *)c->word, 8);
    c->count = 1;
}

static void add_version(cell *c, const version *v)
{
    if (c->count == VERSIONS_MAX) {
        memmove(&c->versions[0], &c->versions[1],
                (VERSIONS_MAX - 1) * sizeof *v);
        c->count--;
        c->oldest++;
    }
    c->versions[c->count++] = *v;
}

static bool is_shared(const volatile void *address)
{
    for (size_t i = 0; i < sched.count; i++)
        if (fiber_owns(sched.threads[i].fiber, (const void *)address))
            return false;
    return true;
}

/* Records what memory is about to hold. `changes`: a read-modify-write, which
 * carries on what the version before it released. */
static void record(volatile void *address, const void *value, size_t size,
                   int order, bool changes)
{
    size_t const t = schedule_self();
    cell *const c = cell_of(address, true);
    if (c == NULL)
        return;
    begin_versions(c);
    const version *const before = &c->versions[c->count - 1];
    uint32_t const first = (uint32_t)((uintptr_t)address - c->word);
    version v = {.value = before->value,
                 .thread = (uint32_t)t,
                 .at = clocks[t].at[t],
                 .first = first,
                 .last = first + (uint32_t)size,
                 .ordered = order == __ATOMIC_SEQ_CST,
                 .release = releases(order) ? clocks[t] : released[t]};
    memcpy((char *)&v.value + first, value, size);
    if (releases(order))
        v.stamp = horizon[t] = ++stamps;
    v.others = before->others;
    if (before->first != v.first || before->last != v.last)
        join(&v.others, &before->release);
    else if (changes)
        join(&v.release, &before->release);
    if (order == __ATOMIC_SEQ_CST)
        join(&common, &clocks[t]);
    add_version(c, &v);
    c->seen[t] = c->oldest + c->count - 1;
}

/* The thread's reading is an event that others can come after: none of these
 * takes an older version. */
static void note_read(cell *c, size_t t, uint32_t i)
{
    uint32_t const now = ++clocks[t].at[t];
    c->seen[t] = c->oldest + i;
    for (uint32_t j = i + 1; j-- > 0 && c->versions[j].read.at[t] == 0;)
        c->versions[j].read.at[t] = now;
}

static bool was_read_before(const version *v, size_t t)
{
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        if (v->read.at[i] != 0 && v->read.at[i] <= clocks[t].at[i])
            return true;
    return false;
}

static void raise(uint64_t *to, uint64_t stamp)
{
    if (*to < stamp)
        *to = stamp;
}

static void learn(size_t t, const version *v, int order)
{
    raise(acquires(order) ? &horizon[t] : &horizon_unacquired[t], v->stamp);
    vector *const to = acquires(order) ? &clocks[t] : &unacquired[t];
    join(to, &v->release);
    join(to, &v->others);
}

void weak_store(volatile void *address, const void *value, size_t size,
                int order)
{
    if (!is_shared(address))
        return;
    clocks[schedule_self()].at[schedule_self()]++;
    record(address, value, size, order, false);
}

/* The least version that the thread may still take. */
static uint32_t least(const cell *c, size_t t, int order)
{
    uint32_t i = c->count - 1;
    for (; i > 0; i--) {
        const version *const v = &c->versions[i];
        if (v->at <= clocks[t].at[v->thread] || was_read_before(v, t) ||
            c->oldest + i <= c->seen[t] ||
            (v->ordered && order == __ATOMIC_SEQ_CST) ||
            (acquires(order) && v->stamp != 0 && v->stamp <= horizon[t]))
            break;
    }
    return i;
}

bool weak_load(const volatile void *address, void *value, size_t size,
               int order)
{
    size_t const t = schedule_self();
    cell *const c = cell_of(address, false);
    if (c == NULL || c->count == 0 || !is_shared(address))
        return false;
    if (order == __ATOMIC_SEQ_CST)
        join(&clocks[t], &common);
    uint32_t i = c->count - 1;
    uint32_t const from = least(c, t, order);
    if (from < i && rng_below(&sched.rng, 2) == 0)
        i = from + (uint32_t)rng_below(&sched.rng, i - from + 1);
    const version *const v = &c->versions[i];
    note_read(c, t, i);
    memcpy(value, (const char *)&v->value + ((uintptr_t)address - c->word),
           size);
    learn(t, v, order);
    return true;
}

/* Before it: what the newest version tells. */
void weak_change_begin(const volatile void *address, size_t size, int order)
{
    size_t const t = schedule_self();
    if (order == __ATOMIC_SEQ_CST)
        join(&clocks[t], &common);
    for (size_t at = 0; at < size; at += 8) {
        cell *const c = cell_of((const volatile char *)address + at, false);
        if (c == NULL || c->count == 0)
            continue;
        note_read(c, t, c->count - 1);
        learn(t, &c->versions[c->count - 1], order);
    }
}

void weak_change_end(volatile void *address, const void *value, size_t size,
                     int order)
{
    if (!is_shared(address))
        return;
    clocks[schedule_self()].at[schedule_self()]++; /* both halves at once */
    for (size_t at = 0; at < size; at += 8)
        record((volatile char *)address + at, (const char *)value + at,
               size - at < 8 ? size - at : 8, order, true);
}

void weak_fence(int order)
{
    size_t const t = schedule_self();
    if (acquires(order)) {
        join(&clocks[t], &unacquired[t]);
        raise(&horizon[t], horizon_unacquired[t]);
    }
    if (order == __ATOMIC_SEQ_CST)
        weak_sync();
    if (releases(order))
        released[t] = clocks[t];
}

void weak_sync(void)
{
    weak_sync_other(schedule_self());
}

void weak_sync_other(size_t t)
{
    horizon[t] = stamps;
    join(&clocks[t], &unacquired[t]);
    join(&clocks[t], &common);
    join(&common, &clocks[t]);
}

/* A plain store makes a word anew. */
void weak_forget(const volatile void *address, size_t size)
{
    uintptr_t const first = (uintptr_t)address & ~(uintptr_t)7;
    for (uintptr_t at = first; at < (uintptr_t)address + size; at += 8) {
        cell *const c = cell_of((const void *)at, false);
        if (c != NULL) {
            c->count = 0;
            memset(c->seen, 0, sizeof c->seen);
            c->oldest = 0;
        }
    }
}
