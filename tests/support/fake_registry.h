/* SPDX-License-Identifier: MIT */
/* fake_registry.h - what objects report to, without the part that serves it.
 *
 *   fake_registry r;
 *   fake_registry_init(&r);
 *   girt_map_create(&map, &(girt_map_options){.name = "users",
 *                                             .metrics = fake_metrics(&r)});
 *   fake_registry_scrape(&r);
 *   assert_true(fake_value(&r, "girt_map_entries", "users", NULL) == 0);
 *
 * It holds objects to the seam: a sample is of a series of their own table,
 * its kind is right, it has a label value where the series has a label, and
 * none is given twice. */
#ifndef GIRT_TESTS_FAKE_REGISTRY_H
#define GIRT_TESTS_FAKE_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/report.h"

typedef struct fake_sample {
    const girt__series *series;
    char name[GIRT__NAME_MAX + 1]; /* the object's */
    char *label_value;             /* or NULL */
    double value;                  /* of a histogram: its total */
    double sum;                    /* of a histogram */
} fake_sample;

typedef struct fake_registry {
    girt__reporter reporter; /* first, as in girt_metrics */
    pthread_mutex_t mutex;
    girt__source *first;
    size_t attached;
    girt_status answer; /* of attach: GIRT_OK, or what it fails with */
    size_t scrapes;
    fake_sample *samples; /* of the last scrape */
    size_t sample_count, sample_room;
    bool check_twice; /* the search is quadratic: on, but not for thousands */
} fake_registry;

void fake_registry_init(fake_registry *registry);
/* Fails the test when an object is still attached. */
void fake_registry_end(fake_registry *registry);

static inline struct girt_metrics *fake_metrics(fake_registry *registry)
{
    return (struct girt_metrics *)(void *)registry;
}

/* Calls every object's collect, the process's source as well. */
void fake_registry_scrape(fake_registry *registry);

/* The sample of the last scrape; NULL: there is none. */
const fake_sample *fake_find(const fake_registry *registry, const char *series,
                             const char *name, const char *label_value);
/* Its value; fails the test when there is none. */
double fake_value(const fake_registry *registry, const char *series,
                  const char *name, const char *label_value);

#endif /* GIRT_TESTS_FAKE_REGISTRY_H */
