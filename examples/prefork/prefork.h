/* SPDX-License-Identifier: MIT */
/* prefork.h - what the processes of the server share. */
#ifndef PREFORK_H
#define PREFORK_H

#include <stdint.h>

#include <girt/channel.h>
#include <girt/keyed_limiter.h>
#include <girt/metrics.h>
#include <girt/shared.h>

enum { CLIENTS = 8, NAME_MAX_BYTES = 32 };

/* Of each client, over all workers. */
#define CLIENT_BURST 20
#define CLIENT_PER_S 200

/* Opened once by the first process; forked ones have it all. */
typedef struct common {
    girt_shared *shared;
    girt_keyed_limiter *clients; /* the limit of each client */
    girt_channel *jobs;          /* from workers to the clerk */
    girt_metrics *metrics;
    girt_counter *admitted, *limited; /* requests */
    girt_counter *offered, *accepted; /* jobs: before and after the send */
    girt_counter *done;               /* jobs: by the clerk */
    int listener;
} common;

/* None of them returns. */
void worker_run(common *c);                    /* answers requests */
void clerk_run(common *c);                     /* does the jobs */
void load_run(uint16_t port, int64_t *served); /* asks all the time */

int64_t now_ns(void);

#endif /* PREFORK_H */
