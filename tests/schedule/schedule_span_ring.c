/* SPDX-License-Identifier: MIT */
/* Goal: what a reader takes from a ring is a record that was pushed, whole, and
 * the writer never waits.  Method: one writer laps a small ring while a reader
 * looks at every place, under many schedules with delayed stores; the reader is
 * stopped at each of its steps while the writer finishes. */
#include <stdlib.h>

#include "core/alloc_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "trace/span_ring.h"

enum { CAPACITY = 2, RECORDS = 5 };

static girt__span_ring *ring;
static girt_allocator allocator;

/* Every word that travels says the number. */
static girt__span_record numbered(uint64_t n)
{
    return (girt__span_record){.trace = {n, n},
                               .id = n,
                               .parent = n,
                               .start = (int64_t)n,
                               .end = (int64_t)n};
}

static void setup(void *context)
{
    (void)context;
    if (girt__allocator_resolve(&allocator, NULL) != GIRT_OK)
        abort();
    ring = girt__span_ring_create(CAPACITY, &allocator);
    if (ring == NULL)
        abort();
}

static void look(void)
{
    uint64_t const head = girt__span_ring_head(ring);
    uint64_t const first = head > CAPACITY ? head - CAPACITY : 0;
    for (uint64_t n = first; n < head; n++) {
        girt__span_record record;
        if (!girt__span_ring_read(ring, n, &record))
            continue;
        schedule_check(record.trace[0] == n && record.trace[1] == n &&
                           record.id == n && record.parent == n &&
                           record.start == (int64_t)n &&
                           record.end == (int64_t)n,
                       "a record of two");
    }
}

static void body(void *context, size_t thread)
{
    (void)context;
    if (thread == 0) {
        for (uint64_t n = 0; n < RECORDS; n++) {
            girt__span_record const record = numbered(n);
            girt__span_ring_push(ring, &record);
        }
    } else {
        look();
        look();
    }
}

static void check(void *context)
{
    (void)context;
    girt__span_record record;
    for (uint64_t n = 0; n < RECORDS; n++)
        schedule_check(girt__span_ring_read(ring, n, &record) ==
                           (n >= RECORDS - CAPACITY),
                       "the last ones are there");
    girt__span_ring_destroy(ring, &allocator);
}

static void records_are_whole(void **state)
{
    (void)state;
    schedule const s = {.name = "span ring",
                        .threads = 2,
                        .runs = 20000,
                        .stopped_threads = 2,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 5000};
    schedule_must_pass(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
