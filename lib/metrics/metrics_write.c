/* SPDX-License-Identifier: MIT */
/* metrics_write.c - a scrape: every metric once, in one of two formats.
 *
 * The registry's own are read from the arena's lists without its mutex; what
 * objects say was collected before, so that no lock is held while the text goes
 * out. A histogram is read once and written from that reading, so that its
 * buckets, +Inf and _count agree (I1). */
#include <girt/metrics.h>

#include "core/assert.h"
#include "metrics/metrics_internal.h"

/* ---- lines -------------------------------------------------------------- */

static void add_line_head(girt__text *text, const char *what,
                          girt_metrics_format format, girt__metric_kind kind,
                          const char *name, size_t name_size)
{
    girt__text_put(text, what);
    girt__text_add(text, name, name_size);
    /* OpenMetrics names the metric, Prometheus text the sample. */
    if (kind == GIRT__METRIC_COUNTER && format == GIRT_PROMETHEUS_TEXT)
        girt__text_put(text, "_total");
    girt__text_put(text, " ");
}

void girt__write_head(girt__text *text, girt_metrics_format format,
                      girt__metric_kind kind, const char *name,
                      size_t name_size, const char *help, size_t help_size)
{
    static const char *const kinds[] = {
        [GIRT__METRIC_COUNTER] = "counter\n",
        [GIRT__METRIC_GAUGE] = "gauge\n",
        [GIRT__METRIC_HISTOGRAM] = "histogram\n",
    };
    if (help_size != 0) {
        add_line_head(text, "# HELP ", format, kind, name, name_size);
        girt__text_add_help(text, format, help, help_size);
        girt__text_put(text, "\n");
    }
    add_line_head(text, "# TYPE ", format, kind, name, name_size);
    girt__text_put(text, kinds[kind]);
}

void girt__write_sample(girt__text *text, const char *name, size_t name_size,
                        const char *ending, const char *labels,
                        size_t labels_size)
{
    girt__text_add(text, name, name_size);
    girt__text_put(text, ending);
    if (labels_size != 0) {
        girt__text_put(text, "{");
        girt__text_add(text, labels, labels_size);
        girt__text_put(text, "}");
    }
    girt__text_put(text, " ");
}

static void begin_bucket(girt__text *text, const char *name, size_t name_size,
                         const char *labels, size_t labels_size)
{
    girt__text_add(text, name, name_size);
    girt__text_put(text, "_bucket{");
    girt__text_add(text, labels, labels_size);
    girt__text_put(text, labels_size == 0 ? "le=\"" : ",le=\"");
}

void girt__write_bucket(girt__text *text, girt_metrics_format format,
                        const char *name, size_t name_size, const char *labels,
                        size_t labels_size, uint64_t bound, uint64_t cumulative)
{
    begin_bucket(text, name, name_size, labels, labels_size);
    girt__text_add_u64(text, bound);
    /* OpenMetrics wants a bound to look like a float. */
    girt__text_put(text, format == GIRT_OPENMETRICS_TEXT ? ".0\"} " : "\"} ");
    girt__text_add_u64(text, cumulative);
    girt__text_put(text, "\n");
}

void girt__write_histogram_end(girt__text *text, const char *name,
                               size_t name_size, const char *labels,
                               size_t labels_size, uint64_t total, uint64_t sum)
{
    begin_bucket(text, name, name_size, labels, labels_size);
    girt__text_put(text, "+Inf\"} ");
    girt__text_add_u64(text, total);
    girt__text_put(text, "\n");
    girt__write_sample(text, name, name_size, "_sum", labels, labels_size);
    girt__text_add_u64(text, sum);
    girt__text_put(text, "\n");
    girt__write_sample(text, name, name_size, "_count", labels, labels_size);
    girt__text_add_u64(text, total);
    girt__text_put(text, "\n");
}

/* ---- the registry's own ------------------------------------------------- */

static uint64_t sum_cells(const girt__series_view *series)
{
    return girt__tally_sum(
        &(girt__tally){.words = series->cells, .stride = GIRT__TALLY_STEP}, 0);
}

static void write_histogram(girt__text *text, girt_metrics_format format,
                            const girt__family_view *family,
                            const girt__series_view *series)
{
    girt__histogram_read read;
    girt__histogram_read_cells(series, &read);
    for (size_t i = 0; i < GIRT__BOUNDS; i++)
        girt__write_bucket(text, format, family->name, family->name_size,
                           series->labels, series->labels_size,
                           UINT64_C(1) << i, read.cumulative[i]);
    girt__write_histogram_end(text, family->name, family->name_size,
                              series->labels, series->labels_size, read.total,
                              read.sum);
}

static void write_series(girt__text *text, girt_metrics_format format,
                         const girt__family_view *family,
                         const girt__series_view *series)
{
    if (family->kind == GIRT__METRIC_HISTOGRAM) {
        write_histogram(text, format, family, series);
        return;
    }
    bool const counts = family->kind == GIRT__METRIC_COUNTER;
    girt__write_sample(text, family->name, family->name_size,
                       counts ? "_total" : "", series->labels,
                       series->labels_size);
    if (counts)
        girt__text_add_u64(text, sum_cells(series));
    else
        girt__text_add_double(text, girt__gauge_of(series->cells));
    girt__text_put(text, "\n");
}

static girt_status write_family(const girt_metrics *metrics, girt__text *text,
                                girt_metrics_format format,
                                const girt__family_view *family)
{
    girt__write_head(text, format, family->kind, family->name,
                     family->name_size, family->help, family->help_size);
    const uint64_t *link = &family->node->series;
    /* One more than the limit: the series of all others. */
    for (size_t i = 0; i <= GIRT_METRICS_SERIES_MAX; i++) {
        girt__series_view series;
        girt_status const status =
            girt__series_at(&metrics->arena, family->kind, link, &series);
        if (status != GIRT_OK)
            return status == GIRT_EMPTY ? GIRT_OK : status;
        write_series(text, format, family, &series);
        if (text->status != GIRT_OK)
            return text->status;
        link = &series.node->next;
    }
    return GIRT_OK;
}

static girt_status write_own(const girt_metrics *metrics, girt__text *text,
                             girt_metrics_format format)
{
    const uint64_t *link = &girt__arena_head(&metrics->arena)->families;
    for (size_t i = 0; i < GIRT_METRICS_MAX; i++) {
        girt__family_view family;
        girt_status status = girt__family_at(&metrics->arena, link, &family);
        if (status != GIRT_OK)
            return status == GIRT_EMPTY ? GIRT_OK : status;
        status = write_family(metrics, text, format, &family);
        if (status != GIRT_OK)
            return status;
        link = &family.node->next;
    }
    return GIRT_OK;
}

girt_status girt_metrics_write(
    girt_metrics *metrics, girt_metrics_format format,
    bool (*write)(void *context, const char *text, size_t size), void *context)
{
    if (metrics == NULL || write == NULL ||
        (format != GIRT_PROMETHEUS_TEXT && format != GIRT_OPENMETRICS_TEXT))
        return GIRT_E_INVALID;
    girt__source_texts *sources;
    girt_status status = girt__sources_collect(metrics, format, &sources);
    if (status != GIRT_OK)
        return status;
    char buffer[GIRT__PIECE_BYTES];
    girt__text text;
    girt__text_begin(&text, buffer, write, context);
    status = write_own(metrics, &text, format);
    if (status == GIRT_OK) {
        girt__sources_write(sources, &text);
        if (format == GIRT_OPENMETRICS_TEXT)
            girt__text_put(&text, "# EOF\n");
    }
    girt__sources_release(sources);
    girt_status const ended = girt__text_end(&text);
    return status == GIRT_OK ? ended : status;
}

/* ---- the whole, checked ------------------------------------------------- */

static size_t count_series(const girt_metrics *metrics,
                           const girt__family_view *family)
{
    size_t count = 0;
    const uint64_t *link = &family->node->series;
    girt__series_view series;
    while (girt__series_at(&metrics->arena, family->kind, link, &series) ==
           GIRT_OK) {
        count++;
        link = &series.node->next;
    }
    return count;
}

bool girt__metrics_is_valid(girt_metrics *metrics)
{
    size_t series = 0;
    const uint64_t *link = &girt__arena_head(&metrics->arena)->families;
    girt__family_view family;
    girt_status status;
    while ((status = girt__family_at(&metrics->arena, link, &family)) ==
           GIRT_OK) {
        size_t const count = count_series(metrics, &family);
        if (count == 0 || count > GIRT_METRICS_SERIES_MAX + 1)
            return false;
        series += count;
        link = &family.node->next;
    }
    return status == GIRT_EMPTY &&
           (metrics->arena.shared || series == metrics->handle_count);
}
