/* SPDX-License-Identifier: MIT */
/* metrics_collect.c - asking the objects of a registry what they have to say.
 *
 * A scrape asks every object once, under the mutex, and keeps what it says as
 * text, a text a metric; the mutex is free again before any of it goes out. So
 * an object's numbers are of one instant, its end waits for a scrape's asking
 * but not for its writing, and memory is bounded by the limit of series a
 * metric. */
#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "metrics/metrics_internal.h"

/* Samples beyond the limit of series, added up. Of histograms those with the
 * bounds of the first; the others are in total and sum. */
typedef struct beyond {
    uint64_t counter;
    double gauge;
    uint64_t total, sum;
    size_t bounds_count;
    uint64_t bounds[64], cumulative[64];
} beyond;

typedef struct metric_text {
    const girt__series *series;
    size_t name_size; /* of its base */
    girt__text text;
    uint64_t samples;
    beyond *beyond; /* NULL: none */
} metric_text;

struct girt__source_texts {
    girt_allocator allocator;
    girt_metrics *metrics;
    size_t count;
    metric_text metrics_texts[];
};

typedef struct collector {
    girt__sink sink; /* first: collect is given it */
    girt__source_texts *texts;
    girt_metrics_format format;
    uint64_t series_max;
    const girt__source *source;
    size_t next; /* where the next sample's metric is looked for first */
    girt__text labels;
} collector;

static metric_text *find_text(collector *c, const girt__series *series)
{
    girt__source_texts *const texts = c->texts;
    for (size_t i = 0; i < texts->count; i++) {
        size_t const at = (c->next + i) % texts->count;
        metric_text *const found = &texts->metrics_texts[at];
        if (found->series == series ||
            strcmp(found->series->name, series->name) == 0) {
            c->next = at;
            return found;
        }
    }
    return NULL;
}

static void put_labels(collector *c, const girt__series *series,
                       const char *label_value)
{
    c->labels.used = 0;
    const char *comma = "";
    if (c->source->name[0] != '\0') {
        girt__text_put(&c->labels, "name=\"");
        girt__text_add_label(&c->labels, c->source->name,
                             strlen(c->source->name));
        girt__text_put(&c->labels, "\"");
        comma = ",";
    }
    if (series->label != NULL && label_value != NULL) {
        girt__text_put(&c->labels, comma);
        girt__text_put(&c->labels, series->label);
        girt__text_put(&c->labels, "=\"");
        girt__text_add_label(&c->labels, label_value, strlen(label_value));
        girt__text_put(&c->labels, "\"");
    }
}

/* The text that the sample belongs to, with its labels ready; NULL: it goes to
 * *more, or nowhere if there is no memory. */
static metric_text *begin_sample(girt__sink *sink, const girt__series *series,
                                 const char *label_value, beyond **more)
{
    collector *const c = (collector *)(void *)sink;
    *more = NULL;
    metric_text *const m = find_text(c, series);
    girt_assert(m != NULL);
    if (m == NULL)
        return NULL;
    if (m->samples < c->series_max) {
        m->samples++;
        put_labels(c, series, label_value);
        if (c->labels.status != GIRT_OK)
            m->text.status = c->labels.status;
        return m;
    }
    if (m->beyond == NULL)
        m->beyond =
            girt__allocate_zeroed(&c->texts->allocator, sizeof(beyond), 0);
    if (m->beyond == NULL)
        m->text.status = GIRT_E_NOMEM;
    *more = m->beyond;
    return NULL;
}

static void put_number(metric_text *m, const char *labels, size_t labels_size,
                       const uint64_t *counter, const double *gauge)
{
    girt__write_sample(&m->text, m->series->name, m->name_size,
                       counter != NULL ? "_total" : "", labels, labels_size);
    if (counter != NULL)
        girt__text_add_u64(&m->text, *counter);
    else
        girt__text_add_double(&m->text, *gauge);
    girt__text_put(&m->text, "\n");
}

static void sink_counter(girt__sink *sink, const girt__series *series,
                         const char *label_value, uint64_t value)
{
    beyond *more;
    metric_text *const m = begin_sample(sink, series, label_value, &more);
    const girt__text *const labels = &((collector *)(void *)sink)->labels;
    if (m != NULL)
        put_number(m, labels->data, labels->used, &value, NULL);
    else if (more != NULL)
        more->counter += value;
}

static void sink_gauge(girt__sink *sink, const girt__series *series,
                       const char *label_value, double value)
{
    beyond *more;
    metric_text *const m = begin_sample(sink, series, label_value, &more);
    const girt__text *const labels = &((collector *)(void *)sink)->labels;
    if (m != NULL)
        put_number(m, labels->data, labels->used, NULL, &value);
    else if (more != NULL)
        more->gauge += value;
}

static void put_histogram(metric_text *m, girt_metrics_format format,
                          const char *labels, size_t labels_size,
                          const girt__histogram_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        girt__write_bucket(&m->text, format, m->series->name, m->name_size,
                           labels, labels_size, view->bounds[i],
                           view->cumulative[i]);
    girt__write_histogram_end(&m->text, m->series->name, m->name_size, labels,
                              labels_size, view->total, view->sum);
}

static void add_histogram(beyond *more, const girt__histogram_view *view)
{
    size_t const most = sizeof more->bounds / sizeof *more->bounds;
    if (more->total == 0 && more->bounds_count == 0 && view->count <= most) {
        more->bounds_count = view->count;
        memcpy(more->bounds, view->bounds, view->count * sizeof(uint64_t));
    }
    more->total += view->total;
    more->sum += view->sum;
    if (view->count == more->bounds_count &&
        memcmp(view->bounds, more->bounds, view->count * sizeof(uint64_t)) ==
            0) {
        for (size_t i = 0; i < view->count; i++)
            more->cumulative[i] += view->cumulative[i];
    }
}

static void sink_histogram(girt__sink *sink, const girt__series *series,
                           const char *label_value,
                           const girt__histogram_view *view)
{
    beyond *more;
    metric_text *const m = begin_sample(sink, series, label_value, &more);
    const collector *const c = (const collector *)(const void *)sink;
    if (m != NULL)
        put_histogram(m, c->format, c->labels.data, c->labels.used, view);
    else if (more != NULL)
        add_histogram(more, view);
}

static void finish_text(metric_text *m, girt_metrics_format format)
{
    static const char labels[] = GIRT__OVERFLOW_LABELS;
    const beyond *const more = m->beyond;
    if (more == NULL)
        return;
    if (m->series->kind == GIRT__SERIES_HISTOGRAM)
        put_histogram(m, format, labels, sizeof labels - 1,
                      &(girt__histogram_view){more->bounds_count, more->bounds,
                                              more->cumulative, more->total,
                                              more->sum});
    else if (m->series->kind == GIRT__SERIES_COUNTER)
        put_number(m, labels, sizeof labels - 1, &more->counter, NULL);
    else
        put_number(m, labels, sizeof labels - 1, NULL, &more->gauge);
}

static size_t texts_bytes(size_t count)
{
    return sizeof(girt__source_texts) + count * sizeof(metric_text);
}

/* A text for each metric, under the mutex; families are bounded by memory that
 * was had for each. */
static girt__source_texts *make_texts(girt_metrics *metrics,
                                      girt_metrics_format format)
{
    girt__source_texts *const texts = girt__allocate_zeroed(
        &metrics->allocator, texts_bytes(metrics->family_count), 0);
    if (texts == NULL)
        return NULL;
    texts->allocator = metrics->allocator;
    texts->metrics = metrics;
    for (const girt__source_family *f = metrics->families; f != NULL;
         f = f->next) {
        metric_text *const m = &texts->metrics_texts[texts->count++];
        m->series = f->series;
        m->name_size = girt__source_base(f->series);
        girt__text_grow(&m->text, &texts->allocator);
        const char *const help = f->series->help == NULL ? "" : f->series->help;
        girt__write_head(&m->text, format, girt__source_kind(f->series),
                         f->series->name, m->name_size, help, strlen(help));
    }
    return texts;
}

static void ask(collector *c, const girt__source *source)
{
    c->source = source;
    source->collect(source->object, &c->sink);
}

/* Under the mutex. */
static girt_status collect(girt_metrics *metrics, girt_metrics_format format,
                           girt__source_texts **out)
{
    girt__source_texts *const texts = make_texts(metrics, format);
    if (texts == NULL)
        return GIRT_E_NOMEM;
    collector c = {.sink = {sink_counter, sink_gauge, sink_histogram},
                   .texts = texts,
                   .format = format,
                   .series_max = girt__metrics_series_max(metrics)};
    girt__text_grow(&c.labels, &texts->allocator);
    if (metrics->first_source != NULL)
        ask(&c, &metrics->process);
    for (const girt__source *s = metrics->first_source; s != NULL; s = s->next)
        ask(&c, s);
    (void)girt__text_end(&c.labels);
    for (size_t i = 0; i < texts->count; i++) {
        finish_text(&texts->metrics_texts[i], format);
        if (texts->metrics_texts[i].text.status != GIRT_OK) {
            girt__sources_release(texts);
            return GIRT_E_NOMEM;
        }
    }
    *out = texts;
    return GIRT_OK;
}

girt_status girt__sources_collect(girt_metrics *metrics,
                                  girt_metrics_format format,
                                  girt__source_texts **out)
{
    *out = NULL;
    (void)girt__thread_index();
    (void)pthread_mutex_lock(&metrics->mutex);
    girt_status const status =
        metrics->first_source == NULL ? GIRT_OK : collect(metrics, format, out);
    (void)pthread_mutex_unlock(&metrics->mutex);
    return status;
}

void girt__sources_write(const girt__source_texts *texts, girt__text *out)
{
    for (size_t i = 0; texts != NULL && i < texts->count; i++) {
        const metric_text *const m = &texts->metrics_texts[i];
        /* Made meanwhile, after its objects had gone; or by another process,
         * which knows nothing of ours: a metric is written once. */
        if (m->samples == 0 ||
            girt__series_clash(&texts->metrics->arena,
                               girt__source_kind(m->series), m->series->name,
                               m->name_size) != GIRT_OK)
            continue;
        girt__text_add(out, m->text.data, m->text.used);
    }
}

void girt__sources_release(girt__source_texts *texts)
{
    if (texts == NULL)
        return;
    girt_allocator const own = texts->allocator;
    for (size_t i = 0; i < texts->count; i++) {
        (void)girt__text_end(&texts->metrics_texts[i].text);
        girt__release(&own, texts->metrics_texts[i].beyond, sizeof(beyond));
    }
    girt__release(&own, texts, texts_bytes(texts->count));
}
