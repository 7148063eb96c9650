/* SPDX-License-Identifier: MIT */
/* service.h - a server with threads and cores, as most are built.
 *
 * A request takes a thread, or waits in line for one (a line without end, as
 * thread pools have it unless they are told otherwise); with the thread it
 * takes a core for its own work, or waits for one; then it calls the next
 * service, if it needs that, and keeps the thread while it waits for the
 * answer.  So threads run out where what is called is slow, though the cores
 * are idle. */
#ifndef GIRT_EXAMPLES_SERVICE_H
#define GIRT_EXAMPLES_SERVICE_H

#include <stdbool.h>

#include <girt/shed.h>

#include "world.h"

struct edge;

typedef struct service_options {
    unsigned place; /* FRONT, MIDDLE, BACK */
    unsigned threads, cores;
    int64_t work_ns; /* on a core, on average */
} service_options;

/* A request at a service. */
typedef struct job {
    demand wants;
    int64_t came_ns, work_ns;
    answer_to reply;
    void *asker;
    uint64_t ticket; /* of the asker */
    answer result;
    struct service *at;
    struct job *next;
} job;

typedef struct job_line {
    job *first, *last;
    unsigned count;
} job_line;

typedef struct service {
    service_options o;
    world *w;
    unsigned slow; /* work takes so many times as long */
    /* Guards, each NULL or false without. */
    girt_shed *shed;
    bool drops_late;   /* work that nobody waits for any more */
    struct edge *next; /* NULL at the end of the way */
    unsigned threads_free, cores_free;
    job_line for_thread, for_core;
    /* Time of cores, all and in vain: the asker had given up by the end. */
    int64_t worked_ns, wasted_ns;
} service;

void service_start(service *s, world *w, const service_options *o);

/* Takes a request, or refuses it at the door; the reply is sent in any case,
 * later. */
void service_ask(service *s, const demand *wants, answer_to reply, void *asker,
                 uint64_t ticket);

#endif /* GIRT_EXAMPLES_SERVICE_H */
