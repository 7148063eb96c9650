/* SPDX-License-Identifier: MIT */
/* shared_metrics.c - a registry of metrics as a part of a segment; all of it
 * that processes share is metrics_arena.h's, and zeros are an empty one. */
#include "core/alloc_internal.h"
#include "metrics/metrics_internal.h"
#include "shared/shared_internal.h"

enum { BYTES_LEAST = 65536 };

static void make(void *block, size_t bytes, const void *context)
{
    (void)block, (void)bytes, (void)context; /* zeros */
}

static void closed(void *context)
{
    girt_shared_close(context);
}

girt_status girt_metrics_shared(girt_metrics **out, girt_shared *shared,
                                const char *name)
{
    size_t const name_size = girt__shared_name_size(name);
    if (out == NULL || shared == NULL || name_size == 0)
        return GIRT_E_INVALID;
    /* An offset in an arena has 32 bits. */
    size_t const half = (shared->bytes - shared->parts_at) / 2;
    size_t const most = UINT32_MAX & ~(shared->page - 1);
    girt__shared_plan const plan = {
        .kind = GIRT__SHARED_METRICS,
        .name = name,
        .name_size = name_size,
        .bytes = BYTES_LEAST,
        .bytes_most = half < most ? half : most,
        .make = make,
    };
    girt__shared_part part;
    girt_status status = girt__shared_find_or_make(shared, &plan, &part);
    if (status != GIRT_OK)
        return status;
    girt_allocator const allocator = girt__allocator_default();
    girt__shared_keep(shared);
    status = girt__metrics_attach(out, girt__shared_block(shared, &part),
                                  part.bytes, &allocator, closed, shared);
    if (status != GIRT_OK)
        girt_shared_close(shared);
    return status;
}
