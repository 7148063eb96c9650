/* SPDX-License-Identifier: MIT */
/* spike_service.h - the small service that a burst of requests meets.
 *
 * Producers push requests, workers take them out; for each one a worker asks
 * whether its client still has a token, and counts hits and bytes of its URL.
 * Two ways to build it stand behind one table of functions: one_lock.cpp and
 * with_girt.c. All that is not the way itself - parsing, threads, clocks,
 * histograms - is the same code for both.
 *
 * What is decided must not depend on who came first, or the totals of two runs
 * could not be compared. So the whole burst arrives at one instant (now_ns):
 * each client has `burst` tokens, and min(its requests, burst) are admitted.
 * WHICH of them is up to the threads, therefore hits and bytes are counted
 * for every request, admitted or not. */
#ifndef GIRT_EXAMPLES_SPIKE_SERVICE_H
#define GIRT_EXAMPLES_SPIKE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/status.h>

#include "access_log.h"
#include "latency_histogram.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPIKE_BATCH_MAX  1024
#define SPIKE_SHARDS_MAX 64

typedef struct spike_request {
    access_entry entry;
    int64_t entered_ns; /* when its producer offered it to the service */
} spike_request;

typedef struct spike_config {
    size_t capacity; /* of the queue, in requests */
    size_t batch;    /* requests handed over at a time, 1 .. SPIKE_BATCH_MAX */
    size_t shards;   /* 1 .. SPIKE_SHARDS_MAX; one_lock has one map */
    size_t clients;  /* how many different ones will come, at most */
    uint64_t burst;  /* tokens of each client */
    int64_t now_ns;  /* the instant at which the burst arrives */
} spike_config;

/* What one worker counts, for itself alone. */
typedef struct spike_worker {
    uint64_t admitted;
    uint64_t limited;
    uint64_t done; /* others read it while the worker runs */
    latency_histogram latency;
} spike_worker;

typedef bool spike_see_url(void *context, size_t shard, const char *url,
                           size_t url_size, uint64_t hits, uint64_t bytes);

typedef struct spike_way {
    const char *name;
    size_t batch_max; /* no larger batches, whatever is configured; 0: any */
    bool sharded;     /* spreads the URLs over config.shards maps */
    girt_status (*create)(void **service, const spike_config *config);
    /* Waits for room. Not OK only if the service is closed or out of memory. */
    girt_status (*push)(void *service, spike_request *const requests[],
                        size_t count);
    /* No more pushes; workers finish what is there and return. */
    void (*close)(void *service);
    /* Serves until closed and empty. */
    girt_status (*work)(void *service, spike_worker *worker);
    /* Once all workers have returned. Stops on false. */
    girt_status (*each_url)(void *service, spike_see_url *see, void *context);
    void (*destroy)(void *service);
} spike_way;

extern const spike_way spike_one_lock;     /* one request at a time */
extern const spike_way spike_lock_batched; /* the same with batches */
extern const spike_way spike_with_girt;

int64_t spike_now_ns(void);

/* The requests of a batch have been served: takes their time in the system.
 * All of a batch leave at its end, so that no time is understated. */
void spike_served(spike_worker *worker, spike_request *const requests[],
                  size_t count);

#ifdef __cplusplus
}
#endif

#endif /* GIRT_EXAMPLES_SPIKE_SERVICE_H */
