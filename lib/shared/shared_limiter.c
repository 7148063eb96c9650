/* SPDX-License-Identifier: MIT */
/* shared_limiter.c - limiters, for one key or many, as parts of a segment. */
#include "limiter/limiter_shared.h"

#include "shared/shared_internal.h"

/* Finds or makes the part and maps it behind private memory. */
static girt_status place_part(girt_shared *shared,
                              const girt__shared_plan *plan, size_t before,
                              girt__limiter_place *place)
{
    girt__shared_part part;
    girt_status const status = girt__shared_find_or_make(shared, plan, &part);
    if (status != GIRT_OK)
        return status;
    place->block = girt__shared_map_behind(shared, &part, before);
    place->bytes = part.bytes;
    place->unmap = girt__shared_unmap_behind;
    return place->block == NULL ? GIRT_E_NOMEM : GIRT_OK;
}

static void make_limiter(void *block, size_t bytes, const void *context)
{
    (void)bytes;
    girt__limiter_make(block, context);
}

girt_status girt_limiter_shared(girt_limiter **out, girt_shared *shared,
                                const char *name,
                                const girt_limiter_options *options)
{
    girt__shared_plan plan = {
        .kind = GIRT__SHARED_LIMITER,
        .name = name,
        .name_size = girt__shared_name_size(name),
        .bytes = girt__limiter_bytes(),
        .make = make_limiter,
        .context = options,
    };
    if (out == NULL || shared == NULL || plan.name_size == 0 || options == NULL)
        return GIRT_E_INVALID;
    girt_status status = girt__limiter_shared_check(options);
    if (status != GIRT_OK)
        return status;
    girt__limiter_place place;
    size_t const before = girt__limiter_before();
    status = place_part(shared, &plan, before, &place);
    if (status != GIRT_OK)
        return status;
    status = girt__limiter_attach(out, &place, options);
    if (status != GIRT_OK)
        girt__shared_unmap_behind(place.block, before, place.bytes);
    return status;
}

static void make_keyed(void *block, size_t bytes, const void *context)
{
    (void)bytes;
    girt__keyed_make(block, context);
}

girt_status girt_keyed_limiter_shared(girt_keyed_limiter **out,
                                      girt_shared *shared, const char *name,
                                      const girt_keyed_limiter_options *options)
{
    girt__shared_plan plan = {
        .kind = GIRT__SHARED_KEYED_LIMITER,
        .name = name,
        .name_size = girt__shared_name_size(name),
        .make = make_keyed,
        .context = options,
    };
    if (out == NULL || shared == NULL || plan.name_size == 0 || options == NULL)
        return GIRT_E_INVALID;
    girt_status status = girt__keyed_shared_check(options, &plan.bytes);
    if (status != GIRT_OK)
        return status;
    girt__limiter_place place;
    size_t const before = girt__keyed_before();
    status = place_part(shared, &plan, before, &place);
    if (status != GIRT_OK)
        return status;
    status = girt__keyed_attach(out, &place, options);
    if (status != GIRT_OK)
        girt__shared_unmap_behind(place.block, before, place.bytes);
    return status;
}
