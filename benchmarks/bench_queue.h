/* SPDX-License-Identifier: MIT */
/* bench_queue.h - what a queue is asked to do in one run. */
#ifndef GIRT_BENCH_QUEUE_H
#define GIRT_BENCH_QUEUE_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum queue_trial {
    QUEUE_RATE,          /* items that arrive */
    QUEUE_STOP_PRODUCER, /* how much slower the others get: one stopped */
    QUEUE_STOP_CONSUMER,
    QUEUE_WORST_WINDOW, /* the median 100 ms beside the worst */
    QUEUE_IDLE,         /* milliseconds of CPU while all poppers wait */
    QUEUE_TRIP          /* there and back through two queues */
} queue_trial;

typedef struct queue_case {
    unsigned producers, consumers;
    size_t capacity;
    size_t batch; /* items a call; 1: one by one */
    bool waits;   /* calls that sleep; else try and try again */
    queue_trial trial;
    double quantile; /* of QUEUE_TRIP */
} queue_case;

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_QUEUE_H */
