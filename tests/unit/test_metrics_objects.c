/* SPDX-License-Identifier: MIT */
/* Goal: the table of docs/guide/metrics_objects.md is what objects write, no
 * row more and none less, and others can read it.  Method: one object of each
 * kind, used; the rows compared with the objects' own tables, with the samples
 * of a scrape, and with the text of a real registry, in both formats, which is
 * given to promtool and prometheus_client where they are installed. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <girt/metrics.h>

#include "support/check.h"
#include "support/fake_registry.h"
#include "support/reporting.h"
#include "support/scrape.h"

enum { ROWS_MAX = 200, KINDS_MAX = 32, TURNS = 300 };

/* ---- the guide's table --------------------------------------------------- */

typedef struct row {
    char name[64], kind[16], labels[40], unit[16], meaning[160];
    bool used;
} row;

static row rows[ROWS_MAX];
static size_t row_count;

/* One cell between bars, without the spaces around it. */
static char *next_cell(char **line, char *cell, size_t size)
{
    char *const end = strchr(*line, '|');
    assert_non_null(end);
    char *from = *line, *to = end;
    while (from < to && *from == ' ')
        from++;
    while (from < to && to[-1] == ' ')
        to--;
    assert_true((size_t)(to - from) < size);
    memcpy(cell, from, (size_t)(to - from));
    cell[to - from] = '\0';
    *line = end + 1;
    return cell;
}

static void read_table(void)
{
    FILE *const file =
        fopen(GIRT_TEST_SOURCE "/docs/guide/metrics_objects.md", "r");
    assert_non_null(file);
    char line[512];
    row_count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "| girt_", 7) != 0)
            continue;
        assert_true(row_count < ROWS_MAX);
        row *const r = &rows[row_count++];
        char *at = line + 1;
        (void)next_cell(&at, r->name, sizeof r->name);
        (void)next_cell(&at, r->kind, sizeof r->kind);
        (void)next_cell(&at, r->labels, sizeof r->labels);
        (void)next_cell(&at, r->unit, sizeof r->unit);
        (void)next_cell(&at, r->meaning, sizeof r->meaning);
        r->used = false;
        for (const row *other = rows; other < r; other++)
            assert_string_not_equal(other->name, r->name);
    }
    (void)fclose(file);
}

static row *find_row(const char *name, size_t size)
{
    for (size_t i = 0; i < row_count; i++)
        if (strncmp(rows[i].name, name, size) == 0 &&
            rows[i].name[size] == '\0')
            return &rows[i];
    fail_msg("not in the guide: %.*s", (int)size, name);
    return NULL;
}

static void every_row_was_used(const char *by)
{
    for (size_t i = 0; i < row_count; i++) {
        if (!rows[i].used)
            fail_msg("in the guide, and not of %s: %s", by, rows[i].name);
        rows[i].used = false;
    }
}

/* ---- one object of each kind --------------------------------------------- */

static void *objects[KINDS_MAX];

static void make_all(struct girt_metrics *metrics)
{
    assert_true(reporting_count <= KINDS_MAX);
    for (size_t i = 0; i < reporting_count; i++) {
        check_status(reporting_kinds[i].create(&objects[i], "an \"object\"",
                                               metrics, NULL),
                     GIRT_OK);
        for (uint64_t turn = 0; turn < TURNS; turn++)
            reporting_kinds[i].use(objects[i], turn);
    }
}

static void end_all(void)
{
    for (size_t i = 0; i < reporting_count; i++)
        reporting_kinds[i].destroy(objects[i]);
}

/* ---- tests --------------------------------------------------------------- */

static bool ends_in(const char *text, const char *ending)
{
    size_t const size = strlen(text), tail = strlen(ending);
    return size >= tail && strcmp(text + size - tail, ending) == 0;
}

static void check_series(const girt__source *source, const girt__series *series)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    row *const r = find_row(series->name, strlen(series->name));
    r->used = true;
    assert_string_equal(r->kind, kinds[series->kind]);
    char labels[40];
    (void)snprintf(labels, sizeof labels, "%s%s%s",
                   source->name[0] == '\0' ? "" : "name",
                   series->label == NULL ? "" : ", ",
                   series->label == NULL ? "" : series->label);
    assert_string_equal(r->labels, labels);
    assert_string_equal(r->meaning, series->help);
    assert_true(r->meaning[strlen(r->meaning) - 1] == '.');
    assert_int_equal(series->kind == GIRT__SERIES_COUNTER,
                     ends_in(series->name, "_total"));
    assert_int_equal(strcmp(r->unit, "ns") == 0, ends_in(r->name, "_ns"));
    assert_int_equal(strcmp(r->unit, "bytes") == 0,
                     strstr(r->name, "_bytes") != NULL);
    assert_int_equal(strcmp(r->unit, "ratio") == 0, ends_in(r->name, "_ratio"));
    assert_true(r->unit[0] != '\0');
    /* girt_, the part, and what of it. */
    if (source->name[0] != '\0')
        assert_memory_equal(series->name + 5, source->part,
                            strlen(source->part));
}

static void the_guide_has_the_tables_of_objects(void **state)
{
    (void)state;
    read_table();
    fake_registry registry;
    fake_registry_init(&registry);
    make_all(fake_metrics(&registry));
    size_t sources = 0;
    for (const girt__source *s = registry.first; s != NULL; s = s->next) {
        sources++;
        for (size_t i = 0; i < s->series_count; i++)
            check_series(s, &s->series[i]);
    }
    assert_int_equal(sources, reporting_count);
    girt__source process;
    girt__process_source(&process);
    for (size_t i = 0; i < process.series_count; i++)
        check_series(&process, &process.series[i]);
    every_row_was_used("an object's table");
    end_all();
    fake_registry_end(&registry);
}

static void the_guide_has_what_is_written(void **state)
{
    (void)state;
    read_table();
    fake_registry registry;
    fake_registry_init(&registry);
    make_all(fake_metrics(&registry));
    fake_registry_scrape(&registry);
    for (size_t i = 0; i < registry.sample_count; i++) {
        const char *const name = registry.samples[i].series->name;
        find_row(name, strlen(name))->used = true;
    }
    every_row_was_used("a scrape");
    end_all();
    fake_registry_end(&registry);
}

/* Each "# TYPE name kind" once, and each sample of a name that has one. */
static void check_text(const scrape *s, girt_metrics_format format)
{
    for (const char *line = s->text; *line != '\0';) {
        const char *const end = strchr(line, '\n');
        assert_non_null(end);
        static const char type[] = "# TYPE ";
        if (strncmp(line, type, sizeof type - 1) == 0) {
            const char *const name = line + sizeof type - 1;
            size_t const size = strcspn(name, " ");
            char sample[80];
            (void)snprintf(sample, sizeof sample, "%.*s%s", (int)size, name,
                           format == GIRT_OPENMETRICS_TEXT &&
                                   strncmp(name + size, " counter", 8) == 0
                               ? "_total"
                               : "");
            row *const r = find_row(sample, strlen(sample));
            assert_false(r->used);
            r->used = true;
            assert_memory_equal(name + size + 1, r->kind, strlen(r->kind));
        }
        line = end + 1;
    }
    every_row_was_used("the text");
}

/* A program reads the text; its exit status, 127 if it is not there. */
static int give_to(const char *const words[], const scrape *s)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[0], STDIN_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
        (void)execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    (void)close(ends[0]);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t done = 0; done < s->size;) {
        ssize_t const some = write(ends[1], s->text + done, s->size - done);
        if (some <= 0)
            break;
        done += (size_t)some;
    }
    (void)close(ends[1]);
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void check_readers(const scrape *s, girt_metrics_format format)
{
    static const char reads[] =
        "import sys\n"
        "try:\n"
        "    from prometheus_client.openmetrics import parser as o\n"
        "    from prometheus_client import parser as p\n"
        "except ImportError:\n"
        "    sys.exit(77)\n"
        "text = sys.stdin.buffer.read().decode('utf-8')\n"
        "parser = o if sys.argv[1] == '1' else p\n"
        "seen = set()\n"
        "for f in parser.text_string_to_metric_families(text):\n"
        "    assert f.name not in seen, f.name\n"
        "    seen.add(f.name)\n"
        "    keys = [(s.name, tuple(sorted(s.labels.items())))\n"
        "            for s in f.samples]\n"
        "    assert len(keys) == len(set(keys)), f.name\n"
        "assert len(seen) == int(sys.argv[2]), len(seen)\n";
    char number[2] = {format == GIRT_OPENMETRICS_TEXT ? '1' : '0', '\0'};
    char count[16];
    (void)snprintf(count, sizeof count, "%zu", row_count);
    const char *const python[] = {
        "/usr/bin/python3", "-c", reads, number, count, NULL};
    int const read = give_to(python, s);
    if (read == 77 || read == 127)
        fprintf(stderr, "not read by Python: no python3-prometheus-client\n");
    else
        assert_int_equal(read, 0);
    if (format == GIRT_OPENMETRICS_TEXT)
        return;
    static const char *const promtool[] = {"promtool", "check", "metrics",
                                           NULL};
    /* 3: it would have named them otherwise, in seconds. */
    int const checked = give_to(promtool, s);
    if (checked == 127)
        fprintf(stderr, "not checked by promtool: it is not installed\n");
    else
        assert_true(checked == 0 || checked == 3);
}

static void a_registry_writes_it_all(void **state)
{
    (void)state;
    read_table();
    girt_metrics *metrics = NULL;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    make_all(metrics);
    for (int format = 0; format < 2; format++) {
        scrape s;
        scrape_take(&s, metrics, (girt_metrics_format)format);
        check_text(&s, (girt_metrics_format)format);
        check_readers(&s, (girt_metrics_format)format);
        scrape_free(&s);
    }
    end_all();
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_int_equal(s.size, 0);
    scrape_free(&s);
    girt_metrics_destroy(metrics);
}

static void a_registry_refuses(void **state)
{
    (void)state;
    girt_metrics *metrics = NULL;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    for (size_t i = 0; i < reporting_count; i++) {
        const reporting_kind *const kind = &reporting_kinds[i];
        void *first = NULL, *second = NULL;
        check_status(kind->create(&first, "a", metrics, NULL), GIRT_OK);
        check_status(kind->create(&second, "a", metrics, NULL), GIRT_E_BUSY);
        check_status(kind->create(&second, "\xff", metrics, NULL),
                     GIRT_E_INVALID);
        assert_null(second);
        kind->destroy(first);
        check_status(kind->create(&first, "a", metrics, NULL), GIRT_OK);
        kind->destroy(first);
    }
    girt_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guide_has_the_tables_of_objects),
        cmocka_unit_test(the_guide_has_what_is_written),
        cmocka_unit_test(a_registry_writes_it_all),
        cmocka_unit_test(a_registry_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
