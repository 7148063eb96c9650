/* SPDX-License-Identifier: MIT */
/* keyed_batch.c - many keys of a limiter at once, 32 by 32.
 *
 * First all hashes, each asking for its home's line, then the decisions: the
 * lines come together where they would come one by one. */
#include <girt/keyed_limiter.h>

#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/key_list.h"
#include "limiter/keyed_take.h"

enum { BATCH = 32 /* lines that are on their way at once */ };

/* Those that want to know when. */
static void take_in_detail(girt_keyed_limiter *limiter,
                           girt_keyed_request requests[], size_t count,
                           int64_t now_ns, int64_t retry_after_ns[])
{
    for (size_t i = 0; i < count; i++) {
        girt_decision decision;
        requests[i].status = girt_keyed_limiter_take_at(
            limiter, requests[i].key, requests[i].key_size, requests[i].tokens,
            now_ns, &decision);
        retry_after_ns[i] = decision.retry_after_ns;
    }
}

/* Asks for the homes of some requests and writes down their hashes. */
static void look_up(const girt_keyed_limiter *limiter,
                    girt_keyed_request requests[], size_t count,
                    uint64_t hashes[])
{
    for (size_t i = 0; i < count; i++) {
        girt_keyed_request *const r = &requests[i];
        r->status = girt__keyed_key_check(r->key, r->key_size);
        if (girt_unlikely(r->status != GIRT_OK))
            continue;
        hashes[i] = girt__keyed_hash_of(limiter, r->key, r->key_size);
        __builtin_prefetch(
            &limiter->table
                 .groups[girt__keyed_home(&limiter->table, hashes[i])]);
    }
}

size_t girt_keyed_limiter_take_n_at(girt_keyed_limiter *limiter,
                                    girt_keyed_request requests[], size_t count,
                                    int64_t now_ns)
{
    if (limiter == NULL || requests == NULL)
        return 0;
    size_t admitted = 0;
    uint64_t hashes[BATCH];
    for (size_t at = 0; at < count; at += BATCH) {
        girt_keyed_request *const some = requests + at;
        size_t const n = count - at < BATCH ? count - at : BATCH;
        look_up(limiter, some, n, hashes);
        for (size_t i = 0; i < n; i++) {
            if (girt_unlikely(some[i].status != GIRT_OK))
                continue;
            some[i].status = girt__keyed_counted(
                limiter, girt__keyed_take_shortly(limiter, hashes[i],
                                                  some[i].tokens, now_ns));
            admitted += some[i].status == GIRT_OK;
        }
    }
    return admitted;
}

size_t girt_keyed_limiter_take_n(girt_keyed_limiter *limiter,
                                 girt_keyed_request requests[], size_t count)
{
    if (limiter == NULL || requests == NULL || count == 0)
        return 0;
    return girt_keyed_limiter_take_n_at(limiter, requests, count,
                                        girt__clock_now(&limiter->clock));
}

girt_status girt_keyed_limiter_take_keys(girt_keyed_limiter *limiter,
                                         const girt_keys *keys, uint64_t tokens,
                                         bool taken[], int64_t retry_after_ns[])
{
    girt__key_list list;
    if (limiter == NULL)
        return GIRT_E_INVALID;
    girt_status const status =
        girt__key_list_begin(&list, keys, GIRT_KEYED_LIMITER_KEY_MAX);
    if (status != GIRT_OK)
        return status;
    int64_t const now_ns = girt__clock_now(&limiter->clock);
    girt_keyed_request some[BATCH];
    for (size_t at = 0; at < keys->count; at += BATCH) {
        size_t const left = keys->count - at;
        size_t const n = left < BATCH ? left : BATCH;
        for (size_t i = 0; i < n; i++) {
            some[i].key = girt__key_list_next(&list, &some[i].key_size);
            some[i].tokens = tokens;
        }
        if (retry_after_ns == NULL)
            (void)girt_keyed_limiter_take_n_at(limiter, some, n, now_ns);
        else
            take_in_detail(limiter, some, n, now_ns, retry_after_ns + at);
        for (size_t i = 0; taken != NULL && i < n; i++)
            taken[at + i] = some[i].status == GIRT_OK;
    }
    return GIRT_OK;
}
