/* SPDX-License-Identifier: MIT */
/* epoch_domain.c - records for threads that come, end, and are lost in forks.
 *
 * A thread gets a record at its first use of epochs: that of a thread that
 * has ended, else a new one.  At its end what it has pending becomes orphans,
 * which any thread that retires or waits takes over, and its record is free.
 * ck_epoch_unregister drops what is pending, so the lists are emptied first.
 *
 * A fork holds `collecting` and `visiting`, so every retired block is then in
 * some list.  In the child the records of the threads left behind are treated
 * as if these had ended: their sections are over, their blocks are orphans.
 * A block that such a thread was about to push, or whose release function was
 * already running, stays as it is: leaked, never released twice. */
#include "core/epoch_domain.h"

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/epoch_internal.h"

girt__epoch_domain girt__epochs = {.collecting = PTHREAD_MUTEX_INITIALIZER,
                                   .visiting = PTHREAD_MUTEX_INITIALIZER};

_Thread_local girt__epoch_record *girt__epoch_own;
_Thread_local uint32_t girt__epoch_visits;
_Thread_local bool girt__epoch_visitor_releasing;

/* Its index when it joined; no index until then, lest the burial of index 0 in
 * a fork's child be taken for the end of the thread that lives on. */
static _Thread_local uint32_t own_index = UINT32_MAX;
/* The end of this thread was told: it gets no record any more. */
static _Thread_local bool gone;

static pthread_once_t once = PTHREAD_ONCE_INIT;

_Static_assert(offsetof(girt__epoch_record, ck) == 0,
               "a ck record is where its record is");

uint32_t girt__epoch_move(ck_stack_t *from, ck_stack_t *to)
{
    uint32_t count = 0;
    ck_stack_entry_t *next;
    for (ck_stack_entry_t *e = ck_stack_batch_pop_upmc(from); e != NULL;
         e = next) {
        next = e->next;
        ck_stack_push_upmc(to, e);
        count++;
    }
    return count;
}

uint32_t girt__epoch_move_pending(girt__epoch_record *record, ck_stack_t *to)
{
    uint32_t count = 0;
    for (size_t i = 0; i < CK_EPOCH_LENGTH; i++)
        count += girt__epoch_move(&record->ck.pending[i], to);
    ck_pr_sub_uint(&record->ck.n_pending, count);
    return count;
}

size_t girt__epoch_backlog(void)
{
    /* A visitor's block shows before it is counted. */
    int64_t sum = (int32_t)girt_load_relaxed(&girt__epochs.orphan_count);
    ck_stack_entry_t *link;
    CK_STACK_FOREACH(&girt__epochs.ck.records, link)
    sum += ck_pr_load_uint(&((girt__epoch_record *)(void *)link)->ck.n_pending);
    return sum < 0 ? 0 : (size_t)sum;
}

/* Frees the record of a thread that is no more, or is about to be. */
static void retire_record(girt__epoch_record *record)
{
    uint32_t count = girt__epoch_move_pending(record, &girt__epochs.orphans);
    count += girt__epoch_move(&record->ready, &girt__epochs.orphans);
    (void)girt_add_relaxed(&girt__epochs.orphan_count, count);
    record->since_poll = 0;
    if (record->releasing) { /* it ended inside a release function */
        record->releasing = false;
        girt_store_release(&record->batch, record->batch + 1);
    }
    ck_epoch_unregister(&record->ck); /* ends its sections, too */
}

/* A thread's end, heard by thread.c, whose mutex keeps forks away. Those that
 * a fork left behind are bury_in_child's. */
static void thread_ended(girt__thread_observer *self, uint32_t index)
{
    (void)self;
    if (index != own_index)
        return;
    while (girt__epoch_visits != 0)
        girt__epoch_visitor_exit();
    girt__epoch_record *const record = girt__epoch_own;
    gone = true;
    girt__epoch_own = NULL;
    if (record != NULL)
        retire_record(record);
}

static void lock_for_fork(girt__thread_observer *self)
{
    (void)self;
    (void)pthread_mutex_lock(&girt__epochs.collecting);
    (void)pthread_mutex_lock(&girt__epochs.visiting);
}

static void bury_in_child(void)
{
    ck_stack_entry_t *link;
    CK_STACK_FOREACH(&girt__epochs.ck.records, link)
    {
        girt__epoch_record *const record = (girt__epoch_record *)(void *)link;
        bool const free_already = record->ck.state != 0;
        if (record == girt__epoch_own || record == &girt__epochs.visited ||
            free_already)
            continue;
        /* Its owner may have been changing these two. */
        record->spares = NULL;
        record->spare_count = 0;
        retire_record(record);
    }
    girt__epochs.visitors = girt__epoch_visits != 0;
    if (girt__epochs.visitors == 0)
        girt__epochs.visited.ck.active = 0;
    girt__epochs.visitors_releasing = girt__epoch_visitor_releasing;
}

static void unlock_after_fork(girt__thread_observer *self, bool in_child)
{
    (void)self;
    if (in_child)
        bury_in_child();
    (void)pthread_mutex_unlock(&girt__epochs.visiting);
    (void)pthread_mutex_unlock(&girt__epochs.collecting);
}

static void set_up(void)
{
    (void)girt__allocator_resolve(&girt__epochs.memory, NULL);
    ck_epoch_init(&girt__epochs.ck);
    ck_epoch_register(&girt__epochs.ck, &girt__epochs.visited.ck, NULL);
    girt__epochs.observer.ended = thread_ended;
    girt__epochs.observer.before_fork = lock_for_fork;
    girt__epochs.observer.after_fork = unlock_after_fork;
    girt__thread_observe(&girt__epochs.observer);
}

__attribute__((noinline, cold)) girt__epoch_record *girt__epoch_join(void)
{
    (void)pthread_once(&once, set_up);
    if (girt__epoch_own != NULL || girt__epoch_visits != 0 || gone)
        return girt__epoch_own;
    own_index = girt__thread_index();
    girt__epoch_record *record =
        (girt__epoch_record *)(void *)ck_epoch_recycle(&girt__epochs.ck, NULL);
    if (record == NULL) {
        record = girt__allocate_zeroed(&girt__epochs.memory, sizeof *record,
                                       _Alignof(girt__epoch_record));
        if (record == NULL)
            return NULL;
        ck_epoch_register(&girt__epochs.ck, &record->ck, NULL);
    }
    girt__epoch_own = record;
    return record;
}

void girt__epoch_visitor_enter(void)
{
    if (girt__epoch_visits++ != 0)
        return;
    (void)pthread_mutex_lock(&girt__epochs.visiting);
    if (girt__epochs.visitors++ == 0)
        ck_epoch_begin(&girt__epochs.visited.ck, NULL);
    (void)pthread_mutex_unlock(&girt__epochs.visiting);
}

void girt__epoch_visitor_exit(void)
{
    girt_require(girt__epoch_visits != 0);
    if (--girt__epoch_visits != 0)
        return;
    (void)pthread_mutex_lock(&girt__epochs.visiting);
    if (--girt__epochs.visitors == 0)
        (void)ck_epoch_end(&girt__epochs.visited.ck, NULL);
    (void)pthread_mutex_unlock(&girt__epochs.visiting);
}
