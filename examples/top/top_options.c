/* SPDX-License-Identifier: MIT */
/* top_options.c - the command line, by getopt_long. */
#include "top_options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <girt/version.h>

/* clang-format off */
static const char help[] =
    "Usage: top [OPTION]... [TARGET]\n"
    "\n"
    "Shows every named girt object of a running program, read from its /metrics\n"
    "each second: depths, rates, hit ratios, 99th percentiles, states.\n"
    "\n"
    "TARGET is a port of this host (9464 if none is given), HOST:PORT, an http or\n"
    "https URL, or unix:PATH, a socket. No proxy is asked.\n"
    "\n"
    "  -i, --interval SECONDS  between two scrapes, 0.1 to 3600 (1)\n"
    "  -f, --file FILE         reads saved scrapes instead, one a turn, taken as\n"
    "                          an interval apart; up to 16, the last one again\n"
    "                          and again; - is standard input\n"
    "      --once              prints one frame as text and ends: of two scrapes,\n"
    "                          or of all files\n"
    "  -s, --sort COLUMN       by its title, as push/s (name)\n"
    "      --only PART         shows one section, as queue or keyed_limiter\n"
    "  -h, --help              this text\n"
    "      --version           the version of girt\n"
    "\n"
    "Keys: h tells them. NO_COLOR in the environment: no colours.\n"
    "\n"
    "Ends with 0; 1 when there was no answer, no memory, or no way to write;\n"
    "2 for a wrong option, or without a terminal.\n";
/* clang-format on */

enum { OPTION_ONCE = 256, OPTION_ONLY, OPTION_VERSION };

static const struct option long_options[] = {
    {"interval", required_argument, NULL, 'i'},
    {"file", required_argument, NULL, 'f'},
    {"once", no_argument, NULL, OPTION_ONCE},
    {"sort", required_argument, NULL, 's'},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static bool take_interval(top_options *o, const char *text)
{
    char *end = NULL;
    if (strspn(text, "0123456789.") == strlen(text) &&
        isdigit((unsigned char)text[0]))
        o->interval_s = strtod(text, &end);
    if (end != NULL && *end == '\0' && o->interval_s >= 0.1 &&
        o->interval_s <= 3600)
        return true;
    fputs("top: --interval wants seconds from 0.1 to 3600\n", stderr);
    return false;
}

static bool take_file(top_options *o, const char *path)
{
    if (o->file_count == TOP_FILES_MAX) {
        fprintf(stderr, "top: %d files at most\n", TOP_FILES_MAX);
        return false;
    }
    o->files[o->file_count++] = path;
    return true;
}

static bool take_only(top_options *o, const char *name)
{
    unsigned p = 0;
    while (p < PART_COUNT && strcmp(object_part_name((object_part)p), name))
        p++;
    o->only = (object_part)p;
    if (p < PART_COUNT)
        return true;
    fputs("top: --only wants one of", stderr);
    for (p = 0; p < PART_COUNT; p++)
        fprintf(stderr, "%s %s", p == 0 ? "" : ",",
                object_part_name((object_part)p));
    fputc('\n', stderr);
    return false;
}

static bool take_option(top_options *o, int option, const char *value)
{
    switch (option) {
    case 'i':
        return take_interval(o, value);
    case 'f':
        return take_file(o, value);
    case 's':
        o->sort = value;
        return true;
    case OPTION_ONCE:
        o->once = true;
        return true;
    case OPTION_ONLY:
        return take_only(o, value);
    default: /* getopt_long has said what it does not know */
        return false;
    }
}

/* ---- the target ---- */

static bool is_port(const char *text)
{
    const size_t size = strlen(text);
    return size > 0 && size <= 5 && strspn(text, "0123456789") == size &&
           atoi(text) > 0 && atoi(text) < 65536;
}

/* A target without a scheme is a host with a port; one without a path means
 * /metrics. */
static bool take_target(top_options *o, const char *target)
{
    const char *scheme = "http://";
    const char *host = "";
    const char *rest = target;
    o->target = target;
    o->socket = NULL;
    if (strncmp(target, "unix:", 5) == 0) {
        o->socket = target + 5;
        rest = "localhost";
    } else if (is_port(target)) {
        host = "127.0.0.1:";
    } else if (strncmp(target, "http://", 7) == 0 ||
               strncmp(target, "https://", 8) == 0) {
        scheme = "";
    } else if (strstr(target, "://") != NULL || strchr(target, ':') == NULL) {
        rest = ""; /* another scheme; no port */
    }
    const char *const behind = strstr(rest, "://");
    const char *const address = behind == NULL ? rest : behind + 3;
    const bool has_path = strchr(address, '/') != NULL;
    const int size = snprintf(o->url, sizeof o->url, "%s%s%s%s", scheme, host,
                              rest, has_path ? "" : "/metrics");
    if (*address != '\0' && *address != '/' && size > 0 &&
        (size_t)size < sizeof o->url &&
        (o->socket == NULL || *o->socket != '\0'))
        return true;
    fprintf(stderr,
            "top: %s is no port, HOST:PORT, http or https URL, unix:PATH\n",
            target);
    return false;
}

static top_wish misused(void)
{
    fputs("top --help tells more.\n", stderr);
    return TOP_MISUSED;
}

top_wish top_options_parse(top_options *options, int count, char *arguments[])
{
    *options = (top_options){.interval_s = 1, .only = PART_COUNT};
    optind = 0; /* a test parses more than one command line */
    int option;
    while ((option = getopt_long(count, arguments, "i:f:s:h", long_options,
                                 NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return TOP_ANSWERED;
        }
        if (option == OPTION_VERSION) {
            printf("top, girt %s\n", girt_version());
            return TOP_ANSWERED;
        }
        if (!take_option(options, option, optarg))
            return misused();
    }
    if (count - optind > 1 || (count > optind && options->file_count > 0)) {
        fprintf(stderr, "top: what is %s?\n", arguments[count - 1]);
        return misused();
    }
    if (!take_target(options, count > optind ? arguments[optind] : "9464"))
        return misused();
    return TOP_RUN;
}
