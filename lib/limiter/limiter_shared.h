/* SPDX-License-Identifier: MIT */
/* limiter_shared.h - limiters whose state is in memory that processes share.
 *
 * The caller maps the shared block behind private memory of this process, so
 * that a limiter is one struct whose second half all have, and every call is
 * the same as in one process.  (A pointer between the halves would cost each
 * take a load before the load of its word.) */
#ifndef GIRT_LIMITER_LIMITER_SHARED_H
#define GIRT_LIMITER_LIMITER_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include <girt/keyed_limiter.h>
#include <girt/limiter.h>

/* Where the shared block is, and how to give it up. */
typedef struct girt__limiter_place {
    void *block;  /* with `before` bytes of this process's before it */
    size_t bytes; /* of the mapping of the block */
    void (*unmap)(void *block, size_t before, size_t bytes);
} girt__limiter_place;

/* Bytes of private memory that stand before the block, and of the block. */
size_t girt__limiter_before(void);
size_t girt__limiter_bytes(void);
/* GIRT_E_INVALID also for leases, which a killed process would keep. */
girt_status girt__limiter_shared_check(const girt_limiter_options *options);
/* Fills a zeroed block; the options were checked. */
void girt__limiter_make(void *block, const girt_limiter_options *options);
/* GIRT_E_CORRUPT: the block is no limiter.  On failure it stays mapped. */
girt_status girt__limiter_attach(girt_limiter **out,
                                 const girt__limiter_place *place,
                                 const girt_limiter_options *options);

/* The same for keyed ones; the block's size goes by the keys. */
size_t girt__keyed_before(void);
size_t girt__keyed_block_bytes(void); /* without the keys */
/* GIRT_E_INVALID; GIRT_E_TOO_LARGE. */
girt_status girt__keyed_shared_check(const girt_keyed_limiter_options *options,
                                     size_t *bytes);
void girt__keyed_make(void *block, const girt_keyed_limiter_options *options);
/* GIRT_E_CORRUPT; GIRT_E_INVALID: made with another rate or number of keys. */
girt_status girt__keyed_attach(girt_keyed_limiter **out,
                               const girt__limiter_place *place,
                               const girt_keyed_limiter_options *options);

#endif /* GIRT_LIMITER_LIMITER_SHARED_H */
