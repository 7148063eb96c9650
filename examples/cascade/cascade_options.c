/* SPDX-License-Identifier: MIT */
/* cascade_options.c - the command line, by getopt_long. */
#include "cascade_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <girt/version.h>

/* clang-format off */
static const char help[] =
    "Usage: cascade [OPTION]...\n"
    "\n"
    "Simulates three services that call each other, front, middle and back, for\n"
    "60 s of virtual time. From second 10 to second 30 back is slow. Runs once\n"
    "without guards and once with girt's, and shows what became of the requests\n"
    "that need front only, also middle, and also back. One seed, one result.\n"
    "\n"
    "  -s, --seed N        of chance (1)\n"
    "      --slow N        back takes N times as long, 1 to 1000 (10)\n"
    "  -g, --guards LIST   of the second run (all): some of deadline, budget,\n"
    "                      bulkhead, concurrency, breaker, shed, with commas\n"
    "      --csv FILE      writes a line for each run, second and kind of request;\n"
    "                      - is standard output, and the report goes to stderr\n"
    "      --svg FILE      draws both runs (needs gnuplot)\n"
    "  -h, --help          this text\n"
    "      --version       the version of girt\n"
    "\n"
    "Ends with 0; 1 when something could not be written or there was no memory;\n"
    "2 for a wrong option or a file that cannot be made.\n";
/* clang-format on */

enum { OPTION_SLOW = 256, OPTION_CSV, OPTION_SVG, OPTION_VERSION };

enum { SLOW_MOST = 1000 };

static const struct option long_options[] = {
    {"seed", required_argument, NULL, 's'},
    {"slow", required_argument, NULL, OPTION_SLOW},
    {"guards", required_argument, NULL, 'g'},
    {"csv", required_argument, NULL, OPTION_CSV},
    {"svg", required_argument, NULL, OPTION_SVG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    unsigned guards;
} guard_names[] = {
    {"deadline", GUARD_DEADLINE}, {"budget", GUARD_BUDGET},
    {"bulkhead", GUARD_BULKHEAD}, {"concurrency", GUARD_CONCURRENCY},
    {"breaker", GUARD_BREAKER},   {"shed", GUARD_SHED},
    {"all", GUARDS_ALL},
};

enum { GUARD_NAMES = sizeof guard_names / sizeof *guard_names };

static bool number(const char *option, const char *text, uint64_t least,
                   uint64_t most, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    if (isdigit((unsigned char)text[0])) /* strtoull takes signs and spaces */
        *value = strtoull(text, &end, 10);
    if (end != NULL && *end == '\0' && errno == 0 && *value >= least &&
        *value <= most)
        return true;
    fprintf(stderr, "cascade: --%s wants a number from %llu to %llu\n", option,
            (unsigned long long)least, (unsigned long long)most);
    return false;
}

static bool slow_number(cascade_options *o, const char *text)
{
    uint64_t slow;
    if (!number("slow", text, 1, SLOW_MOST, &slow))
        return false;
    o->config.slow = (unsigned)slow;
    return true;
}

static bool guard_list(cascade_options *o, const char *text)
{
    o->config.guards = 0;
    for (;;) { /* a turn a name */
        size_t const size = strcspn(text, ",");
        size_t i = 0;
        while (i < GUARD_NAMES && (strlen(guard_names[i].name) != size ||
                                   memcmp(guard_names[i].name, text, size)))
            i++;
        if (i == GUARD_NAMES)
            break;
        o->config.guards |= guard_names[i].guards;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
    fputs("cascade: --guards wants some of", stderr);
    for (size_t i = 0; i < GUARD_NAMES; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", guard_names[i].name);
    fputc('\n', stderr);
    return false;
}

static bool take_option(cascade_options *o, int option, const char *value)
{
    switch (option) {
    case 's':
        return number("seed", value, 0, UINT64_MAX, &o->config.seed);
    case OPTION_SLOW:
        return slow_number(o, value);
    case 'g':
        return guard_list(o, value);
    case OPTION_CSV:
        o->csv = value;
        return true;
    case OPTION_SVG:
        o->svg = value;
        return true;
    default: /* getopt_long has said what it does not know */
        return false;
    }
}

static cascade_wish misused(void)
{
    fputs("cascade --help tells more.\n", stderr);
    return CASCADE_MISUSED;
}

cascade_wish cascade_options_parse(cascade_options *options, int count,
                                   char *arguments[])
{
    *options = (cascade_options){
        .config = {.seed = 1, .slow = 10, .guards = GUARDS_ALL}};
    optind = 0; /* a test parses more than one command line */
    int option;
    while ((option = getopt_long(count, arguments, "s:g:h", long_options,
                                 NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return CASCADE_ANSWERED;
        }
        if (option == OPTION_VERSION) {
            printf("cascade, girt %s\n", girt_version());
            return CASCADE_ANSWERED;
        }
        if (!take_option(options, option, optarg))
            return misused();
    }
    if (optind < count) {
        fprintf(stderr, "cascade: what is %s?\n", arguments[optind]);
        return misused();
    }
    return CASCADE_RUN;
}
