/* SPDX-License-Identifier: MIT */
/* service.c - requests take a thread, then a core, then go on or back.
 *
 * I1: while anybody waits for a thread none is free, and so with cores: advance
 *     is called after each change. */
#include "service.h"

#include <stdlib.h>

#include "edge.h"

static void append(job_line *line, job *j)
{
    j->next = NULL;
    if (line->last != NULL)
        line->last->next = j;
    else
        line->first = j;
    line->last = j;
    line->count++;
}

static job *take_first(job_line *line)
{
    job *const j = line->first;
    line->first = j->next;
    if (line->first == NULL)
        line->last = NULL;
    line->count--;
    return j;
}

void service_start(service *s, world *w, const service_options *o)
{
    *s = (service){.o = *o,
                   .w = w,
                   .slow = 1,
                   .threads_free = o->threads,
                   .cores_free = o->cores};
}

static void arrive_back(void *object, uint64_t ticket)
{
    job *const j = object;
    (void)ticket;
    j->reply(j->asker, j->ticket, j->result);
    free(j);
}

static void send_back(service *s, job *j, answer result)
{
    j->result = result;
    event_queue_add(&s->w->events, HOP_NS, arrive_back, j, 0);
}

static void work_done(void *object, uint64_t ticket);

/* Takes a core, unless there is nobody to work for. */
static void work(service *s, job *j)
{
    int64_t const now_ns = world_now(s->w);
    girt_shed_observe(s->shed, now_ns - j->came_ns);
    if (s->drops_late && now_ns >= j->wants.deadline_ns) {
        s->threads_free++;
        send_back(s, j, ANSWER_LATE);
        return;
    }
    s->cores_free--;
    /* Evenly between half the mean and half as much again. */
    j->work_ns = s->o.work_ns / 2 +
                 (int64_t)world_below(s->w, (uint64_t)s->o.work_ns + 1);
    j->work_ns *= s->slow;
    event_queue_add(&s->w->events, j->work_ns, work_done, j, 0);
}

static void advance(service *s)
{
    for (;;) { /* each turn takes one out of a line */
        if (s->threads_free > 0 && s->for_thread.count > 0) {
            s->threads_free--;
            append(&s->for_core, take_first(&s->for_thread));
        } else if (s->cores_free > 0 && s->for_core.count > 0) {
            work(s, take_first(&s->for_core));
        } else {
            return;
        }
    }
}

static void next_answered(void *asker, uint64_t ticket, answer a)
{
    job *const j = asker;
    service *const s = j->at;
    (void)ticket;
    s->threads_free++;
    send_back(s, j, a == ANSWER_DONE ? ANSWER_DONE : ANSWER_BEYOND);
    advance(s);
}

static void work_done(void *object, uint64_t ticket)
{
    job *const j = object;
    service *const s = j->at;
    (void)ticket;
    s->cores_free++;
    s->worked_ns += j->work_ns;
    if (world_now(s->w) > j->wants.deadline_ns)
        s->wasted_ns += j->work_ns;
    if (j->wants.needs > s->o.place) {
        edge_call(s->next, &j->wants, next_answered, j);
    } else {
        s->threads_free++;
        send_back(s, j, ANSWER_DONE);
    }
    advance(s);
}

void service_ask(service *s, const demand *wants, answer_to reply, void *asker,
                 uint64_t ticket)
{
    job *const j = world_allocate(sizeof *j);
    *j = (job){.wants = *wants,
               .came_ns = world_now(s->w),
               .reply = reply,
               .asker = asker,
               .ticket = ticket,
               .at = s};
    if (s->shed != NULL && girt_shed_admit(s->shed, 0) != GIRT_OK) {
        send_back(s, j, ANSWER_REFUSED);
        return;
    }
    append(&s->for_thread, j);
    advance(s);
}
