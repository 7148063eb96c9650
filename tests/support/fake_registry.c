/* SPDX-License-Identifier: MIT */
/* fake_registry.c - a list, a mutex, and the samples of the last scrape. */
#include "support/fake_registry.h"

#include "support/check.h"

typedef struct fake_sink {
    girt__sink sink; /* first */
    fake_registry *registry;
    const girt__source *source;
} fake_sink;

static girt_status attach(girt__reporter *reporter, girt__source *source)
{
    fake_registry *const registry = (fake_registry *)(void *)reporter;
    if (registry->answer != GIRT_OK)
        return registry->answer;
    (void)pthread_mutex_lock(&registry->mutex);
    bool taken = false;
    for (girt__source *s = registry->first; s != NULL; s = s->next)
        taken = taken || (strcmp(s->part, source->part) == 0 &&
                          strcmp(s->name, source->name) == 0);
    if (!taken) {
        source->next = registry->first;
        source->previous = NULL;
        if (registry->first != NULL)
            registry->first->previous = source;
        registry->first = source;
        registry->attached++;
    }
    (void)pthread_mutex_unlock(&registry->mutex);
    return taken ? GIRT_E_BUSY : GIRT_OK;
}

static void detach(girt__reporter *reporter, girt__source *source)
{
    fake_registry *const registry = (fake_registry *)(void *)reporter;
    (void)pthread_mutex_lock(&registry->mutex);
    if (source->previous != NULL)
        source->previous->next = source->next;
    else
        registry->first = source->next;
    if (source->next != NULL)
        source->next->previous = source->previous;
    registry->attached--;
    (void)pthread_mutex_unlock(&registry->mutex);
}

static const girt__reporter_ops ops = {attach, detach};

void fake_registry_init(fake_registry *registry)
{
    *registry = (fake_registry){.reporter = {&ops}, .check_twice = true};
    assert_int_equal(pthread_mutex_init(&registry->mutex, NULL), 0);
}

static void forget_samples(fake_registry *registry)
{
    for (size_t i = 0; i < registry->sample_count; i++)
        free(registry->samples[i].label_value);
    registry->sample_count = 0;
}

void fake_registry_end(fake_registry *registry)
{
    assert_int_equal(registry->attached, 0);
    assert_null(registry->first);
    forget_samples(registry);
    free(registry->samples);
    assert_int_equal(pthread_mutex_destroy(&registry->mutex), 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const fake_sample *fake_find(const fake_registry *registry, const char *series,
                             const char *name, const char *label_value)
{
    for (size_t i = 0; i < registry->sample_count; i++) {
        const fake_sample *const s = &registry->samples[i];
        if (strcmp(s->series->name, series) == 0 &&
            strcmp(s->name, name) == 0 &&
            same_text(s->label_value, label_value))
            return s;
    }
    return NULL;
}

double fake_value(const fake_registry *registry, const char *series,
                  const char *name, const char *label_value)
{
    const fake_sample *const s = fake_find(registry, series, name, label_value);
    if (s == NULL)
        fail_msg("no sample %s{name=%s, %s}", series, name,
                 label_value == NULL ? "-" : label_value);
    return s->value;
}

static void add(girt__sink *sink, const girt__series *series,
                const char *label_value, girt__series_kind kind, double value,
                double sum)
{
    fake_sink *const to = (fake_sink *)(void *)sink;
    fake_registry *const registry = to->registry;
    const girt__source *const source = to->source;
    assert_true(series >= source->series &&
                series < source->series + source->series_count);
    assert_int_equal(series->kind, kind);
    assert_int_equal(series->label != NULL, label_value != NULL);
    if (registry->check_twice)
        assert_null(
            fake_find(registry, series->name, source->name, label_value));
    if (registry->sample_count == registry->sample_room) {
        registry->sample_room = registry->sample_room * 2 + 16;
        registry->samples =
            realloc(registry->samples,
                    registry->sample_room * sizeof *registry->samples);
        assert_non_null(registry->samples);
    }
    fake_sample *const s = &registry->samples[registry->sample_count++];
    *s = (fake_sample){.series = series, .value = value, .sum = sum};
    strcpy(s->name, source->name);
    if (label_value != NULL) {
        s->label_value = strdup(label_value);
        assert_non_null(s->label_value);
    }
}

static void add_counter(girt__sink *sink, const girt__series *series,
                        const char *label_value, uint64_t value)
{
    add(sink, series, label_value, GIRT__SERIES_COUNTER, (double)value, 0);
}

static void add_gauge(girt__sink *sink, const girt__series *series,
                      const char *label_value, double value)
{
    add(sink, series, label_value, GIRT__SERIES_GAUGE, value, 0);
}

static void add_histogram(girt__sink *sink, const girt__series *series,
                          const char *label_value,
                          const girt__histogram_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        assert_true(i == 0 || view->bounds[i - 1] < view->bounds[i]);
        assert_true(i == 0 || view->cumulative[i - 1] <= view->cumulative[i]);
        assert_true(view->cumulative[i] <= view->total);
    }
    add(sink, series, label_value, GIRT__SERIES_HISTOGRAM, (double)view->total,
        (double)view->sum);
}

void fake_registry_scrape(fake_registry *registry)
{
    girt__source process;
    girt__process_source(&process);
    fake_sink sink = {{add_counter, add_gauge, add_histogram}, registry, NULL};
    (void)pthread_mutex_lock(&registry->mutex);
    forget_samples(registry);
    for (girt__source *s = registry->first; s != NULL; s = s->next) {
        sink.source = s;
        s->collect(s->object, &sink.sink);
    }
    sink.source = &process;
    process.collect(process.object, &sink.sink);
    registry->scrapes++;
    (void)pthread_mutex_unlock(&registry->mutex);
}
