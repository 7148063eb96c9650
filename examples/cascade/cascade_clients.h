/* SPDX-License-Identifier: MIT */
/* cascade_clients.h - people: they come at random, wait two seconds, and go. */
#ifndef GIRT_EXAMPLES_CASCADE_CLIENTS_H
#define GIRT_EXAMPLES_CASCADE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge.h"
#include "world.h"

/* A request from the outside, from first to last. */
typedef struct request {
    int64_t came_ns, took_ns;
    unsigned needs;
    bool good;
} request;

typedef struct clients {
    world *w;
    edge to_front; /* one try, no guard */
    int64_t until_ns, gap_ns;
    request *requests; /* one after the other as they came */
    size_t count, capacity;
} clients;

/* From now on until_ns, one each gap_ns on average. */
void clients_start(clients *c, world *w, service *front, int64_t until_ns,
                   int64_t gap_ns);

/* With no request on its way. */
void clients_free(clients *c);

#endif /* GIRT_EXAMPLES_CASCADE_CLIENTS_H */
