/* SPDX-License-Identifier: MIT */
/* Goal: what is written is what others read, hostile labels and help texts
 * included.  Method: random series through promtool and the parsers of Python's
 * prometheus_client, whose samples, label by label, must be those made here;
 * skipped where they are not installed. */
#include <girt/metrics.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scrape.h"
#include "support/threads.h"

enum { SERIES = 120 };

static char empty[1];
static const scrape nothing = {.text = empty};

/* ---- programs ----------------------------------------------------------- */

static int file_of(const char *text, size_t size)
{
    const int fd = memfd_create("metrics", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* The program's exit status, 127 if it is not there; its output in *output. */
static int run(const char *const words[], const scrape *in, char **output)
{
    const int from = file_of(in->text, in->size);
    const int to = memfd_create("output", 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(from, STDIN_FILENO);
        (void)dup2(to, STDOUT_FILENO);
        (void)dup2(to, STDERR_FILENO);
        (void)execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    const off_t size = lseek(to, 0, SEEK_END);
    *output = calloc(1, (size_t)size + 1);
    assert_non_null(*output);
    assert_int_equal(pread(to, *output, (size_t)size, 0), size);
    close(from);
    close(to);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* The first Python that has prometheus_client; NULL: none. */
static const char *python(void)
{
    static const char *const names[] = {"python3", "/usr/bin/python3"};
    for (size_t i = 0; i < 2; i++) {
        char *output;
        const char *const words[] = {names[i], "-c", "import prometheus_client",
                                     NULL};
        const int status = run(words, &nothing, &output);
        free(output);
        if (status == 0)
            return names[i];
    }
    return NULL;
}

static char *parse(const char *interpreter, const scrape *s,
                   girt_metrics_format format)
{
    char *output;
    const char *const words[] = {
        interpreter, GIRT_TEST_SOURCE "/tests/support/parse_metrics.py",
        format == GIRT_OPENMETRICS_TEXT ? "openmetrics" : "prometheus", NULL};
    const int status = run(words, s, &output);
    if (status != 0)
        fail_msg("%s\n%s", output, s->text);
    return output;
}

static bool has_line(const char *text, const char *line)
{
    const size_t size = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && at[size] == '\n')
            return true;
    }
    return false;
}

/* ---- hostile texts ------------------------------------------------------ */

static void hex(char *out, const char *text)
{
    *out = '\0';
    for (; *text != '\0'; text++)
        out += sprintf(out, "%02x", (unsigned char)*text);
}

/* Up to 23 bytes of what parsers trip over. `lines`: newlines too; the other
 * line breaks of Unicode are left out where the reader splits at them. */
static void hostile(rng *r, char out[24])
{
    static const char *const parts[] = {
        "\\", "\"", "\n", "{",    "}",        ",",    "=",
        "#",  " ",  "n",  "\\n",  "\xc3\xbc", "le",   "+Inf",
        "\t", "'",  "%s", "\x01", "a",        "\x7f", "\xf0\x9f\x92\xa9"};
    out[0] = '\0';
    for (uint64_t left = rng_below(r, 6); left > 0; left--)
        strcat(out, parts[rng_below(r, sizeof parts / sizeof *parts)]);
}

/* Spaces at the ends of a help text are the reader's to drop. */
static bool is_trimmed(const char *text)
{
    const size_t size = strlen(text);
    return size != 0 && strchr(" \t\n\x01", text[0]) == NULL &&
           strchr(" \t\n\x01", text[size - 1]) == NULL;
}

static const char *kind_name(int kind)
{
    return kind == 0 ? "counter" : kind == 1 ? "gauge" : "histogram";
}

typedef struct made {
    char line[400]; /* of parse_metrics.py */
    char help[200];
} made;

static void make_series(girt_metrics *metrics, rng *r, size_t i, made *m)
{
    const int kind = (int)(i % 3);
    char name[24], help[24], a[24], b[24], a_hex[50], b_hex[50], help_hex[50];
    (void)snprintf(name, sizeof name, "m%zu_%s", i, kind_name(kind));
    do
        hostile(r, help);
    while (!is_trimmed(help));
    hostile(r, a);
    hostile(r, b);
    hex(a_hex, a);
    hex(b_hex, b);
    hex(help_hex, help);
    const uint64_t value = rng_below(r, 1000);
    const char *const labels[] = {"b", b, "a", a, NULL};
    girt_counter *c;
    girt_gauge *g;
    girt_histogram *h;
    if (kind == 0) {
        check_status(girt_counter_create(&c, metrics, name, help, labels),
                     GIRT_OK);
        girt_counter_add(c, value);
    } else if (kind == 1) {
        check_status(girt_gauge_create(&g, metrics, name, help, labels),
                     GIRT_OK);
        girt_gauge_set(g, (double)value);
    } else {
        check_status(girt_histogram_create(&h, metrics, name, help, labels),
                     GIRT_OK);
        girt_histogram_record(h, value);
    }
    (void)snprintf(m->line, sizeof m->line, "%s %s%s a=%s,b=%s %llu.0",
                   kind_name(kind), name,
                   kind == 0   ? "_total"
                   : kind == 1 ? ""
                               : "_sum",
                   a_hex, b_hex, (unsigned long long)value);
    (void)snprintf(m->help, sizeof m->help, "help %s %s", name, help_hex);
}

static void read_by_python(void **state)
{
    (void)state;
    const char *const interpreter = python();
    if (interpreter == NULL)
        skip_because("no python3-prometheus-client");
    rng r = {test_seed()};
    girt_metrics *metrics = NULL;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    static made series[SERIES];
    for (size_t i = 0; i < SERIES; i++)
        make_series(metrics, &r, i, &series[i]);
    for (int format = 0; format < 2; format++) {
        scrape s;
        scrape_take(&s, metrics, (girt_metrics_format)format);
        char *const read = parse(interpreter, &s, (girt_metrics_format)format);
        for (size_t i = 0; i < SERIES; i++) {
            if (!has_line(read, series[i].line) ||
                !has_line(read, series[i].help))
                fail_msg("%s\n%s\nnot in\n%s", series[i].line, series[i].help,
                         read);
        }
        free(read);
        scrape_free(&s);
    }
    girt_metrics_destroy(metrics);
}

static void numbers_by_python(void **state)
{
    (void)state;
    const char *const interpreter = python();
    if (interpreter == NULL)
        skip_because("no python3-prometheus-client");
    girt_metrics *metrics = NULL;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {__builtin_inf(), "inf"},
        {-__builtin_inf(), "-inf"},
        {__builtin_nan(""), "nan"},
        {0.1, "0.1"},
        {1e300, "1e+300"},
        {5e-324, "5e-324"},

        {123456789.25, "123456789.25"},
        {1e-5, "1e-05"},
        {1e20, "1e+20"},
    };
    char name[24], line[100];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        (void)snprintf(name, sizeof name, "g%zu", i);
        girt_gauge *g;
        check_status(girt_gauge_create(&g, metrics, name, "h", NULL), GIRT_OK);
        girt_gauge_set(g, table[i].value);
    }
    for (int format = 0; format < 2; format++) {
        scrape s;
        scrape_take(&s, metrics, (girt_metrics_format)format);
        char *const read = parse(interpreter, &s, (girt_metrics_format)format);
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
            (void)snprintf(line, sizeof line, "gauge g%zu - %s", i,
                           table[i].text);
            if (!has_line(read, line))
                fail_msg("%s not in\n%s", line, read);
        }
        free(read);
        scrape_free(&s);
    }
    girt_metrics_destroy(metrics);
}

static void read_by_promtool(void **state)
{
    (void)state;
    const char *const words[] = {"promtool", "check", "metrics", NULL};
    char *output;
    const int there = run(words, &nothing, &output);
    free(output);
    if (there == 127)
        skip_because("no promtool");
    rng r = {test_seed()};
    girt_metrics *metrics = NULL;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    made m;
    for (size_t i = 0; i < SERIES; i++)
        make_series(metrics, &r, i, &m);
    /* One name that its lint knows nothing against, and all series of it. */
    for (size_t i = 0; i < 20; i++) {
        char value[24];
        hostile(&r, value);
        girt_counter *c;
        check_status(girt_counter_create(&c, metrics, "requests", "Served.",
                                         (const char *[]){"path", value, NULL}),
                     GIRT_OK);
    }
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    const int status = run(words, &s, &output);
    /* 3: it would have named them otherwise ("m3_counter"). */
    if (status != 0 && status != 3)
        fail_msg("%d: %s\n%s", status, output, s.text);
    assert_null(strstr(output, "requests"));
    assert_null(strstr(output, "error while linting"));
    free(output);
    scrape_free(&s);
    girt_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_by_python),
        cmocka_unit_test(numbers_by_python),
        cmocka_unit_test(read_by_promtool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
