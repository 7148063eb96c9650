/* SPDX-License-Identifier: MIT */
/* epoch_domain.h - who takes part in epochs: a record for each thread.
 *
 * Shared by epoch_domain.c (threads come, end, and are lost in forks) and
 * epoch.c (sections, retiring, releasing), and by epoch_section.h, which is
 * epoch.c's enter and exit inlined; for nobody else. */
#ifndef GIRT_CORE_EPOCH_DOMAIN_H
#define GIRT_CORE_EPOCH_DOMAIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ck_epoch.h>

#include <girt/alloc.h>

#include "core/cacheline.h"
#include "core/thread.h"

/* A retired block that has no node of its own. */
typedef struct girt__epoch_box {
    ck_epoch_entry_t entry;
    void *block; /* of a spare box: the next spare */
    void (*release)(void *block);
} girt__epoch_box;

/* One for each thread that has used epochs; kept for ever, and given to a new
 * thread when its owner has ended. */
typedef struct girt__epoch_record {
    /* Owner: sections, and pushing to `pending`. Taking from `pending`: under
     * domain.collecting. */
    ck_epoch_record_t ck;
    /* The rest is the owner's, in a fork's child the survivor's. */
    ck_stack_t ready;    /* to be released now */
    uint32_t since_poll; /* retired since it last looked for ready ones */
    bool releasing;      /* a release function runs, or soon will */
    uint32_t spare_count;
    girt__epoch_box *spares;
    uint64_t batch; /* read by barriers: odd while `releasing` */
} GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__epoch_record;

typedef struct girt__epoch_domain {
    /* Read by every section's beginning, written when the epoch moves. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) ck_epoch_t ck;
    /* Read by every retire, written when a thread ends with blocks pending. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint32_t orphan_count;
    girt_allocator memory;
    girt__thread_observer observer;
    /* Held to take from any `pending` or from `orphans`, never while a
     * release function runs or a grace period passes. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t collecting;
    ck_stack_t orphans; /* what ended threads had pending */
    /* Threads without a record of their own, for want of memory or after
     * their end was told: all share one, which is in a section while any of
     * them is in one. */
    pthread_mutex_t visiting;
    uint32_t visitors;
    uint32_t visitors_releasing;
    girt__epoch_record visited;
} girt__epoch_domain;

_Static_assert(offsetof(girt__epoch_domain, orphan_count) >= GIRT_DESTRUCTIVE,
               "what sections read is not beside what retiring writes");

extern girt__epoch_domain girt__epochs;

/* What a thread knows of itself. */
extern _Thread_local girt__epoch_record *girt__epoch_own;
/* Its open sections as a visitor. */
extern _Thread_local uint32_t girt__epoch_visits;
/* It runs release functions as a visitor. */
extern _Thread_local bool girt__epoch_visitor_releasing;

/* The caller's record, after making it one; NULL: it is a visitor. */
girt__epoch_record *girt__epoch_join(void);

void girt__epoch_visitor_enter(void);
void girt__epoch_visitor_exit(void);

/* Moves every block of `from` to `to`; answers how many. */
uint32_t girt__epoch_move(ck_stack_t *from, ck_stack_t *to);
/* The same for all that a record has pending. */
uint32_t girt__epoch_move_pending(girt__epoch_record *record, ck_stack_t *to);

#endif /* GIRT_CORE_EPOCH_DOMAIN_H */
