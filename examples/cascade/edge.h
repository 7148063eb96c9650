/* SPDX-License-Identifier: MIT */
/* edge.h - calls from one service to the next: a timeout, retries, and girt's
 * guards where there are any.
 *
 * girt_call does this around a function that blocks.  Nothing may block here,
 * as in any event loop, so the edge takes the same parts in the same order and
 * gives back what it has entered when the answer comes. */
#ifndef GIRT_EXAMPLES_EDGE_H
#define GIRT_EXAMPLES_EDGE_H

#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/concurrency.h>
#include <girt/retry.h>

#include "service.h"

/* Each part is optional. */
typedef struct edge_guards {
    girt_breaker *breaker;
    girt_bulkhead *bulkhead;
    girt_concurrency *concurrency;
    /* With one: a wait before each retry, and none of what failed beyond the
     * service called, since that one has tried it already. */
    girt_retry_budget *budget;
    /* timeout_ns is for all tries together, and never beyond the asker's own;
     * else for each try. */
    bool deadline;
} edge_guards;

/* A call on its way, or free. */
typedef struct call call;

typedef struct edge {
    world *w;
    service *to;
    edge_guards guards;
    int64_t timeout_ns;
    unsigned tries_max;
    call *free;     /* those not in use; none is freed before the edge */
    uint64_t tries; /* made so far */
} edge;

/* Asks once, tries as it is made to, and tells once how it ended. */
void edge_call(edge *e, const demand *wants, answer_to tell, void *asker);

/* With nothing on its way. */
void edge_free(edge *e);

#endif /* GIRT_EXAMPLES_EDGE_H */
