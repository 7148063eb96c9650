/* SPDX-License-Identifier: MIT */
/* edge.c - one try after the other, in the order of girt/call.h.
 *
 * A try has a ticket.  Its answer and its timeout both bring the ticket along;
 * whichever comes second finds that the call has another one, or none, and is
 * ignored.  So a call's memory is used again, but never freed before the edge.
 *
 * I1: what a try has entered is left once, when its ticket ends. */
#include "edge.h"

#include <assert.h>
#include <stdlib.h>

#define BACKOFF_BASE_NS (20 * MS_NS)
#define BACKOFF_MAX_NS  (200 * MS_NS)

struct call {
    edge *on;
    demand wants;        /* of the try on its way */
    int64_t deadline_ns; /* after which the asker wants no answer */
    answer_to tell;
    void *asker;
    unsigned tries;
    uint64_t ticket; /* of the try on its way; 0: none */
    bool in_bulkhead;
    girt_permit concurrency, breaker;
    call *next;
};

static void end_call(call *c, answer a)
{
    edge *const e = c->on;
    answer_to const tell = c->tell;
    void *const asker = c->asker;
    c->ticket = 0;
    c->next = e->free;
    e->free = c;
    tell(asker, 0, a);
}

/* Tells the guards how a try went, and gives back what it had entered. */
static void leave(call *c, girt_outcome outcome)
{
    const edge_guards *const g = &c->on->guards;
    girt_breaker_leave(g->breaker, &c->breaker, outcome);
    girt_concurrency_leave(g->concurrency, &c->concurrency, outcome);
    if (c->in_bulkhead)
        girt_bulkhead_leave(g->bulkhead);
    c->in_bulkhead = false;
}

/* May this try be made?  If not, what was entered is the caller's to leave. */
static bool enter(call *c)
{
    const edge_guards *const g = &c->on->guards;
    girt_breaker_state const state = girt_breaker_state_now(g->breaker);
    if (state == GIRT_BREAKER_OPEN || state == GIRT_BREAKER_FORCED_OPEN)
        return false;
    if (g->bulkhead != NULL) {
        c->in_bulkhead = girt_bulkhead_enter(g->bulkhead, GIRT_NOW) == GIRT_OK;
        if (!c->in_bulkhead)
            return false;
    }
    if (g->concurrency != NULL &&
        girt_concurrency_enter(g->concurrency, &c->concurrency) != GIRT_OK)
        return false;
    return g->breaker == NULL ||
           girt_breaker_enter(g->breaker, &c->breaker) == GIRT_OK;
}

static girt_outcome outcome_of(answer a)
{
    switch (a) {
    case ANSWER_DONE:
        return GIRT_SUCCESS;
    case ANSWER_LATE:
    case ANSWER_REFUSED:
        return GIRT_FAILURE;
    case ANSWER_BEYOND: /* says nothing about the one that was called */
        break;
    }
    return GIRT_IGNORED;
}

static void make_try(void *object, uint64_t ticket);

static void end_try(call *c, answer a)
{
    edge *const e = c->on;
    c->ticket = 0;
    leave(c, outcome_of(a));
    int64_t wait_ns = 0;
    bool again = a != ANSWER_DONE && c->tries < e->tries_max;
    if (again && e->guards.budget != NULL) {
        wait_ns = girt_backoff_ns(BACKOFF_BASE_NS, BACKOFF_MAX_NS, c->tries - 1,
                                  &e->w->random);
        again = a != ANSWER_BEYOND &&
                wait_ns < c->deadline_ns - world_now(e->w) &&
                girt_retry_budget_take(e->guards.budget) == GIRT_OK;
    }
    if (again)
        event_queue_add(&e->w->events, wait_ns, make_try, c, 0);
    else
        end_call(c, a);
}

static void try_answered(void *asker, uint64_t ticket, answer a)
{
    call *const c = asker;
    if (c->ticket == ticket)
        end_try(c, a);
}

static void try_timed_out(void *object, uint64_t ticket)
{
    try_answered(object, ticket, ANSWER_LATE);
}

static void try_arrives(void *object, uint64_t ticket)
{
    call *const c = object;
    assert(c->ticket == ticket); /* a timeout is longer than a hop */
    service_ask(c->on->to, &c->wants, try_answered, c, ticket);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

static void make_try(void *object, uint64_t ticket)
{
    call *const c = object;
    edge *const e = c->on;
    (void)ticket;
    int64_t const left_ns =
        e->guards.deadline ? c->deadline_ns - world_now(e->w) : e->timeout_ns;
    if (left_ns <= HOP_NS) {
        end_call(c, ANSWER_LATE);
        return;
    }
    if (!enter(c)) {
        leave(c, GIRT_IGNORED);
        end_call(c, ANSWER_REFUSED);
        return;
    }
    c->wants.deadline_ns = earlier(c->deadline_ns, world_now(e->w) + left_ns);
    c->tries++;
    c->ticket = ++e->w->tickets;
    e->tries++;
    event_queue_add(&e->w->events, HOP_NS, try_arrives, c, c->ticket);
    event_queue_add(&e->w->events, left_ns, try_timed_out, c, c->ticket);
}

void edge_call(edge *e, const demand *wants, answer_to tell, void *asker)
{
    call *c = e->free;
    if (c != NULL)
        e->free = c->next;
    else
        c = world_allocate(sizeof *c);
    *c = (call){.on = e,
                .wants = *wants,
                .deadline_ns = wants->deadline_ns,
                .tell = tell,
                .asker = asker};
    if (e->guards.deadline)
        c->deadline_ns =
            earlier(c->deadline_ns, world_now(e->w) + e->timeout_ns);
    girt_retry_budget_call(e->guards.budget);
    make_try(c, 0);
}

void edge_free(edge *e)
{
    while (e->free != NULL) {
        call *const c = e->free;
        e->free = c->next;
        free(c);
    }
}
