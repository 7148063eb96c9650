/* SPDX-License-Identifier: MIT */
/* estimate.h - how a sample moves a limit: arithmetic alone, one thread. */
#ifndef GIRT_GUARD_ESTIMATE_H
#define GIRT_GUARD_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include <girt/concurrency.h>

/* A call that ended. */
typedef struct girt__sample {
    double took_ns;      /* above 0; of no meaning when dropped */
    uint64_t on_the_way; /* when it began, itself included */
    bool dropped;
} girt__sample;

typedef struct girt__estimate {
    girt_concurrency_kind kind;
    double limit, min, max;
    /* Vegas: 1 and false unless a test says otherwise. */
    double smoothing;
    bool halves;
    double least_ns; /* 0: none seen */
    double samples, samples_max;
    uint64_t random;
    /* Gradient2. */
    double long_ns;
    unsigned warm_ups;
} girt__estimate;

void girt__estimate_init(girt__estimate *e, girt_concurrency_kind kind,
                         uint64_t initial, uint64_t min, uint64_t max,
                         uint64_t random);
void girt__estimate_add(girt__estimate *e, const girt__sample *sample);

#endif /* GIRT_GUARD_ESTIMATE_H */
