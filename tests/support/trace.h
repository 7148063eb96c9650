/* SPDX-License-Identifier: MIT */
/* trace.h - requests that real systems saw, replayed through a cache.
 *
 * Formats, by what the file's name holds:
 *   cache2k  big-endian u32 keys          scarab, corda  big-endian u64 keys
 *   request  text: time, key, size        .lis  text: first block, how many
 *   .log     a web server's lines, GET and HEAD, the key is the path
 *   .tsv     the fifth column, after a line of titles
 * .xz, .gz and .zst are unpacked by the program of that name. */
#ifndef GIRT_TESTS_TRACE_H
#define GIRT_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/cache.h>

typedef struct trace {
    uint64_t *keys;
    size_t count;
    size_t distinct;
} trace;

/* false: no such file, or nothing to unpack it with. At most `limit` keys. */
bool trace_read(trace *t, const char *path, size_t limit);
void trace_free(trace *t);

/* The share of requests that a cache of so many entries of one size misses,
 * each miss followed by a put; below 0: the cache failed. */
double trace_misses(const trace *t, girt_cache_policy policy, size_t entries);

#endif /* GIRT_TESTS_TRACE_H */
