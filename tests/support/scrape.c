/* SPDX-License-Identifier: MIT */
/* scrape.c - reading back what a registry wrote; see scrape.h. */
#include "support/scrape.h"

#include "support/check.h"

/* ---- taking ------------------------------------------------------------- */

static bool keep(void *context, const char *text, size_t size)
{
    scrape *const s = context;
    assert_true(size > 0 && size <= 4096);
    s->text = realloc(s->text, s->size + size + 1);
    assert_non_null(s->text);
    memcpy(s->text + s->size, text, size);
    s->size += size;
    s->text[s->size] = '\0';
    s->pieces++;
    return true;
}

void scrape_take(scrape *s, girt_metrics *metrics, girt_metrics_format format)
{
    *s = (scrape){.text = calloc(1, 1)};
    assert_non_null(s->text);
    check_status(girt_metrics_write(metrics, format, keep, s), GIRT_OK);
    assert_int_equal(strlen(s->text), s->size);
    scrape_check(s, format);
}

void scrape_free(scrape *s)
{
    free(s->text);
}

/* The next line of *at, its end cut to a terminator in `line`; false: no
 * more. */
static bool next_line(const char **at, char **line)
{
    static char *buffer;
    static size_t room;
    if (**at == '\0')
        return false;
    const size_t size = strcspn(*at, "\n");
    assert_true((*at)[size] == '\n');
    if (size >= room) {
        room = 2 * size + 1;
        buffer = realloc(buffer, room);
        assert_non_null(buffer);
    }
    memcpy(buffer, *at, size);
    buffer[size] = '\0';
    *line = buffer;
    *at += size + 1;
    return true;
}

const char *scrape_value(const scrape *s, const char *sample)
{
    const size_t size = strlen(sample);
    const char *at = s->text;
    char *line;
    while (next_line(&at, &line)) {
        if (strncmp(line, sample, size) == 0 && line[size] == ' ')
            return line + size + 1;
    }
    return NULL;
}

bool scrape_has_line(const scrape *s, const char *wanted)
{
    const char *at = s->text;
    char *line;
    while (next_line(&at, &line)) {
        if (strcmp(line, wanted) == 0)
            return true;
    }
    return false;
}

size_t scrape_count(const scrape *s, const char *part)
{
    size_t count = 0;
    for (const char *at = s->text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* ---- checking ----------------------------------------------------------- */

typedef struct reader {
    girt_metrics_format format;
    char family[300]; /* of the TYPE line above */
    char kind[16];
    char bucket[70000]; /* name and labels but le of the buckets above */
    uint64_t cumulative;
    double bound;
    bool in_buckets, at_infinity;
    char **names; /* of all TYPE lines */
    size_t name_count;
    char **samples; /* of this family, and all */
    size_t sample_count, sample_room;
} reader;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_type(reader *r, const char *line)
{
    assert_false(r->in_buckets);
    assert_int_equal(sscanf(line, "# TYPE %299s %15s", r->family, r->kind), 2);
    for (size_t i = 0; i < r->name_count; i++)
        assert_string_not_equal(r->names[i], r->family);
    r->names = realloc(r->names, (r->name_count + 1) * sizeof(char *));
    r->names[r->name_count++] = strdup(r->family);
}

/* Past the label set that begins at the brace. */
static const char *skip_labels(const char *at)
{
    assert_true(*at == '{');
    bool quoted = false;
    for (at++; *at != '}' || quoted; at++) {
        assert_true(*at != '\0');
        if (*at == '\\') {
            at++;
            assert_true(*at == '\\' || *at == '"' || *at == 'n');
        } else if (*at == '"') {
            quoted = !quoted;
        }
    }
    return at + 1;
}

/* The name without what its kind adds is the family's. */
static const char *check_family(const reader *r, const char *line)
{
    const size_t name = strcspn(line, "{ ");
    const size_t family = strlen(r->family);
    assert_true(name >= family && memcmp(line, r->family, family) == 0);
    static char ending[16];
    assert_true(name - family < sizeof ending);
    memcpy(ending, line + family, name - family);
    ending[name - family] = '\0';
    if (strcmp(r->kind, "histogram") == 0)
        assert_true(strcmp(ending, "_bucket") == 0 ||
                    strcmp(ending, "_sum") == 0 ||
                    strcmp(ending, "_count") == 0);
    else if (strcmp(r->kind, "counter") == 0 &&
             r->format == GIRT_OPENMETRICS_TEXT)
        assert_string_equal(ending, "_total");
    else
        assert_string_equal(ending, "");
    if (strcmp(r->kind, "counter") == 0)
        assert_true(memcmp(line + name - 6, "_total", 6) == 0);
    return ending;
}

static void check_bucket(reader *r, const char *line, const char *value)
{
    char *le = strstr(line, "le=\"");
    for (char *more = le; more != NULL; more = strstr(more + 1, "le=\""))
        le = more; /* it stands last */
    assert_non_null(le);
    char base[sizeof r->bucket];
    assert_true((size_t)(le - line) < sizeof base);
    memcpy(base, line, (size_t)(le - line));
    base[le - line] = '\0';
    const double bound = strncmp(le + 4, "+Inf", 4) == 0 ? __builtin_inf()
                                                         : strtod(le + 4, NULL);
    const uint64_t count = strtoull(value, NULL, 10);
    if (r->in_buckets) {
        assert_string_equal(base, r->bucket);
        assert_true(bound > r->bound);
        assert_true(count >= r->cumulative);
    }
    strcpy(r->bucket, base);
    r->bound = bound;
    r->cumulative = count;
    r->in_buckets = true;
    r->at_infinity = bound > 1e300;
}

static void check_sample(reader *r, const char *line)
{
    const char *const ending = check_family(r, line);
    const char *at = line + strcspn(line, "{ ");
    if (*at == '{')
        at = skip_labels(at);
    assert_true(*at == ' ');
    const char *const value = at + 1;
    char *end;
    (void)strtod(value, &end);
    assert_true(end != value && *end == '\0');
    if (r->sample_count == r->sample_room) {
        r->sample_room = 2 * r->sample_room + 64;
        r->samples = realloc(r->samples, r->sample_room * sizeof(char *));
    }
    r->samples[r->sample_count++] = strndup(line, (size_t)(at - line));
    if (strcmp(ending, "_bucket") == 0) {
        check_bucket(r, line, value);
    } else if (strcmp(ending, "_sum") == 0) {
        assert_true(r->in_buckets && r->at_infinity);
    } else if (strcmp(ending, "_count") == 0) {
        assert_true(r->in_buckets && r->at_infinity);
        assert_true(strtoull(value, NULL, 10) == r->cumulative);
        r->in_buckets = false;
    }
}

void scrape_check(const scrape *s, girt_metrics_format format)
{
    static reader r;
    r = (reader){.format = format};
    const char *at = s->text;
    char *line;
    bool ended = false;
    while (next_line(&at, &line)) {
        assert_false(ended);
        if (strcmp(line, "# EOF") == 0)
            ended = true;
        else if (strncmp(line, "# TYPE ", 7) == 0)
            check_type(&r, line);
        else if (strncmp(line, "# HELP ", 7) != 0)
            check_sample(&r, line);
    }
    assert_false(r.in_buckets);
    assert_int_equal(ended, format == GIRT_OPENMETRICS_TEXT);
    if (r.sample_count != 0)
        qsort(r.samples, r.sample_count, sizeof *r.samples, by_text);
    for (size_t i = 1; i < r.sample_count; i++)
        assert_string_not_equal(r.samples[i - 1], r.samples[i]);
    for (size_t i = 0; i < r.sample_count; i++)
        free(r.samples[i]);
    for (size_t i = 0; i < r.name_count; i++)
        free(r.names[i]);
    free(r.samples);
    free(r.names);
}
