/* SPDX-License-Identifier: MIT */
/* cachesim.c - girt-cachesim: what share of a trace's requests a girt_cache
 * misses, by policy and size. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/trace.h"

static const struct {
    const char *name;
    girt_cache_policy policy;
} policies[] = {{"default", GIRT_CACHE_DEFAULT},
                {"lru", GIRT_CACHE_LRU},
                {"sieve", GIRT_CACHE_SIEVE},
                {"s3fifo", GIRT_CACHE_S3FIFO},
                {"tinylfu", GIRT_CACHE_TINYLFU}};
enum { POLICIES = sizeof policies / sizeof *policies };

typedef struct settings {
    bool chosen[POLICIES];
    double sizes[16]; /* entries, or a share of the distinct ones when < 1 */
    size_t size_count;
} settings;

static void usage(FILE *file)
{
    fprintf(
        file,
        "usage: girt-cachesim TRACE... [--policy LIST] [--size LIST]\n\n"
        "  --policy LIST  of default,lru,sieve,s3fifo,tinylfu (all)\n"
        "  --size LIST    entries, or below 1 a share of the distinct keys\n"
        "                 (0.001,0.01,0.1); sizes under 100 that come of a\n"
        "                 share are left out\n\n"
        "Replays each trace through a girt_cache of one shard, entries of\n"
        "one size, and prints the share of requests that missed.\n"
        "Formats: see tests/support/trace.h.\n");
}

static void choose(settings *s, char *list)
{
    memset(s->chosen, 0, sizeof s->chosen);
    char *rest = NULL;
    for (char *part = strtok_r(list, ",", &rest); part != NULL;
         part = strtok_r(NULL, ",", &rest)) {
        size_t i = 0;
        while (i < POLICIES && strcmp(part, policies[i].name) != 0)
            i++;
        if (i == POLICIES) {
            fprintf(stderr, "girt-cachesim: no policy %s\n", part);
            exit(2);
        }
        s->chosen[i] = true;
    }
}

static void choose_sizes(settings *s, char *list)
{
    s->size_count = 0;
    char *rest = NULL;
    for (char *part = strtok_r(list, ",", &rest); part != NULL;
         part = strtok_r(NULL, ",", &rest)) {
        char *end;
        const double size = strtod(part, &end);
        if (*end != '\0' || !(size > 0) || s->size_count == 16) {
            fprintf(stderr, "girt-cachesim: no size %s\n", part);
            exit(2);
        }
        s->sizes[s->size_count++] = size;
    }
}

static void print_head(const settings *s)
{
    printf("%-28s %9s %9s", "trace", "requests", "entries");
    for (size_t p = 0; p < POLICIES; p++)
        if (s->chosen[p])
            printf(" %8s", policies[p].name);
    printf("\n");
}

static bool simulate(const settings *s, const char *path)
{
    trace t;
    if (!trace_read(&t, path, SIZE_MAX)) {
        fprintf(stderr, "girt-cachesim: cannot read %s\n", path);
        return false;
    }
    const char *const slash = strrchr(path, '/');
    for (size_t i = 0; i < s->size_count; i++) {
        const bool share = s->sizes[i] < 1;
        const size_t entries =
            (size_t)(share ? s->sizes[i] * (double)t.distinct : s->sizes[i]);
        if (entries == 0 || (share && entries < 100))
            continue;
        printf("%-28.28s %9zu %9zu", slash == NULL ? path : slash + 1, t.count,
               entries);
        for (size_t p = 0; p < POLICIES; p++) {
            if (s->chosen[p])
                printf(" %8.4f", trace_misses(&t, policies[p].policy, entries));
            fflush(stdout);
        }
        printf("\n");
    }
    trace_free(&t);
    return true;
}

int main(int count, char **words)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'},
        {"size", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    settings s = {.sizes = {0.001, 0.01, 0.1}, .size_count = 3};
    memset(s.chosen, true, sizeof s.chosen);
    int option;
    while ((option = getopt_long(count, words, "", known, NULL)) != -1) {
        if (option == 'p')
            choose(&s, optarg);
        else if (option == 's')
            choose_sizes(&s, optarg);
        else {
            usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (optind == count) {
        usage(stderr);
        return 2;
    }
    print_head(&s);
    bool all = true;
    for (int i = optind; i < count; i++)
        all = simulate(&s, words[i]) && all;
    return all ? 0 : 1;
}
