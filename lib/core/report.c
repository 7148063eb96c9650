/* SPDX-License-Identifier: MIT */
/* report.c - attaching objects to a registry that core does not know. */
#include "core/report.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/durations.h"
#include "core/epoch_internal.h"

girt_status girt__report_attach(struct girt_metrics *metrics,
                                girt__source *source)
{
    source->reporter = (girt__reporter *)(void *)metrics;
    source->next = source->previous = NULL;
    return source->reporter->ops->attach(source->reporter, source);
}

void girt__report_detach(girt__source *source)
{
    source->reporter->ops->detach(source->reporter, source);
}

/* ---- what no object owns ----------------------------------------------- */

static const girt__series process_series[] = {
    {"girt_epoch_backlog", GIRT__SERIES_GAUGE, NULL,
     "Blocks of this process that wait for readers before they are released."},
};

static void collect_process(void *object, girt__sink *sink)
{
    (void)object;
    girt__sink_gauge(sink, &process_series[0], NULL,
                     (double)girt__epoch_backlog());
}

void girt__process_source(girt__source *source)
{
    *source = (girt__source){
        .part = "process",
        .series = process_series,
        .series_count = sizeof process_series / sizeof process_series[0],
        .collect = collect_process,
    };
}

/* ---- for objects ------------------------------------------------------- */

static void fill_source(girt__source *source, const girt__report_plan *plan)
{
    girt_assert(plan->name != NULL && strlen(plan->name) <= GIRT__NAME_MAX);
    source->part = plan->part;
    memcpy(source->name, plan->name, strlen(plan->name) + 1);
    source->series = plan->series;
    source->series_count = plan->series_count;
    source->object = plan->object;
    source->collect = plan->collect;
}

static void release(girt__report *report)
{
    girt_allocator const allocator = report->allocator;
    girt__release(&allocator, report->durations,
                  report->durations_count * sizeof *report->durations);
    girt__tally_destroy(&report->tally, &allocator);
    girt__release(&allocator, report, sizeof *report);
}

/* NULL: out of memory. */
static girt__report *make(const girt__report_plan *plan)
{
    girt__report *const report =
        girt__allocate_zeroed(plan->allocator, sizeof *report, 0);
    if (report == NULL)
        return NULL;
    report->allocator = *plan->allocator;
    if (plan->counters != 0 && girt__tally_init(&report->tally, plan->counters,
                                                plan->allocator) != GIRT_OK)
        goto fail;
    report->durations_count = plan->durations;
    if (plan->durations != 0) {
        report->durations = girt__allocate_zeroed(
            plan->allocator, plan->durations * sizeof *report->durations,
            _Alignof(girt__durations));
        if (report->durations == NULL)
            goto fail;
    }
    fill_source(&report->source, plan);
    return report;

fail:
    release(report);
    return NULL;
}

girt_status girt__report_create(girt__report **out,
                                const girt__report_plan *plan)
{
    *out = NULL;
    if (plan->metrics == NULL)
        return GIRT_OK;
    girt__report *const report = make(plan);
    if (report == NULL)
        return GIRT_E_NOMEM;
    *out = report;
    girt_status const status =
        girt__report_attach(plan->metrics, &report->source);
    if (status != GIRT_OK) {
        *out = NULL;
        release(report);
    }
    return status;
}

void girt__report_destroy(girt__report *report)
{
    if (report == NULL)
        return;
    girt__report_detach(&report->source);
    release(report);
}

void girt__report_add(const girt__report *report, size_t which, uint64_t amount)
{
    girt__tally_add(&report->tally, which, amount);
}
