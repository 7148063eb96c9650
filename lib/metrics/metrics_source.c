/* SPDX-License-Identifier: MIT */
/* metrics_source.c - objects that report themselves: attached and detached.
 *
 * I1: `families` are the metrics of the attached objects, each once, and none
 *     clashes with another or with one of the arena. */
#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/utf8.h"
#include "metrics/metrics_internal.h"

/* ---- their metrics ------------------------------------------------------ */

girt_status girt__sources_clash(const girt_metrics *metrics,
                                girt__metric_kind kind, const char *name,
                                size_t name_size)
{
    for (const girt__source_family *f = metrics->families; f != NULL;
         f = f->next) {
        if (girt__metrics_clash(kind, name, name_size,
                                girt__source_kind(f->series), f->series->name,
                                girt__source_base(f->series)))
            return GIRT_E_INVALID;
    }
    return GIRT_OK;
}

static bool same_label(const girt__series *a, const girt__series *b)
{
    if (a->label == NULL || b->label == NULL)
        return a->label == b->label;
    return strcmp(a->label, b->label) == 0;
}

static girt_status join_family(girt_metrics *metrics,
                               const girt__series *series)
{
    for (girt__source_family *f = metrics->families; f != NULL; f = f->next) {
        if (strcmp(f->series->name, series->name) != 0)
            continue;
        if (f->series->kind != series->kind || !same_label(f->series, series))
            return GIRT_E_INVALID;
        f->sources++;
        return GIRT_OK;
    }
    girt__metric_kind const kind = girt__source_kind(series);
    size_t const base = girt__source_base(series);
    girt_status status = girt__sources_clash(metrics, kind, series->name, base);
    if (status == GIRT_OK)
        status = girt__series_clash(&metrics->arena, kind, series->name, base);
    if (status != GIRT_OK)
        return status;
    girt__source_family *const family =
        girt__allocate_zeroed(&metrics->allocator, sizeof *family, 0);
    if (family == NULL)
        return GIRT_E_NOMEM;
    family->series = series;
    family->sources = 1;
    if (metrics->last_family == NULL)
        metrics->families = family;
    else
        metrics->last_family->next = family;
    metrics->last_family = family;
    metrics->family_count++;
    return GIRT_OK;
}

static void leave_family(girt_metrics *metrics, const girt__series *series)
{
    girt__source_family *before = NULL, *family = metrics->families;
    while (strcmp(family->series->name, series->name) != 0) {
        before = family;
        family = family->next;
    }
    if (--family->sources != 0)
        return;
    if (before == NULL)
        metrics->families = family->next;
    else
        before->next = family->next;
    if (metrics->last_family == family)
        metrics->last_family = before;
    metrics->family_count--;
    girt__release(&metrics->allocator, family, sizeof *family);
}

static void leave_families(girt_metrics *metrics, const girt__source *source,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        leave_family(metrics, &source->series[i]);
}

static girt_status join_families(girt_metrics *metrics,
                                 const girt__source *source)
{
    for (size_t i = 0; i < source->series_count; i++) {
        girt_status const status = join_family(metrics, &source->series[i]);
        if (status != GIRT_OK) {
            leave_families(metrics, source, i);
            return status;
        }
    }
    return GIRT_OK;
}

/* ---- attach and detach -------------------------------------------------- */

static girt_status attach_locked(girt_metrics *metrics, girt__source *source)
{
    for (const girt__source *s = metrics->first_source; s != NULL;
         s = s->next) {
        if (strcmp(s->part, source->part) == 0 &&
            strcmp(s->name, source->name) == 0)
            return GIRT_E_BUSY;
    }
    bool const first = metrics->first_source == NULL;
    girt_status status =
        first ? join_families(metrics, &metrics->process) : GIRT_OK;
    if (status != GIRT_OK)
        return status;
    status = join_families(metrics, source);
    if (status != GIRT_OK) {
        if (first)
            leave_families(metrics, &metrics->process,
                           metrics->process.series_count);
        return status;
    }
    source->next = NULL;
    source->previous = metrics->last_source;
    if (metrics->last_source == NULL)
        metrics->first_source = source;
    else
        metrics->last_source->next = source;
    metrics->last_source = source;
    return GIRT_OK;
}

static girt_status attach(girt__reporter *reporter, girt__source *source)
{
    girt_metrics *const metrics = (girt_metrics *)(void *)reporter;
    if (!girt__utf8_is_valid(source->name, strlen(source->name)))
        return GIRT_E_INVALID;
    (void)girt__thread_index();
    (void)pthread_mutex_lock(&metrics->mutex);
    girt_status const status = attach_locked(metrics, source);
    (void)pthread_mutex_unlock(&metrics->mutex);
    return status;
}

static void detach(girt__reporter *reporter, girt__source *source)
{
    girt_metrics *const metrics = (girt_metrics *)(void *)reporter;
    (void)girt__thread_index();
    (void)pthread_mutex_lock(&metrics->mutex);
    if (source->previous == NULL)
        metrics->first_source = source->next;
    else
        source->previous->next = source->next;
    if (source->next == NULL)
        metrics->last_source = source->previous;
    else
        source->next->previous = source->previous;
    leave_families(metrics, source, source->series_count);
    if (metrics->first_source == NULL)
        leave_families(metrics, &metrics->process,
                       metrics->process.series_count);
    (void)pthread_mutex_unlock(&metrics->mutex);
}

const girt__reporter_ops girt__metrics_reporter = {attach, detach};
