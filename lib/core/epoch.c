/* SPDX-License-Identifier: MIT */
/* epoch.c - read sections and deferred release, over ck_epoch [Fraser 2004].
 *
 * ck_epoch gives sections, grace periods, and a thread's lists of retired
 * blocks by epoch; epoch_domain.c gives each thread its record; this file
 * decides when, where and in whose hands a block is released.
 *
 *   retire --> pending[4] --(grace period)--> ready --> release function
 *              push: owner                    owner only, nothing held
 *              take: under `collecting`
 *
 * I1: a release function runs once, after every section that was open when
 *     its block was retired has ended.
 * I2: a block is in one list, or in the hands of its release function.
 * I3: a record's batch is odd while its ready list is in use.
 *
 * Where ck_epoch alone would break I1, and what is done about it:
 *  - ck_epoch_call reads the epoch without a fence: the unlink may still be in
 *    the store buffer while the epoch moves on, and a reader of the next epoch
 *    still finds the block, which is released one epoch too early for it.
 *    retire has the fence (F1), and enter orders its read of the epoch before
 *    all that the section reads (F2).  Then a section that began in a later
 *    epoch than the block's label saw the unlink; ck releases at label + 2, or
 *    when all active sections are at label + 1.
 *  - ck_epoch_poll and ck_epoch_reclaim run release functions while they empty
 *    one list after the other; a block that a release function retires can
 *    land in a list yet to be emptied, with no grace period at all.  Here
 *    blocks are moved to `ready` first, and run from there.
 *
 * ThreadSanitizer sees neither libck nor ck's inline assembly.  This file is
 * compiled without it and tells it the edges: section -> release function,
 * retire -> release function, release function -> barrier. */
#include "core/epoch_internal.h"

#include <sched.h>
#include <time.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/epoch_domain.h"

#ifdef GIRT_TSAN
#include <sanitizer/tsan_interface.h>
#define tell_release() __tsan_release(&girt__epochs)
#define tell_acquire() __tsan_acquire(&girt__epochs)
#else
#define tell_release() ((void)0)
#define tell_acquire() ((void)0)
#endif

typedef girt__epoch_record record;
typedef girt__epoch_box box;

enum {
    /* A thread looks for releasable blocks each time it has retired so many:
     * the look reads every thread's record. */
    POLL_EVERY = 64,
    /* Outside a section, a thread with so many pending waits for readers. */
    PENDING_MAX = 4096,
    /* Boxes that a thread keeps for when memory is out, and for reuse. */
    SPARES_RESERVED = 32,
    SPARES_MAX = 64
};

_Static_assert(sizeof(ck_epoch_entry_t) <= sizeof(girt__epoch_node),
               "a node holds ck's entry");
_Static_assert(_Alignof(ck_epoch_entry_t) <= _Alignof(girt__epoch_node),
               "a node is aligned for ck's entry");
_Static_assert(offsetof(box, entry) == 0, "a box is where its node is");

/* The caller's record; NULL: a visitor. */
static inline record *self(void)
{
    record *const r = girt__epoch_own;
    return girt_likely(r != NULL) ? r : girt__epoch_join();
}

static bool in_section(const record *r)
{
    return r != NULL ? r->ck.active != 0 : girt__epoch_visits != 0;
}

/* Between looks at what another thread has to do first. */
static void back_off(ck_epoch_t *global, ck_epoch_record_t *who, void *context)
{
    (void)global;
    (void)who;
    uint32_t *const turn = context;
    uint32_t const now = (*turn)++;
    if (now < 64) {
        girt_pause();
    } else if (now < 128) {
        (void)sched_yield();
    } else {
        struct timespec const nap = {0, 50 * 1000};
        (void)nanosleep(&nap, NULL);
    }
}

static void wait_for_readers(void)
{
    uint32_t turn = 0;
    ck_epoch_synchronize_wait(&girt__epochs.ck, back_off, &turn);
}

/* ---- releasing --------------------------------------------------------- */

/* Under `collecting`, so that a barrier that comes later sees it. */
static void begin_batch(record *r)
{
    r->releasing = true;
    /* B1 -> B2 (wait_for_batches) */
    girt_store_release(&r->batch, r->batch + 1);
}

static void end_batch(record *r)
{
    r->releasing = false;
    /* B1 -> B2: what the release functions did. */
    girt_store_release(&r->batch, r->batch + 1);
}

/* Owner only; a release function that retires or waits may come back here. */
static void run_ready(ck_stack_t *ready)
{
    tell_acquire();
    ck_stack_entry_t *link;
    while ((link = ready->head) != NULL) {
        /* Off the list first: a fork inside the function, or the thread's end
         * there, must not release it again. */
        girt_store_relaxed(&ready->head, link->next);
        ck_epoch_entry_t *const entry =
            girt_container_of(link, ck_epoch_entry_t, stack_entry);
        void (*const release)(girt__epoch_node * node) =
            (void (*)(girt__epoch_node *))(void (*)(void))entry->function;
        release((girt__epoch_node *)(void *)entry);
    }
    tell_release();
}

/* Takes over the blocks of ended threads, as if retired now. */
static void adopt_orphans(record *r)
{
    if (girt_load_relaxed(&girt__epochs.orphan_count) == 0)
        return;
    girt_fence_seq_cst(); /* F1, for whoever unlinked them */
    uint32_t const epoch = ck_epoch_value(&girt__epochs.ck);
    uint32_t const count = girt__epoch_move(
        &girt__epochs.orphans, &r->ck.pending[epoch & (CK_EPOCH_LENGTH - 1)]);
    ck_pr_add_uint(&r->ck.n_pending, count);
    (void)girt_sub_relaxed(&girt__epochs.orphan_count, count);
}

/* Releases what has had its grace period; waits for nobody. */
static void poll(record *r)
{
    if (r->releasing || pthread_mutex_trylock(&girt__epochs.collecting) != 0)
        return; /* since_poll stays: the next retire or exit tries again */
    begin_batch(r);
    adopt_orphans(r);
    (void)ck_epoch_poll_deferred(&r->ck, &r->ready);
    (void)pthread_mutex_unlock(&girt__epochs.collecting);
    r->since_poll = 0;
    run_ready(&r->ready);
    end_batch(r);
}

/* Waits for readers, then releases all that the caller has pending. */
static void flush(record *r)
{
    (void)pthread_mutex_lock(&girt__epochs.collecting);
    begin_batch(r);
    (void)girt__epoch_move_pending(r, &r->ready);
    (void)pthread_mutex_unlock(&girt__epochs.collecting);
    r->since_poll = 0;
    wait_for_readers();
    run_ready(&r->ready);
    end_batch(r);
}

/* ---- sections ---------------------------------------------------------- */

void girt_epoch_enter(void)
{
    record *const r = self();
    if (girt_unlikely(r == NULL)) {
        girt__epoch_visitor_enter();
        return;
    }
    ck_epoch_begin(&r->ck, NULL);
    girt_fence_acquire(); /* F2 -> F1 (retire) */
}

/* The outermost section of a thread that has retired enough ends. */
__attribute__((noinline, cold)) static void poll_at_exit(record *r)
{
    poll(r);
    /* More than ought to be: a reader that is not running holds it up. */
    if (ck_pr_load_uint(&r->ck.n_pending) >= PENDING_MAX)
        (void)sched_yield();
}

void girt_epoch_exit(void)
{
    record *const r = girt__epoch_own;
    tell_release();
    if (girt_unlikely(r == NULL)) {
        girt__epoch_visitor_exit();
        return;
    }
    girt_require(r->ck.active != 0);
    bool const outermost = ck_epoch_end(&r->ck, NULL);
    if (girt_unlikely(r->since_poll >= POLL_EVERY) && outermost)
        poll_at_exit(r);
}

/* ---- retiring ---------------------------------------------------------- */

__attribute__((noinline, cold)) static void make_room(record *r)
{
    if (in_section(r)) {
        r->since_poll = POLL_EVERY; /* exit will poll */
        return;
    }
    if (ck_pr_load_uint(&r->ck.n_pending) >= PENDING_MAX && !r->releasing)
        flush(r);
    else
        poll(r);
}

/* Without a record the block waits for a thread that has one. */
static void retire_as_visitor(ck_epoch_entry_t *entry)
{
    ck_stack_push_upmc(&girt__epochs.orphans, &entry->stack_entry);
    uint32_t const before = girt_add_relaxed(&girt__epochs.orphan_count, 1);
    if (before >= PENDING_MAX && !in_section(NULL) &&
        !girt__epoch_visitor_releasing)
        girt_epoch_barrier();
}

void girt__epoch_retire_node(girt__epoch_node *node,
                             void (*release)(girt__epoch_node *node))
{
    girt_require(node != NULL);
    girt_require(release != NULL);
    record *const r = self();
    ck_epoch_entry_t *const entry = (ck_epoch_entry_t *)(void *)node;
    /* Never called as ck's type: run_ready casts it back. */
    ck_epoch_cb_t *const function = (ck_epoch_cb_t *)(void (*)(void))release;
    tell_release();
    girt_fence_seq_cst(); /* F1 -> F2: the unlink, then the label */
    if (girt_unlikely(r == NULL)) {
        entry->function = function;
        retire_as_visitor(entry);
        return;
    }
    ck_epoch_call_strict(&r->ck, entry, function);
    if (girt_unlikely(++r->since_poll >= POLL_EVERY ||
                      girt_load_relaxed(&girt__epochs.orphan_count) >=
                          POLL_EVERY))
        make_room(r);
}

/* ---- boxes: blocks without a node -------------------------------------- */

static void give_box(box *b)
{
    record *const r = girt__epoch_own;
    if (r != NULL && r->spare_count < SPARES_MAX) {
        b->block = r->spares;
        r->spares = b;
        r->spare_count++;
        return;
    }
    girt__release(&girt__epochs.memory, b, sizeof *b);
}

static box *take_spare(record *r)
{
    box *const b = r->spares;
    r->spares = b->block;
    r->spare_count--;
    return b;
}

static box *new_box(void)
{
    return girt__allocate(&girt__epochs.memory, sizeof(box), _Alignof(box));
}

/* NULL: out of memory. Below the reserve, each retire adds one to it. */
static box *take_box(record *r)
{
    if (r == NULL)
        return new_box();
    if (r->spare_count > SPARES_RESERVED)
        return take_spare(r);
    box *const b = new_box();
    if (b == NULL)
        return r->spare_count != 0 ? take_spare(r) : NULL;
    box *const extra = r->spare_count < SPARES_RESERVED ? new_box() : NULL;
    if (extra != NULL)
        give_box(extra);
    return b;
}

static void release_boxed(girt__epoch_node *node)
{
    box *const b = (box *)(void *)node;
    void *const block = b->block;
    void (*const release)(void *block) = b->release;
    give_box(b);
    release(block);
}

void girt_epoch_retire(void *block, void (*release)(void *block))
{
    girt_require(release != NULL);
    record *const r = self();
    box *b = take_box(r);
    if (girt_unlikely(b == NULL) && !in_section(r)) {
        tell_release();
        wait_for_readers();
        tell_acquire();
        release(block);
        return;
    }
    /* In a section there is nothing to give but time. */
    for (uint32_t turn = 128; girt_unlikely(b == NULL); b = take_box(r))
        back_off(NULL, NULL, &turn);
    b->block = block;
    b->release = release;
    girt__epoch_retire_node((girt__epoch_node *)(void *)b, release_boxed);
}

/* ---- barrier ----------------------------------------------------------- */

/* All that anybody has pending, under `collecting`. */
static void collect_all(ck_stack_t *to)
{
    ck_stack_entry_t *link;
    CK_STACK_FOREACH(&girt__epochs.ck.records, link)
    (void)girt__epoch_move_pending((record *)(void *)link, to);
    uint32_t const count = girt__epoch_move(&girt__epochs.orphans, to);
    (void)girt_sub_relaxed(&girt__epochs.orphan_count, count);
}

/* Until the blocks that others took before we could have been released. */
static void wait_for_batches(const record *own)
{
    uint32_t turn = 0;
    ck_stack_entry_t *link;
    CK_STACK_FOREACH(&girt__epochs.ck.records, link)
    {
        record *const r = (record *)(void *)link;
        uint64_t const batch = girt_load_acquire(&r->batch); /* B2 -> B1 */
        if (r == own || batch % 2 == 0)
            continue;
        while (girt_load_acquire(&r->batch) == batch) /* B2 -> B1 */
            back_off(NULL, NULL, &turn);
    }
    while (girt_load_acquire(&girt__epochs.visitors_releasing) != 0)
        back_off(NULL, NULL, &turn); /* B4 -> B3 */
    tell_acquire();
}

static void barrier_as_visitor(void)
{
    ck_stack_t ready = {NULL, NULL};
    bool const nested = girt__epoch_visitor_releasing;
    (void)pthread_mutex_lock(&girt__epochs.collecting);
    girt__epoch_visitor_releasing = true;
    if (!nested)
        (void)girt_add_relaxed(&girt__epochs.visitors_releasing, 1);
    collect_all(&ready);
    (void)pthread_mutex_unlock(&girt__epochs.collecting);
    wait_for_readers();
    run_ready(&ready);
    if (nested)
        return;
    girt__epoch_visitor_releasing = false;
    /* B3 -> B4 */
    (void)girt_sub_release(&girt__epochs.visitors_releasing, 1);
    wait_for_batches(NULL);
}

void girt_epoch_barrier(void)
{
    record *const r = self();
    girt_require(!in_section(r));
    tell_release();
    if (r == NULL) {
        barrier_as_visitor();
        return;
    }
    bool const nested = r->releasing;
    /* The rest of the batch that called us has had its grace period. */
    run_ready(&r->ready);
    (void)pthread_mutex_lock(&girt__epochs.collecting);
    if (!nested)
        begin_batch(r);
    collect_all(&r->ready);
    (void)pthread_mutex_unlock(&girt__epochs.collecting);
    r->since_poll = 0;
    wait_for_readers();
    run_ready(&r->ready);
    if (nested)
        return; /* waiting for others, who may wait for us, could be for ever */
    end_batch(r);
    wait_for_batches(r);
}

void girt__epoch_set_memory(const girt_allocator *allocator)
{
    (void)girt__epoch_join();
    (void)girt__allocator_resolve(&girt__epochs.memory, allocator);
}
