/* SPDX-License-Identifier: MIT */
/* keyed_shared.c - a keyed limiter over several processes, any of which may be
 * killed at any instruction.
 *
 *   block:  [fields written by claims | facts | slots | reaches]
 *
 * A killed process is a stopped one that never goes on, and a thread that stops
 * anywhere stops nobody (keyed_table.c).  What it may leave: a count in `used`
 * that is too high, which is only a reason to look; and a claim of a new key
 * that is not settled, which holds a place until that key comes again.
 *
 * The base is the time at which the block was made, so that no two processes
 * can have another one.  Facts are copied and checked once; the slots may hold
 * anything, which the table bears. */
#include "limiter/limiter_shared.h"

#include <string.h>

#include <girt/hash.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/random.h"
#include "limiter/keyed_internal.h"

#define CHECK_SEED UINT64_C(0x676972746b657965)

/* Written once. */
typedef struct keyed_facts {
    girt_rate rate;
    uint64_t keys;
    uint64_t seed; /* of the hashes */
    int64_t base_ns;
    uint64_t check; /* of all before it */
} keyed_facts;
_Static_assert(sizeof(keyed_facts) == 56, "no hole in the facts");

typedef struct keyed_block {
    char claims[sizeof(girt_keyed_limiter) - GIRT__KEYED_BEFORE];
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) keyed_facts facts;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__keyed_group groups[];
} keyed_block;
_Static_assert(GIRT__KEYED_BEFORE % GIRT_DESTRUCTIVE == 0,
               "a page's start is aligned for the second half");

static uint64_t check_of(const keyed_facts *facts)
{
    return girt_hash(facts, offsetof(keyed_facts, check), CHECK_SEED);
}

size_t girt__keyed_before(void)
{
    return GIRT__KEYED_BEFORE;
}

size_t girt__keyed_block_bytes(void)
{
    return sizeof(keyed_block);
}

girt_status girt__keyed_shared_check(const girt_keyed_limiter_options *options,
                                     size_t *bytes)
{
    girt__gcra gcra;
    girt_status const status = girt__keyed_options_check(options, &gcra);
    if (status != GIRT_OK)
        return status;
    size_t groups, slot_bytes, reach_bytes;
    if (options->keys > KEYS_MAX ||
        !girt__keyed_table_shape(options->keys, &groups, &slot_bytes,
                                 &reach_bytes) ||
        !girt__size_add(slot_bytes, reach_bytes, bytes) ||
        !girt__size_add(*bytes, sizeof(keyed_block), bytes))
        return GIRT_E_TOO_LARGE;
    return GIRT_OK;
}

void girt__keyed_make(void *memory, const girt_keyed_limiter_options *options)
{
    keyed_block *const block = memory;
    girt_clock const clock = girt__clock_resolve(&options->clock);
    int64_t const now_ns = girt__clock_now(&clock);
    block->facts = (keyed_facts){
        .rate = options->rate,
        .keys = options->keys,
        .seed = girt__random_seed(),
        .base_ns = now_ns == NO_BASE ? NO_BASE + 1 : now_ns,
    };
    block->facts.check = check_of(&block->facts);
    girt_keyed_limiter limiter;
    girt__keyed_table_reset(&limiter.table);
    memcpy(block->claims, &limiter.table.used, sizeof block->claims);
}

/* The first half, from what the block and the options say. */
static void fill(girt_keyed_limiter *limiter, keyed_block *block,
                 const keyed_facts *facts, const girt__gcra *gcra,
                 const girt_keyed_limiter_options *options)
{
    size_t groups, slot_bytes, reach_bytes;
    bool const fits = girt__keyed_table_shape(facts->keys, &groups, &slot_bytes,
                                              &reach_bytes);
    girt_assert(fits); /* the options have been checked, and are the same */
    (void)fits;
    limiter->gcra = *gcra;
    limiter->gcra.base_ns = 0;
    limiter->base_ns = facts->base_ns;
    limiter->easy_burst = 0; /* the first call sees to it */
    girt__hash_key_init(&limiter->hash_key, facts->seed);
    limiter->clock = girt__clock_resolve(&options->clock);
    limiter->when_full = options->admit_when_full ? GIRT_OK : GIRT_LIMITED;
    limiter->table.groups = block->groups;
    limiter->table.reaches =
        (uint32_t *)(void *)((char *)block->groups + slot_bytes);
    limiter->table.groups_count = groups;
    limiter->table.keys_max = facts->keys;
}

girt_status girt__keyed_attach(girt_keyed_limiter **out,
                               const girt__limiter_place *place,
                               const girt_keyed_limiter_options *options)
{
    keyed_block *const block = place->block;
    girt__gcra gcra;
    size_t bytes;
    girt_status status = girt__keyed_shared_check(options, &bytes);
    if (status != GIRT_OK)
        return status;
    (void)girt__keyed_options_check(options, &gcra);
    keyed_facts const facts = block->facts;
    if (place->bytes < sizeof *block || facts.check != check_of(&facts) ||
        facts.seed == 0 || facts.base_ns == NO_BASE)
        return GIRT_E_CORRUPT;
    if (facts.rate.limit != options->rate.limit ||
        facts.rate.period_ns != options->rate.period_ns ||
        facts.rate.burst != options->rate.burst || facts.keys != options->keys)
        return GIRT_E_INVALID;
    if (place->bytes < bytes)
        return GIRT_E_CORRUPT;
    girt_keyed_limiter *const limiter =
        (girt_keyed_limiter *)(void *)((char *)place->block -
                                       GIRT__KEYED_BEFORE);
    status = girt__allocator_resolve(&limiter->allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    fill(limiter, block, &facts, &gcra, options);
    limiter->shared_bytes = place->bytes;
    limiter->unmap = place->unmap;
    status = girt__keyed_report(&limiter->table, options, &limiter->allocator);
    if (status == GIRT_OK)
        *out = limiter;
    return status;
}
