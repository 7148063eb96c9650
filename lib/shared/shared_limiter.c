/* SPDX-License-Identifier: MIT */
/* shared_limiter.c - a limiter as a part of a segment. */
#include "limiter/limiter_shared.h"

#include "shared/shared_internal.h"

static void make(void *block, size_t bytes, const void *context)
{
    (void)bytes;
    girt__limiter_make(block, context);
}

girt_status girt_limiter_shared(girt_limiter **out, girt_shared *shared,
                                const char *name,
                                const girt_limiter_options *options)
{
    size_t const name_size = girt__shared_name_size(name);
    if (out == NULL || shared == NULL || name_size == 0 || options == NULL)
        return GIRT_E_INVALID;
    girt_status status = girt__limiter_shared_check(options);
    if (status != GIRT_OK)
        return status;
    girt__shared_plan const plan = {
        .kind = GIRT__SHARED_LIMITER,
        .name = name,
        .name_size = name_size,
        .bytes = girt__limiter_bytes(),
        .make = make,
        .context = options,
    };
    girt__shared_part part;
    status = girt__shared_find_or_make(shared, &plan, &part);
    if (status != GIRT_OK)
        return status;
    size_t const before = girt__limiter_before();
    girt__limiter_place const place = {
        .block = girt__shared_map_behind(shared, &part, before),
        .bytes = part.bytes,
        .unmap = girt__shared_unmap_behind,
    };
    if (place.block == NULL)
        return GIRT_E_NOMEM;
    status = girt__limiter_attach(out, &place, options);
    if (status != GIRT_OK)
        girt__shared_unmap_behind(place.block, before, part.bytes);
    return status;
}
