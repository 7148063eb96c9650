/* SPDX-License-Identifier: MIT */
/* keyed_internal.h - a keyed limiter, for its files. */
#ifndef GIRT_LIMITER_KEYED_INTERNAL_H
#define GIRT_LIMITER_KEYED_INTERNAL_H

#include <stddef.h>

#include <girt/keyed_limiter.h>

#include "core/keyed_hash.h"
#include "limiter/gcra_internal.h"
#include "limiter/keyed_table.h"

/* No call yet. */
#define NO_BASE            INT64_MIN
#define KEYS_MAX           (UINT64_C(1) << 33)
#define GIRT__KEYED_BEFORE offsetof(girt_keyed_limiter, table.used)

/* The first half is the process's own.  The second, from table.used on, may be
 * in memory that several processes share (keyed_shared.c). */
struct girt_keyed_limiter {
    /* Written at create. */
    girt__gcra gcra; /* but for its base */
    /* NO_BASE, then the time of the first call. */
    int64_t base_ns;
    /* Up to so many tokens are taken the short way: the burst, once base_ns is
     * set, if the rate is easy (den 1, not 0); else 0. */
    uint64_t easy_burst;
    /* Written at create. */
    girt__hash_key hash_key;
    girt_clock clock;
    girt_status when_full; /* GIRT_LIMITED or GIRT_OK */
    girt_allocator allocator;
    size_t shared_bytes; /* of the second half's mapping; 0: not shared */
    void (*unmap)(void *block, size_t before, size_t bytes); /* of it */
    girt__keyed_table table;
};

girt_status girt__keyed_options_check(const girt_keyed_limiter_options *options,
                                      girt__gcra *gcra);

#endif /* GIRT_LIMITER_KEYED_INTERNAL_H */
