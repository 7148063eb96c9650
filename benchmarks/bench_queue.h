/* SPDX-License-Identifier: MIT */
/* bench_queue.h - what a queue is asked to do in one run. */
#ifndef GIRT_BENCH_QUEUE_H
#define GIRT_BENCH_QUEUE_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct queue_case {
    unsigned producers, consumers;
    size_t capacity;
    size_t batch; /* items a call; 1: one by one */
    bool waits;   /* calls that sleep; else try and try again */
} queue_case;

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_QUEUE_H */
