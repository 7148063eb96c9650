/* SPDX-License-Identifier: MIT */
/* spike_options.c - getopt_long for spike_options.h. */
#include "spike_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <girt/version.h>

#include "burst.h"

/* clang-format off */
static const char help[] =
    "Usage: spike [OPTION]... [LOG]\n"
    "\n"
    "Replays an access log as one burst through a small service, behind one global\n"
    "lock and on girt. Counts hits and bytes of every URL, admits a bounded number\n"
    "of requests of each client, and compares all totals.\n"
    "\n"
    "LOG is in Common or Combined Log Format, or tab-separated (host logname time\n"
    "method url response bytes); - is standard input. Without LOG it makes a\n"
    "Zipf-distributed stream of its own.\n"
    "\n"
    "  -t, --threads LIST   n producers and n workers, for every n of the list\n"
    "                       (1,2,4,8; at most 256)\n"
    "  -r, --repeat N       runs of each; the median one is shown (3, and more for\n"
    "                       a short log)\n"
    "  -n, --lines N        at most N lines (10,000,000; 2,000,000 of the stream)\n"
    "  -s, --seed N         of the stream (1)\n"
    "  -b, --burst N        requests admitted of each client (100)\n"
    "      --shards N       maps that share the URLs of girt (8; at most 64)\n"
    "      --batch N        requests handed over at a time (32; at most 1024); the\n"
    "                       lock runs without batches as well\n"
    "      --capacity N     of the queue (1024)\n"
    "      --csv FILE       writes a line for each way and n; - is standard output\n"
    "      --totals FILE    writes URL, hits and bytes, separated by tabs\n"
    "      --svg FILE       draws throughput over n (needs gnuplot)\n"
    "  -h, --help           this text\n"
    "      --version        the version of girt\n"
    "\n"
    "With - as FILE the report goes to standard error. Memory: the text of the log\n"
    "(at most 1 GiB) and 64 bytes a line.\n"
    "Ends with 0; 1 when a run failed or totals differ; 2 for a wrong option or a\n"
    "log that cannot be read.\n";
/* clang-format on */

enum {
    OPTION_SHARDS = 256,
    OPTION_BATCH,
    OPTION_CAPACITY,
    OPTION_CSV,
    OPTION_TOTALS,
    OPTION_SVG,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"threads", required_argument, NULL, 't'},
    {"repeat", required_argument, NULL, 'r'},
    {"lines", required_argument, NULL, 'n'},
    {"seed", required_argument, NULL, 's'},
    {"burst", required_argument, NULL, 'b'},
    {"shards", required_argument, NULL, OPTION_SHARDS},
    {"batch", required_argument, NULL, OPTION_BATCH},
    {"capacity", required_argument, NULL, OPTION_CAPACITY},
    {"csv", required_argument, NULL, OPTION_CSV},
    {"totals", required_argument, NULL, OPTION_TOTALS},
    {"svg", required_argument, NULL, OPTION_SVG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* A whole decimal number in [least, most]; *end is the first byte after it. */
static bool read_number(const char *text, uint64_t least, uint64_t most,
                        uint64_t *value, char **end)
{
    if (!isdigit((unsigned char)text[0])) /* strtoull takes signs and spaces */
        return false;
    errno = 0;
    *value = strtoull(text, end, 10);
    return errno == 0 && *value >= least && *value <= most;
}

static bool number(const char *option, const char *text, uint64_t least,
                   uint64_t most, uint64_t *value)
{
    char *end;
    if (read_number(text, least, most, value, &end) && *end == '\0')
        return true;
    fprintf(stderr, "spike: --%s wants a number from %llu to %llu\n", option,
            (unsigned long long)least, (unsigned long long)most);
    return false;
}

static bool size_number(const char *option, const char *text, uint64_t most,
                        size_t *value)
{
    uint64_t wide;
    if (!number(option, text, 1, most, &wide))
        return false;
    *value = (size_t)wide;
    return true;
}

/* Puts n in its place among the sorted; once is enough. */
static bool add_threads(spike_options *options, size_t n)
{
    size_t at = 0;
    while (at < options->threads_count && options->threads[at] < n)
        at++;
    if (at < options->threads_count && options->threads[at] == n)
        return true;
    if (options->threads_count == SPIKE_THREADS_LIST_MAX)
        return false;
    memmove(&options->threads[at + 1], &options->threads[at],
            (options->threads_count - at) * sizeof options->threads[0]);
    options->threads[at] = n;
    options->threads_count++;
    return true;
}

static bool threads_list(spike_options *options, const char *text)
{
    options->threads_count = 0;
    for (;;) {
        uint64_t n;
        char *end;
        if (!read_number(text, 1, BURST_THREADS_MAX, &n, &end) ||
            (*end != ',' && *end != '\0') || !add_threads(options, (size_t)n))
            break;
        if (*end == '\0')
            return true;
        text = end + 1;
    }
    fprintf(stderr,
            "spike: --threads wants up to %d numbers from 1 to %d, as in "
            "1,2,4\n",
            SPIKE_THREADS_LIST_MAX, BURST_THREADS_MAX);
    return false;
}

static bool take_option(spike_options *o, int option, const char *value)
{
    switch (option) {
    case 't':
        return threads_list(o, value);
    case 'r':
        return size_number("repeat", value, 1000, &o->repeat);
    case 'n':
        return size_number("lines", value, LOG_LINES_MAX, &o->lines_max);
    case 's':
        return number("seed", value, 0, UINT64_MAX, &o->seed);
    case 'b':
        return number("burst", value, 1, UINT32_MAX, &o->burst);
    case OPTION_SHARDS:
        return size_number("shards", value, SPIKE_SHARDS_MAX, &o->shards);
    case OPTION_BATCH:
        return size_number("batch", value, SPIKE_BATCH_MAX, &o->batch);
    case OPTION_CAPACITY:
        return size_number("capacity", value, 1 << 24, &o->capacity);
    case OPTION_CSV:
        o->csv = value;
        return true;
    case OPTION_TOTALS:
        o->totals = value;
        return true;
    case OPTION_SVG:
        o->svg = value;
        return true;
    default: /* getopt_long has said what it does not know */
        return false;
    }
}

static spike_wish misused(void)
{
    fprintf(stderr, "spike --help tells more.\n");
    return SPIKE_MISUSED;
}

spike_wish spike_options_parse(spike_options *options, int count,
                               char *arguments[])
{
    *options = (spike_options){
        .threads = {1, 2, 4, 8},
        .threads_count = 4,
        .seed = 1,
        .burst = 100,
        .shards = 8,
        .batch = 32,
        .capacity = 1024,
    };
    optind = 0; /* a test parses more than one command line */
    int option;
    while ((option = getopt_long(count, arguments, "t:r:n:s:b:h", long_options,
                                 NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return SPIKE_ANSWERED;
        }
        if (option == OPTION_VERSION) {
            printf("spike, girt %s\n", girt_version());
            return SPIKE_ANSWERED;
        }
        if (!take_option(options, option, optarg))
            return misused();
    }
    if (optind < count)
        options->log = arguments[optind++];
    if (optind < count) {
        fprintf(stderr, "spike: one log at a time, not also %s\n",
                arguments[optind]);
        return misused();
    }
    if (options->csv != NULL && options->totals != NULL &&
        strcmp(options->csv, "-") == 0 && strcmp(options->totals, "-") == 0) {
        fprintf(stderr, "spike: --csv and --totals cannot both be -\n");
        return misused();
    }
    return SPIKE_RUN;
}
