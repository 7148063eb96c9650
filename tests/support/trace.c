/* SPDX-License-Identifier: MIT */
/* trace.c - reading and replaying traces. */
#include "support/trace.h"

#include <girt/hash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct reader {
    trace *t;
    size_t room, limit;
} reader;

static bool add(reader *r, uint64_t key)
{
    trace *const t = r->t;
    if (t->count == r->limit)
        return false;
    if (t->count == r->room) {
        r->room = r->room == 0 ? 1 << 16 : 2 * r->room;
        uint64_t *const wider = realloc(t->keys, r->room * sizeof *wider);
        if (wider == NULL)
            return false;
        t->keys = wider;
    }
    t->keys[t->count++] = key;
    return true;
}

static void read_binary(reader *r, FILE *file, size_t width)
{
    unsigned char bytes[8];
    while (fread(bytes, 1, width, file) == width) {
        uint64_t key = 0;
        for (size_t i = 0; i < width; i++)
            key = key << 8 | bytes[i];
        if (!add(r, key))
            return;
    }
}

static void read_blocks(reader *r, const char *line)
{
    unsigned long long first, count;
    if (sscanf(line, "%llu %llu", &first, &count) != 2)
        return;
    for (unsigned long long i = 0; i < count; i++)
        if (!add(r, first + i))
            return;
}

/* The field that begins after `before` occurrences of `separator`. */
static void read_field(reader *r, const char *line, char separator, int before)
{
    for (; before > 0 && line != NULL; before--) {
        line = strchr(line, separator);
        line = line == NULL ? NULL : line + 1;
    }
    if (line == NULL)
        return;
    const char end[] = {separator, '\n', '\0'};
    (void)add(r, girt_hash(line, strcspn(line, end), 0));
}

static void read_lines(reader *r, FILE *file, const char *path)
{
    char *line = NULL;
    size_t room = 0, number = 0;
    while (getline(&line, &room, file) > 0) {
        unsigned long long time, key;
        number++;
        if (strstr(path, ".lis") != NULL)
            read_blocks(r, line);
        else if (strstr(path, ".tsv") != NULL && number > 1)
            read_field(r, line, '\t', 4);
        else if (strstr(path, ".log") != NULL) {
            if (strstr(line, "] \"GET ") != NULL ||
                strstr(line, "] \"HEAD ") != NULL)
                read_field(r, line, ' ', 6);
        } else if (sscanf(line, "%llu %llu", &time, &key) == 2)
            (void)add(r, key);
    }
    free(line);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t count_distinct(const trace *t)
{
    uint64_t *const sorted = malloc(t->count * sizeof *sorted + 1);
    if (sorted == NULL)
        return 0;
    memcpy(sorted, t->keys, t->count * sizeof *sorted);
    qsort(sorted, t->count, sizeof *sorted, compare);
    size_t distinct = 0;
    for (size_t i = 0; i < t->count; i++)
        distinct += i == 0 || sorted[i] != sorted[i - 1];
    free(sorted);
    return distinct;
}

static FILE *open_unpacked(const char *path, bool *piped)
{
    static const char *const tools[][2] = {
        {".xz", "xz -dc"}, {".gz", "gzip -dc"}, {".zst", "zstd -dcq"}};
    *piped = false;
    if (access(path, R_OK) != 0 || strchr(path, '\'') != NULL)
        return NULL;
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        const size_t size = strlen(path), end = strlen(tools[i][0]);
        if (size < end || strcmp(path + size - end, tools[i][0]) != 0)
            continue;
        char command[4096];
        snprintf(command, sizeof command, "%s '%s' 2>/dev/null", tools[i][1],
                 path);
        *piped = true;
        return popen(command, "r");
    }
    return fopen(path, "rb");
}

bool trace_read(trace *t, const char *path, size_t limit)
{
    bool piped;
    *t = (trace){NULL, 0, 0};
    FILE *const file = open_unpacked(path, &piped);
    if (file == NULL)
        return false;
    reader r = {t, 0, limit};
    if (strstr(path, "cache2k") != NULL)
        read_binary(&r, file, 4);
    else if (strstr(path, "scarab") != NULL || strstr(path, "corda") != NULL)
        read_binary(&r, file, 8);
    else
        read_lines(&r, file, path);
    (void)(piped ? pclose(file) : fclose(file));
    t->distinct = t->count == 0 ? 0 : count_distinct(t);
    return t->distinct != 0;
}

void trace_free(trace *t)
{
    free(t->keys);
    *t = (trace){NULL, 0, 0};
}

double trace_misses(const trace *t, girt_cache_policy policy, size_t entries)
{
    girt_cache *cache = NULL;
    size_t misses = 0;
    const girt_cache_options options = {.bytes_max = (size_t)1 << 34,
                                        .entries_max = entries,
                                        .policy = policy,
                                        .shards = 1,
                                        .seed = 22};
    if (girt_cache_create(&cache, &options) != GIRT_OK)
        return -1;
    for (size_t i = 0; i < t->count; i++) {
        girt_cached cached;
        const uint64_t key = t->keys[i];
        if (girt_cache_get(cache, &key, sizeof key, &cached) == GIRT_OK) {
            girt_cache_release(cache, &cached);
            continue;
        }
        misses++;
        if (girt_cache_put(cache, &key, sizeof key, "", 1, 0) != GIRT_OK) {
            girt_cache_destroy(cache);
            return -1;
        }
    }
    girt_cache_destroy(cache);
    return (double)misses / (double)t->count;
}
